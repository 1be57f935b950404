"""Each check is planned, then settled; nothing is skipped in silence."""

from __future__ import annotations

import pytest
from wasmtime_attestation.checks import CHECKS, Check, Ledger, Outcome
from wasmtime_attestation.errors import Finding, RejectedError, UnavailableError

from tests import vectors
from tests.fakes.amd import MILAN
from tests.verifier.snp_verification import AMD, verify


def test_checks_come_in_the_order_in_which_they_were_planned() -> None:
    ledger = Ledger()
    ledger.plan(["snp.format", "snp.signer", "amd.vek"])
    ledger.passed("snp.signer", "it is there")
    ledger.not_checked("snp.format", "nobody asked")

    assert ledger.checks == (
        Check("snp.format", Outcome.NOT_CHECKED, "nobody asked"),
        Check("snp.signer", Outcome.PASSED, "it is there"),
        Check("amd.vek", Outcome.NOT_CHECKED, "not reached: an earlier check failed"),
    )


def test_a_rejection_is_recorded_and_raised() -> None:
    ledger = Ledger()
    with pytest.raises(RejectedError) as caught:
        ledger.reject("snp.tcb", "too old")

    assert caught.value.findings == (Finding("snp.tcb", "too old"),)
    assert caught.value.exit_code == 4
    assert ledger.checks == (Check("snp.tcb", Outcome.FAILED, "too old"),)


def test_what_is_unavailable_was_not_checked() -> None:
    ledger = Ledger()
    with pytest.raises(UnavailableError, match=r"amd\.ask: the ARK is missing") as caught:
        ledger.unavailable("amd.ask", "the ARK is missing")

    assert caught.value.exit_code == 6
    assert ledger.checks == (Check("amd.ask", Outcome.NOT_CHECKED, "the ARK is missing"),)


def test_somebody_elses_failure_can_be_recorded() -> None:
    ledger = Ledger()
    ledger.record(Finding("snp.format", "too short"))

    assert ledger.checks == (Check("snp.format", Outcome.FAILED, "too short"),)


def test_a_check_that_is_not_documented_is_a_mistake_of_ours() -> None:
    ledger = Ledger()
    with pytest.raises(ValueError, match=r"snp\.luck"):
        ledger.plan(["snp.format", "snp.luck"])
    with pytest.raises(ValueError, match=r"snp\.luck"):
        ledger.passed("snp.luck", "")
    with pytest.raises(ValueError, match=r"snp\.luck"):
        ledger.reject("snp.luck", "")
    assert ledger.checks == ()


def test_after_a_failure_the_rest_is_reported_as_not_reached() -> None:
    vector, ledger = vectors.MILAN_V3, Ledger()
    with pytest.raises(RejectedError):
        verify(vector.report(), MILAN.chain(), at=vectors.AT, anchors=AMD, ledger=ledger)

    outcomes = {check.id: check.outcome for check in ledger.checks}
    assert outcomes["amd.ark"] is Outcome.FAILED
    for check in ("snp.signature", "snp.tcb", "snp.chip-id", "evidence.binding"):
        assert outcomes[check] is Outcome.NOT_CHECKED


def test_every_check_says_what_it_establishes() -> None:
    for check, rule in CHECKS.items():
        assert check.count(".") == 1
        assert rule.requirement.endswith(".")
