"""Appraisal and time: grace periods, and the age of tokens and of collateral.

TCB dates are those of the miniature Intel: platform levels of 2025-11-12, levels of modules and
Quoting Enclaves of 2025-05-14; collateral is issued ten days before `AT`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from wasmtime_attestation.appraisal import appraise
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.endorsements.intel import TcbStatus
from wasmtime_attestation.errors import PolicyError
from wasmtime_attestation.policy import HARDWARE_ONLY, AppraisalPolicy, load
from wasmtime_attestation.policy.tdx import TdxPolicy
from wasmtime_attestation.wit import Status, TeeType

from tests.fakes.intel import (
    AT,
    ISSUED,
    PLATFORM,
    PLATFORM_15,
    QE_IDENTITY,
    TCB_INFO,
    Collateral,
    changed,
    level,
    svn_level,
)
from tests.verifier.tdx_verification import verify

DAY = timedelta(days=1)
PLATFORM_DATE = datetime(2025, 11, 12, tzinfo=UTC)
QE_DATE = datetime(2025, 5, 14, tzinfo=UTC)


def claims(status: str) -> Claims:
    """Returns claims of a platform whose own level has a status; all else is up to date."""
    info = changed(TCB_INFO, tcbLevels=[level(status, "INTEL-SA-00960")])
    return verify(PLATFORM.quote(), Collateral(PLATFORM, tcb_info=info).endorsements()).claims


def with_old_qe(status: str = "UpToDate") -> Claims:
    info = changed(TCB_INFO, tcbLevels=[level(status)])
    qe = changed(QE_IDENTITY, tcbLevels=[svn_level(4, "OutOfDate")])
    collateral = Collateral(PLATFORM, tcb_info=info, qe_identity=qe)
    return verify(PLATFORM.quote(), collateral.endorsements()).claims


def policy(days: int | None, *statuses: TcbStatus) -> AppraisalPolicy:
    accepted = frozenset(statuses or {TcbStatus.UP_TO_DATE})
    tdx = TdxPolicy(tcb_statuses=accepted, grace_period_days=days)
    return AppraisalPolicy("any", frozenset({TeeType.INTEL_TDX}), tdx=tdx)


def findings(of: Claims, under: AppraisalPolicy, at: datetime = AT) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        appraise(of, under, at=at, guest_digest=None)
    return [f"{finding.check}: {finding.detail}" for finding in caught.value.findings]


def accepts(of: Claims, under: AppraisalPolicy, at: datetime = AT) -> None:
    """Accepted, and with a warning: the platform is out of date all the same."""
    assert appraise(of, under, at=at, guest_digest=None).status is Status.WARNING


def test_a_tcb_that_is_out_of_date_is_accepted_until_its_grace_period_ends() -> None:
    of = claims("OutOfDate")

    accepts(of, policy(90), PLATFORM_DATE + 90 * DAY)
    accepts(of, policy(90), PLATFORM_DATE)
    (finding,) = findings(of, policy(90), PLATFORM_DATE + 90 * DAY + timedelta(seconds=1))
    assert finding == (
        "policy.tcb-status: the TCB status is OutOfDate (INTEL-SA-00960); the grace period, "
        "90 days, ended 2026-02-10"
    )


def test_without_a_grace_period_only_the_statuses_count() -> None:
    assert findings(claims("OutOfDate"), policy(None), PLATFORM_DATE)
    accepts(claims("OutOfDate"), policy(None, TcbStatus.OUT_OF_DATE), AT + 10_000 * DAY)


def test_a_grace_period_ends_for_a_status_that_is_listed_too() -> None:
    """Intel's meaning: who lists OutOfDate and gives a period does not mean for ever."""
    under = policy(30, TcbStatus.UP_TO_DATE, TcbStatus.OUT_OF_DATE)

    accepts(claims("OutOfDate"), under, PLATFORM_DATE + 30 * DAY)
    assert findings(claims("OutOfDate"), under, PLATFORM_DATE + 31 * DAY)
    assert findings(claims("OutOfDate"), policy(0, TcbStatus.OUT_OF_DATE))


