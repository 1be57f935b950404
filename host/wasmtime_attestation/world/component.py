"""The world for components: the interfaces of `wasmtime:attestation` in a component linker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from wasmtime.component import Linker, Record, Variant

from wasmtime_attestation import wit
from wasmtime_attestation.errors import AttestationError, InvalidArgumentError
from wasmtime_attestation.world import marshal, values
from wasmtime_attestation.world.boundary import Boundary
from wasmtime_attestation.world.checked import Checked
from wasmtime_attestation.world.host_calls import shielded

T = TypeVar("T")
_HostFunction = Callable[..., Any]


def link_component(linker: Linker, world: wit.World) -> None:
    """Defines the interfaces of the world for components.

    They serve components that import them at any version that is semver
    compatible. wasmtime does not compare the types of host functions with
    those that a component imports: `signatures.check_imports` does. Enter the
    guest through `host_calls.call_guest`.

    Args:
        linker: where to define them.
        world: what they call.

    Raises:
        WasmtimeError: the linker has one of them already.
    """
    functions = _Functions(world)
    with linker.root() as root:
        for interface, members in _interfaces(functions).items():
            with root.add_instance(f"{wit.PACKAGE}/{interface}@{wit.VERSION}") as instance:
                for name, function in members.items():
                    instance.add_func(name, shielded(function))


def _interfaces(functions: _Functions) -> dict[str, dict[str, _HostFunction]]:
    return {
        "types": {},
        "attestation": {
            "detect-tee": functions.detect_tee,
            "attest-vm": functions.attest_vm,
            "attest-gpu": functions.attest_gpu,
            "verify-token": functions.verify_token,
            "clear-cache": functions.clear_cache,
        },
        "attester": {"gpus": functions.gpus, "attest": functions.attest},
        "verifier": {"verify": functions.verify},
    }


class _Functions:
    """The world's functions over component values; each is handed the store first."""

    def __init__(self, world: wit.World) -> None:
        self._world = Boundary(Checked(world))

    def detect_tee(self, _store: object) -> Record:
        return marshal.lower_tee_info(self._world.detect_tee())

    def attest_vm(self, _store: object) -> Record | Variant:
        return _result(self._world.attest_vm, marshal.lower_attestation_result)

    def attest_gpu(self, _store: object, gpu_index: object) -> Record | Variant:
        return _result(
            lambda: self._world.attest_gpu(values.u32(gpu_index, "gpu-index")),
            marshal.lower_attestation_result,
        )

    def verify_token(self, _store: object, token: object) -> bool:
        return isinstance(token, str) and self._world.verify_token(token)

    def clear_cache(self, _store: object) -> None:
        self._world.clear_cache()

    def gpus(self, _store: object) -> list[Record] | Variant:
        return _result(self._world.gpus, marshal.lower_gpu_infos)

    def attest(self, _store: object, target: object, challenge: object) -> Record | Variant:
        return _result(
            lambda: self._world.attest(
                marshal.lift_target(target), marshal.lift_challenge(challenge)
            ),
            marshal.lower_attestation_result,
        )

    def verify(self, _store: object, token: object, expected: object) -> Record | Variant:
        return _result(
            lambda: self._world.verify(
                values.string(token, "token"), marshal.lift_expectations(expected)
            ),
            marshal.lower_verdict,
        )


S = TypeVar("S")


def _result(call: Callable[[], T], lower: Callable[[T], S]) -> S | Variant:
    """Returns a `result<_, error>`."""
    try:
        return lower(call())
    except values.MisfitError as error:  # of an argument: the boundary keeps the host's own
        return marshal.lower_error(InvalidArgumentError(str(error)))
    except AttestationError as error:
        return marshal.lower_error(error)
