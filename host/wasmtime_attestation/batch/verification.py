"""How an item of a batch came out, and how that travels between processes."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from wasmtime_attestation.checks import Check
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.result import AttestationResult


@dataclass(frozen=True, slots=True)
class Details:
    """What a verification found.

    Attributes:
        checks: every check and its outcome.
        claims: what the evidence says, as JSON, or a token and its evidence; None unless authentic.
        result: the appraisal, where there is a policy and it accepts the claims.
    """

    checks: tuple[Check, ...] = ()
    claims: dict[str, Json] | None = None
    result: AttestationResult | None = None


class Verification:
    """How one item came out.

    Attributes:
        outcome: `verified`, or the label of what went wrong: `rejected`, `policy`, `unavailable`,
            `invalid-argument`, or `internal` where the verification itself broke.
        error: what went wrong, or None.
    """

    __slots__ = ("_details", "error", "outcome")

    def __init__(
        self, outcome: str, error: str | None, details: Details | Callable[[], Details]
    ) -> None:
        self.outcome = outcome
        self.error = error
        self._details = details

    @property
    def details(self) -> Details:
        """What was found; what another process found is decoded when it is asked for."""
        if not isinstance(self._details, Details):
            self._details = self._details()
        return self._details

    def __reduce__(self) -> tuple[type[Verification], tuple[str, str | None, Details]]:
        return Verification, (self.outcome, self.error, self.details)


class Parcel(list[Any]):
    """Results that travel together: what their details have in common is pickled once."""

    def __reduce__(self) -> tuple[Callable[[list[Any], bytes], list[Any]], tuple[list[Any], bytes]]:
        found = [item for item in self if isinstance(item, Verification)]
        # Plain tuples, whose parts are shared, are pickled several times faster than records.
        details = [(d.checks, d.claims, d.result) for d in (v.details for v in found)]
        heads = [
            (item.outcome, item.error) if isinstance(item, Verification) else item for item in self
        ]
        return _unpacked, (heads, pickle.dumps(details))


class _Sealed:
    """The details of a parcel, decoded when the first of them is asked for."""

    def __init__(self, content: bytes) -> None:
        self._content: bytes | list[Details] = content

    def take(self, number: int) -> Details:
        if isinstance(self._content, bytes):
            details = pickle.loads(self._content)  # noqa: S301 - from our own worker
            self._content = [Details(*each) for each in details]
        return self._content[number]


def _unpacked(heads: Iterable[Any], content: bytes) -> list[Any]:
    sealed, number, items = _Sealed(content), 0, []
    for head in heads:
        if isinstance(head, tuple):
            outcome, error = head
            items.append(Verification(outcome, error, partial(sealed.take, number)))
            number += 1
        else:
            items.append(head)
    return items
