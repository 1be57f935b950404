"""Components in WebAssembly text, and the real runtime around them."""

from __future__ import annotations

from wasmtime import Engine, Store, wat2wasm
from wasmtime.component import Component, Linker, Record, Variant
from wasmtime_attestation import wit
from wasmtime_attestation.world.component import link_component
from wasmtime_attestation.world.host_calls import call_guest

IMPORTS = """
(import "wasmtime:attestation/types@{v}" (instance $types
  (type $t0 (enum "none" "intel-tdx" "intel-sgx" "amd-sev" "amd-sev-snp" "arm-cca" "ibm-se"
    "nvidia-gpu" "simulated" "other"))
  (export "tee-type" (type $tee-type (eq $t0)))
  (type $t1 (record (field "tee-type" $tee-type) (field "supports-attestation" bool)
    (field "provider" string) (field "gpu-count" u32)))
  (export "tee-info" (type (eq $t1)))
  (type $t2 (record (field "index" u32) (field "uuid" string) (field "name" string)
    (field "confidential" bool)))
  (export "gpu-info" (type (eq $t2)))
  (type $t3 (record (field "token" string) (field "evidence" (option string))
    (field "timestamp" u64) (field "tee-type" $tee-type)))
  (export "attestation-result" (type (eq $t3)))
  (type $t4 (record (field "check" string) (field "detail" string)))
  (export "finding" (type $finding (eq $t4)))
  (type $t5 (variant (case "unsupported" string) (case "unavailable" string)
    (case "rejected" (list $finding)) (case "policy" (list $finding)) (case "denied" string)
    (case "invalid-argument" string) (case "internal" string)))
  (export "error" (type (eq $t5)))))
(alias export $types "tee-type" (type $tee-type))
(alias export $types "tee-info" (type $tee-info))
(alias export $types "gpu-info" (type $gpu-info))
(alias export $types "attestation-result" (type $attestation-result))
(alias export $types "error" (type $error))
(import "wasmtime:attestation/attestation@{v}" (instance $attestation
  (export "tee-info" (type $ti (eq $tee-info)))
  (export "attestation-result" (type $ar (eq $attestation-result)))
  (export "error" (type $er (eq $error)))
  (export "detect-tee" (func (result $ti)))
  (export "attest-vm" (func (result (result $ar (error $er)))))
  (export "attest-gpu" (func (param "gpu-index" u32) (result (result $ar (error $er)))))
  (export "verify-token" (func (param "token" string) (result bool)))
  (export "clear-cache" (func))))
(import "wasmtime:attestation/attester@{v}" (instance $attester
  (export "gpu-info" (type $gi (eq $gpu-info)))
  (export "attestation-result" (type $ar (eq $attestation-result)))
  (export "error" (type $er (eq $error)))
  (type $t0 (variant (case "vm") (case "gpu" u32) (case "all")))
  (export "target" (type $target (eq $t0)))
  (type $t1 (record (field "nonce" (list u8)) (field "user-data" (option (list u8)))
    (field "audience" (option string))))
  (export "challenge" (type $challenge (eq $t1)))
  (export "gpus" (func (result (result (list $gi) (error $er)))))
  (export "attest" (func (param "target" $target) (param "challenge" $challenge)
    (result (result $ar (error $er)))))))
(alias export $attester "target" (type $target))
(alias export $attester "challenge" (type $challenge))
(import "wasmtime:attestation/verifier@{v}" (instance $verifier
  (export "tee-type" (type $tt (eq $tee-type)))
  (export "error" (type $er (eq $error)))
  (type $t0 (record (field "nonce" (option (list u8))) (field "audience" (option string))
    (field "max-age-seconds" (option u32)) (field "policy" (option string))))
  (export "expectations" (type $expectations (eq $t0)))
  (type $t1 (enum "none" "affirming" "warning" "contraindicated"))
  (export "status" (type $status (eq $t1)))
  (type $t2 (record (field "issuer" string) (field "tee-type" $tt) (field "status" $status)
    (field "issued-at" u64) (field "expires-at" u64) (field "guest-digest" (option (list u8)))
    (field "claims" string)))
  (export "verdict" (type $verdict (eq $t2)))
  (export "verify" (func (param "token" string) (param "expected" $expectations)
    (result (result $verdict (error $er)))))))
(alias export $verifier "expectations" (type $expectations))
(alias export $verifier "verdict" (type $verdict))
"""
"""The whole world, as `wit/` has it; `{v}` is the version."""

MEMORY = """
(core module $Memory
  (memory (export "memory") 4)
  (global $next (mut i32) (i32.const 8192))
  (func (export "realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (global.set $next (i32.add (local.get $at) (local.get 3)))
    (local.get $at)))
(core instance $space (instantiate $Memory))
(alias core export $space "memory" (core memory $memory))
(alias core export $space "realloc" (core func $realloc))
"""
CANON = "(memory $memory) (realloc $realloc)"
"""The options of canonical functions that use `MEMORY`."""

_ATTESTED = "(result (result $attestation-result (error $error)))"
_VERDICT = "(result (result $verdict (error $error)))"
FUNCTIONS = [
    # name, interface, flat parameters, whether the result goes through memory, type
    ("detect-tee", "attestation", 0, True, "(result $tee-info)"),
    ("attest-vm", "attestation", 0, True, _ATTESTED),
    ("attest-gpu", "attestation", 1, True, '(param "gpu-index" u32)' + _ATTESTED),
    ("verify-token", "attestation", 2, False, '(param "token" string) (result bool)'),
    ("clear-cache", "attestation", 0, None, ""),
    ("gpus", "attester", 0, True, "(result (result (list $gpu-info) (error $error)))"),
    (
        "attest",
        "attester",
        10,
        True,
        '(param "target" $target) (param "challenge" $challenge)' + _ATTESTED,
    ),
    (
        "verify",
        "verifier",
        13,
        True,
        '(param "token" string) (param "expected" $expectations)' + _VERDICT,
    ),
]


