"""AR4SI's trustworthiness vector: eight claims about an attester, each in one of four tiers.

Source: draft-ietf-rats-ar4si sections 2.3 and 3.2; draft-ietf-rats-ear section 3 for the names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.wit import Status

VALUES = range(-128, 128)
"""What a trustworthiness claim can be; a negative value means nothing outside its verifier."""

# How bad a status is. What nobody appraised is worse than what was affirmed.
_BADNESS: Mapping[Status, int] = MappingProxyType(
    {Status.AFFIRMING: 0, Status.NONE: 1, Status.WARNING: 2, Status.CONTRAINDICATED: 3}
)


class Aspect(StrEnum):
    """What a trustworthiness claim is about."""

    INSTANCE_IDENTITY = "instance-identity"
    CONFIGURATION = "configuration"
    EXECUTABLES = "executables"
    FILE_SYSTEM = "file-system"
    HARDWARE = "hardware"
    RUNTIME_OPAQUE = "runtime-opaque"
    STORAGE_OPAQUE = "storage-opaque"
    SOURCED_DATA = "sourced-data"


@dataclass(frozen=True, slots=True)
class TrustClaim:
    """One claim of a vector: its value, and why it has it."""

    value: int
    reason: str

    @property
    def tier(self) -> Status:
        """The tier that the value is in."""
        return tier(self.value)

    def to_json(self) -> Json:
        """Returns value, tier and reason."""
        return {"value": self.value, "tier": self.tier, "reason": self.reason}


TrustVector = Mapping[Aspect, TrustClaim]
"""A claim for each aspect."""


def tier(value: int) -> Status:
    """Returns the tier of a value (AR4SI section 2.3.2)."""
    if -1 <= value <= 1:
        return Status.NONE
    if -32 <= value <= 31:
        return Status.AFFIRMING
    return Status.WARNING if -96 <= value <= 95 else Status.CONTRAINDICATED


def worst(statuses: Iterable[Status]) -> Status:
    """Returns the worst of some statuses, `none` where there are none at all.

    What was not appraised keeps the whole from being affirmed.
    """
    return max(statuses, key=_BADNESS.__getitem__, default=Status.NONE)


def is_better(status: Status, limit: Status) -> bool:
    """Whether a status claims more than a limit allows, which only a bad limit does not."""
    return limit in (Status.WARNING, Status.CONTRAINDICATED) and _BADNESS[status] < _BADNESS[limit]
