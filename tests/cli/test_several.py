"""Of several pieces of evidence the worst counts, and nothing that was found is lost."""

from __future__ import annotations

import pytest
from wasmtime_attestation.cli.several import Outcome, summary
from wasmtime_attestation.errors import Finding, PolicyError, RejectedError, UnavailableError
from wasmtime_attestation.result import AttestationResult
from wasmtime_attestation.wit import Status

FINE = AttestationResult("p", Status.AFFIRMING, ())
WARNED = AttestationResult("p", Status.WARNING, (Finding("policy.debug", "debug"),))
FORGED = RejectedError.of("snp.signature", "forged")
REFUSED = PolicyError([Finding("policy.tcb", "old")])
LACKING = UnavailableError("the VCEK is missing")


@pytest.mark.parametrize(
    ("outcomes", "kind", "says"),
    [
        ([FINE, REFUSED, LACKING, FORGED], RejectedError, "evidence [3]: forged"),
        ([FINE, REFUSED, LACKING], UnavailableError, "evidence [2]: the VCEK is missing"),
        ([REFUSED, FINE], PolicyError, "evidence [0]: old"),
        ([REFUSED, REFUSED], PolicyError, "evidence [1]: old"),
        ([None, FORGED], RejectedError, "evidence [1]: forged"),
        ([LACKING], UnavailableError, "the VCEK is missing"),
    ],
)
def test_the_worst_is_raised(outcomes: list[Outcome], kind: type[Exception], says: str) -> None:
    with pytest.raises(kind) as caught:
        summary(outcomes)
    assert says in str(caught.value)


def test_one_piece_is_itself() -> None:
    assert summary([WARNED]) is WARNED
    assert summary([None]) is None


def test_warnings_are_gathered() -> None:
    result = summary([FINE, WARNED, WARNED])
    assert result is not None
    assert result.status is Status.WARNING
    assert [finding.detail for finding in result.findings] == [
        "evidence [1]: debug",
        "evidence [2]: debug",
    ]
    affirmed = summary([FINE, FINE])
    assert affirmed is not None
    assert affirmed.status is Status.AFFIRMING


def test_without_a_policy_there_is_no_result() -> None:
    assert summary([None, None]) is None