def forwarder(version: str = "0.1.0", imports: str = IMPORTS) -> str:
    """Returns a component that exports each function of the world as one of its own.

    Arguments and results pass through its linear memory.

    Args:
        version: at which it imports the world.
        imports: what it imports, if not `IMPORTS`.
    """
    parts = [imports.replace("{v}", version), MEMORY]
    core_imports, core_exports, lowered, lifted = [], [], [], []
    for name, interface, flat, indirect, type_ in FUNCTIONS:
        parts.append(
            f'(alias export ${interface} "{name}" (func ${name}))'
            f"(core func ${name} (canon lower (func ${name}) {CANON}))"
        )
        result = "" if indirect is None else "(result i32)"
        area = "(i32.const 1024)" if indirect else ""
        parameters = "(param i32)" * flat
        core_imports.append(
            f'(import "host" "{name}" (func ${name} {parameters}'
            f" {'(param i32)' if indirect else result}))"
        )
        arguments = " ".join(f"(local.get {index})" for index in range(flat))
        core_exports.append(
            f'(func (export "{name}") {parameters} {result}'
            f" (call ${name} {arguments} {area}) {area})"
        )
        lowered.append(f'(export "{name}" (func ${name}))')
        lifted.append(
            f'(alias core export $main "{name}" (core func $main-{name}))'
            f"(func $lifted-{name} {type_} (canon lift (core func $main-{name}) {CANON}))"
            f'(export "{name}" (func $lifted-{name}))'
        )
    parts.append(f"(core instance $host {' '.join(lowered)})")
    parts.append(f"(core module $Main {' '.join(core_imports + core_exports)})")
    parts.append('(core instance $main (instantiate $Main (with "host" (instance $host))))')
    return "\n".join(["(component", *parts, *lifted, ")"])


def command(
    run: str, *, outside: str = "", imports: str = "", rest: str = "", version: str = "0.2.3"
) -> bytes:
    """Returns a component with `wasi:cli/run`, whose core function is `run`.

    Args:
        run: the body of a core function without parameters that returns 0 for ok, 1 for err.
        outside: component fields that define core functions and the instance `$host`.
        imports: core imports from the module `host`.
        rest: further fields of the core module.
        version: of `wasi:cli/run`.
    """
    use = '(with "host" (instance $host))' if imports else ""
    memory = '(import "space" "memory" (memory 1))'
    return binary(
        f"(component {MEMORY} {outside} (core module $Main {imports} {memory} {rest}"
        f' (func $run (export "run") (result i32) {run}))'
        f'(core instance $main (instantiate $Main (with "space" (instance $space)) {use}))'
        '(alias core export $main "run" (core func $run))'
        "(func $lifted (result (result)) (canon lift (core func $run)))"
        '(instance $command (export "run" (func $lifted)))'
        f'(export "wasi:cli/run@{version}" (instance $command)))'
    )


def binary(text: str) -> bytes:
    """Assembles WebAssembly text."""
    return bytes(wat2wasm(text))


def record(**fields: object) -> Record:
    """Returns a WIT record; underscores in names stand for hyphens."""
    value = Record()
    for name, field in fields.items():
        setattr(value, name.replace("_", "-"), field)
    return value


class Embedder:
    """A program that embeds a component through wasmtime-py and the world's linker.

    Args:
        wasm: the component, as text or binary.
        fast: which path its values take.
    """

    def __init__(self, wasm: str | bytes, *, fast: bool | None = None) -> None:
        self._fast = fast
        self.engine = Engine()
        self._component = Component(self.engine, wasm)

    def call(self, world: wit.World, name: str, *arguments: object) -> object:
        """Calls an export of a fresh instance; returns its result, made `plain`."""
        (answer,) = self.calls(world, (name, *arguments))
        return answer

    def calls(self, world: wit.World, *calls: tuple[object, ...]) -> list[object]:
        """Calls exports of one fresh instance, each given as its name and arguments."""
        with Linker(self.engine) as linker, Store(self.engine) as store:
            link_component(linker, world, fast=self._fast)
            instance = call_guest(linker.instantiate, store, self._component)
            return [
                plain(call_guest(instance.get_func(store, name), store, *arguments))
                for name, *arguments in calls
            ]


def plain(value: object) -> object:
    """Returns a component value with records as dictionaries and variants as pairs.

    Equality of `Record` objects ignores fields that the left one lacks.
    """
    match value:
        case Record():
            return {name: plain(field) for name, field in vars(value).items()}
        case Variant():
            return (value.tag, plain(value.payload))
        case list():
            return [plain(item) for item in value]
        case _:
            return value


ARGUMENTS: dict[str, tuple[object, ...]] = {
    "detect-tee": (),
    "attest-vm": (),
    "attest-gpu": (0,),
    "verify-token": ("t",),
    "clear-cache": (),
    "gpus": (),
    "attest": (Variant("all"), record(nonce=b"12345678", user_data=None, audience=None)),
    "verify": ("t", record(nonce=None, audience=None, max_age_seconds=None, policy=None)),
}
"""Each function of the world, with arguments that it takes."""
