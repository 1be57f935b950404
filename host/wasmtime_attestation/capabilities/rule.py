"""One rule: what the guests that it is for may do, and why not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from wasmtime_attestation.capabilities.terms import CallClass, GuestFunction, IssuedKind
from wasmtime_attestation.errors import DeniedError
from wasmtime_attestation.wit import Status, Target, TargetAll, TargetGpu, TargetVm

EVERY_GPU = "gpu"
"""A target: each GPU."""
PER_MINUTE: Mapping[CallClass, int] = MappingProxyType(
    {CallClass.ATTEST: 60, CallClass.VERIFY: 6000, CallClass.OTHER: 0}
)
"""Calls a minute that a guest has where nothing else is said; 0 for any number."""
_ORDER = (Status.CONTRAINDICATED, Status.NONE, Status.WARNING, Status.AFFIRMING)


@dataclass(frozen=True, slots=True)
class Rule:
    """What guests may do.

    Attributes:
        name: for messages.
        functions: what they may call.
        targets: `vm`, `all`, `gpu` for each GPU, `gpu:N`, or a GPU's UUID.
        per_minute: calls a minute, by class; 0 for any number.
        audiences: whom their tokens may be for; None for anybody, and nobody in particular.
        user_data_prefix: what their user data must begin with.
        minimum_status: the least that a token which they verify must reach.
        tokens: the kinds of token that they may be given.
    """

    name: str
    functions: frozenset[GuestFunction] = frozenset(GuestFunction)
    targets: frozenset[str] = frozenset({"vm", EVERY_GPU, "all"})
    per_minute: Mapping[CallClass, int] = field(default_factory=lambda: PER_MINUTE)
    audiences: frozenset[str] | None = None
    user_data_prefix: bytes = b""
    minimum_status: Status = Status.NONE
    tokens: frozenset[IssuedKind] = frozenset(IssuedKind)

    @property
    def names_devices(self) -> bool:
        """Whether a target is a UUID, so that a GPU's must be looked up."""
        return any(_is_uuid(target) for target in self.targets)

    def check_function(self, function: GuestFunction) -> None:
        """Raises `DeniedError` where a function may not be called."""
        if function not in self.functions:
            raise self._denied("functions", f"does not allow {function}")

    def check_target(self, target: Target, uuid: str | None) -> None:
        """Raises `DeniedError` where a target may not be attested.

        Args:
            target: what the evidence is to be about.
            uuid: of the GPU; None where the target is none, or it has not been looked up.
        """
        if not self.targets.isdisjoint(_names(target, uuid)):
            return
        raise self._denied("targets", f"does not allow {target_name(target)}")

    def check_bound(self, function: GuestFunction, audience: str | None, data: bytes) -> None:
        """Raises `DeniedError` where a token may not be for somebody, or carry some user data.

        Args:
            function: what asks for the token, for messages.
            audience: whom it is for; None for nobody in particular.
            data: the user data.
        """
        if self.audiences is not None and audience not in self.audiences:
            asked = "does not allow this audience"
            if audience is None:
                asked = f"wants an audience, and this call of {function} has none; use attest"
            raise self._denied("audiences", asked)
        if not data.startswith(self.user_data_prefix):
            raise self._denied(
                "user-data-prefix",
                f"wants user data that begins with {self.user_data_prefix.hex()}; use attest",
            )

    def check_status(self, status: Status) -> None:
        """Raises `DeniedError` where a token's status is too low."""
        if _ORDER.index(status) < _ORDER.index(self.minimum_status):
            hint = "; name a policy to verify with" if status is Status.NONE else ""
            raise self._denied(
                "minimum-status", f"wants {self.minimum_status}, and the token is {status}{hint}"
            )

    def check_tokens(self, kinds: Iterable[IssuedKind]) -> None:
        """Raises `DeniedError` where the host may issue a kind that guests may not be given."""
        for kind in sorted(kinds):
            if kind not in self.tokens:
                raise self._denied("tokens", f"does not allow {kind}, which this host issues")

    def _denied(self, setting: str, problem: str) -> DeniedError:
        return DeniedError(f"rule guests.{self.name}.{setting} {problem}")


def target_name(target: Target) -> str:
    """Returns the name of a target: `vm`, `gpu:N` or `all`."""
    return f"gpu:{target.value}" if isinstance(target, TargetGpu) else target.case


def _names(target: Target, uuid: str | None) -> Iterable[str]:
    match target:
        case TargetVm() | TargetAll():
            return (target.case,)
        case TargetGpu():
            named = (EVERY_GPU, target_name(target))
            return named if uuid is None else (*named, uuid.lower())


def _is_uuid(target: str) -> bool:
    return target.startswith("gpu-")