def test_the_oldest_part_that_is_out_of_date_counts_and_no_other() -> None:
    """A part that is up to date may be of any age."""
    accepts(with_old_qe(), policy(10), QE_DATE + 10 * DAY)
    assert findings(with_old_qe(), policy(10), QE_DATE + 11 * DAY)
    both = with_old_qe("OutOfDate")
    assert findings(both, policy(10), PLATFORM_DATE)
    accepts(claims("OutOfDate"), policy(10), PLATFORM_DATE + 10 * DAY)


@pytest.mark.parametrize("status", ["SWHardeningNeeded", "ConfigurationNeeded", "Revoked"])
def test_a_grace_period_is_for_nothing_but_what_is_out_of_date(status: str) -> None:
    assert findings(claims(status), policy(36_500), PLATFORM_DATE)


def test_a_configuration_that_is_needed_stays_needed_in_a_grace_period() -> None:
    of = claims("OutOfDateConfigurationNeeded")

    (finding,) = findings(of, policy(36_500))
    assert "not accepted in a grace period" in finding
    accepts(of, policy(36_500, TcbStatus.CONFIGURATION_NEEDED))
    accepts(of, policy(36_500, TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED))


def test_a_relaunch_that_is_advised_counts_as_out_of_date() -> None:
    current = PLATFORM_15.body()[:16]
    quote = PLATFORM_15.quote(tee_tcb_svn=bytes([4, *current[1:]]), tee_tcb_svn_2=current)
    of = verify(quote, Collateral(PLATFORM_15).endorsements()).claims
    assert of.to_json()["intel-tdx"]["tcb_status"] == "TDRelaunchAdvised"  # type: ignore[index, call-overload]

    assert findings(of, policy(None))
    accepts(of, policy(10), QE_DATE + 10 * DAY)
    assert findings(of, policy(10), QE_DATE + 11 * DAY)


def test_the_age_of_collateral() -> None:
    ten_days = replace(policy(None), tdx=TdxPolicy(maximum_collateral_age=10 * 24 * 3600))

    appraise(verify(PLATFORM.quote()).claims, ten_days, at=AT, guest_digest=None)
    assert ISSUED + 10 * DAY == AT
    assert findings(verify(PLATFORM.quote()).claims, ten_days, AT + timedelta(seconds=1)) == [
        "policy.collateral-age: the collateral is 864001 s old; at most 864000"
    ]


def test_the_age_of_a_token() -> None:
    of, at = verify(PLATFORM.quote()).claims, int(AT.timestamp())
    under = replace(HARDWARE_ONLY, maximum_age=60)

    appraise(of, under, at=AT, guest_digest=None, issuer="a", issued_at=at - 60)
    with pytest.raises(PolicyError, match=r"policy\.age: the token is 61 s old; at most 60"):
        appraise(of, under, at=AT, guest_digest=None, issuer="a", issued_at=at - 61)
    assert findings(of, under) == ["policy.age: raw evidence does not say when it was made"]


def test_issuers() -> None:
    of = verify(PLATFORM.quote()).claims
    under = load("p", b'schema = 1\nextends = "hardware-only"\nissuers = ["urn:us"]')
    nobody = replace(under, issuers=frozenset())

    appraise(of, under, at=AT, guest_digest=None, issuer="urn:us", issued_at=0)
    for issuer in ("urn:them", "urn:us/", "URN:US", ""):
        with pytest.raises(PolicyError, match=r"policy\.issuer: "):
            appraise(of, under, at=AT, guest_digest=None, issuer=issuer, issued_at=0)
    with pytest.raises(PolicyError, match=r"policy\.issuer: "):
        appraise(of, nobody, at=AT, guest_digest=None, issuer="urn:us", issued_at=0)
    assert findings(of, under) == [
        "policy.issuer: raw evidence has no issuer, and the policy names some"
    ]
