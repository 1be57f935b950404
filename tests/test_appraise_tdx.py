"""Appraisal of TDX: each setting refuses what it should, and accepts the rest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from wasmtime_attestation.appraisal import appraise
from wasmtime_attestation.appraisal.findings import FINDINGS
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.endorsements.intel import TcbStatus
from wasmtime_attestation.errors import InvalidArgumentError, PolicyError
from wasmtime_attestation.policy import HARDWARE_ONLY, AppraisalPolicy, load
from wasmtime_attestation.policy.learn import Known, learn
from wasmtime_attestation.policy.tdx import TdxPolicy
from wasmtime_attestation.verifier.intel_collateral import LISTS
from wasmtime_attestation.wit import Status, TeeType

from tests.fakes.intel import (
    AT,
    PLATFORM,
    PLATFORM_15,
    TCB_INFO,
    Collateral,
    Platform,
    changed,
    level,
)
from tests.verifier.tdx_verification import verify

WAIVER = b"[tdx]\nunsafe-allow-missing-revocation-lists = true"
DEBUG, MIGRATABLE, SEPT_VE = 1, 1 << 29, 1 << 28
EXTENDED = replace(PLATFORM_15, body_type=4)
OLDER_NOW = replace(PLATFORM_15, tee_tcb_svn_2=bytes([4, 1, 3]) + bytes(13))
OUT_OF_DATE = replace(PLATFORM, components=bytes([4] * 8 + [0] * 8))


def claims(platform: Platform = PLATFORM, **fields: Any) -> Claims:  # noqa: ANN401
    return verify(platform.quote(**fields), Collateral(platform).endorsements()).claims


def with_attributes(bits: int) -> Claims:
    return claims(td_attributes=bits.to_bytes(8, "little"))


def revoked() -> Claims:
    info = changed(TCB_INFO, tcbLevels=[level("Revoked")])
    return verify(PLATFORM.quote(), Collateral(PLATFORM, tcb_info=info).endorsements()).claims


def without_lists() -> Claims:
    bare = Collateral(PLATFORM, without=frozenset({"root_crl", "pck_crl"})).endorsements()
    return verify(PLATFORM.quote(), bare.waiving(LISTS)).claims


def policy(tdx: TdxPolicy) -> AppraisalPolicy:
    return AppraisalPolicy("any", frozenset({TeeType.INTEL_TDX}), tdx=tdx)


def findings(of: Claims, under: AppraisalPolicy | TdxPolicy) -> list[str]:
    """Returns the checks that failed; each must be one that is documented."""
    if isinstance(under, TdxPolicy):
        under = policy(under)
    with pytest.raises(PolicyError) as caught:
        appraise(of, under, at=AT, guest_digest=None)
    checks = [finding.check for finding in caught.value.findings]
    assert set(checks) <= FINDINGS.keys()
    return checks


def warnings(of: Claims, under: AppraisalPolicy) -> set[str]:
    result = appraise(of, under, at=AT, guest_digest=None)
    return {finding.check for finding in result.findings} - {"policy.measurement"}


def test_an_empty_policy_denies() -> None:
    assert findings(claims(), load("empty", b"schema = 1")) == ["policy.accept"]


def test_the_defaults_accept_a_platform_that_is_up_to_date() -> None:
    result = appraise(claims(), policy(TdxPolicy()), at=AT, guest_digest=None)
    assert result.status is Status.AFFIRMING


@pytest.mark.parametrize(
    ("of", "check"),
    [
        (with_attributes(DEBUG | SEPT_VE), "policy.debug"),
        (with_attributes(1 << 7 | SEPT_VE), "policy.debug"),
        (with_attributes(MIGRATABLE | SEPT_VE), "policy.migration"),
        (with_attributes(0), "policy.sept-ve-disable"),
        (claims(PLATFORM_15, mrservicetd=b"\1" * 48), "policy.service-td"),
        (claims(EXTENDED, init_hash=b"\1" * 48), "policy.service-td"),
        (claims(EXTENDED, current_hash=b"\1" * 48), "policy.service-td"),
        (claims(OLDER_NOW), "policy.tcb-status"),
        (claims(OUT_OF_DATE), "policy.tcb-status"),
        (with_attributes(1 << 40 | SEPT_VE), "policy.td-attributes"),
        (without_lists(), "policy.revocation"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_defaults_are_on_the_safe_side(of: Claims, check: str) -> None:
    assert findings(of, TdxPolicy()) == [check]


def test_hardware_only() -> None:
    assert findings(with_attributes(DEBUG | SEPT_VE), HARDWARE_ONLY) == ["policy.debug"]
    assert findings(revoked(), HARDWARE_ONLY) == ["policy.tcb-status"]
    assert warnings(claims(), HARDWARE_ONLY) == set()
    assert warnings(claims(OUT_OF_DATE), HARDWARE_ONLY) == {"policy.tcb-status"}
    assert warnings(with_attributes(MIGRATABLE), HARDWARE_ONLY) == {
        "policy.migration",
        "policy.sept-ve-disable",
    }
    assert warnings(claims(PLATFORM_15, mrservicetd=b"\1" * 48), HARDWARE_ONLY) == {
        "policy.service-td"
    }


def test_a_policy_that_does_without_revocation_lists() -> None:
    """It says so to the verifier, and its result says what was not checked."""
    lenient = load("p", b"schema = 1\naccept = ['intel-tdx']\n" + WAIVER)

    assert set(lenient.waived) == {"intel.root-crl", "intel.pck-crl"}
    assert warnings(without_lists(), lenient) == {"policy.revocation"}
    assert warnings(claims(), lenient) == set()
    assert HARDWARE_ONLY.waived == ()
    assert findings(without_lists(), HARDWARE_ONLY) == ["policy.revocation"]


def test_bits_without_a_name_are_a_warning_of_hardware_only() -> None:
    unnamed = with_attributes(1 << 40 | SEPT_VE)

    assert warnings(unnamed, HARDWARE_ONLY) == {"policy.td-attributes"}
    allowed = policy(TdxPolicy(allow_reserved_attributes=True))
    assert warnings(unnamed, allowed) == {"policy.td-attributes"}
    # LASS, ICSSD and TPA have names.
    named = with_attributes(1 << 16 | 1 << 27 | 1 << 62 | SEPT_VE)
    assert warnings(named, policy(TdxPolicy())) == set()


def test_what_a_policy_allows_it_warns_of() -> None:
    allowed = policy(TdxPolicy(unsafe_allow_debug=True))

    assert warnings(with_attributes(DEBUG | SEPT_VE), allowed) == {"policy.debug"}


def test_advisories_and_evaluations() -> None:
    out_of_date = frozenset({TcbStatus.OUT_OF_DATE})
    denied = TdxPolicy(out_of_date, denied_advisories=frozenset({"INTEL-SA-00960"}))
    other = TdxPolicy(out_of_date, denied_advisories=frozenset({"INTEL-SA-00001"}))

    assert findings(claims(OUT_OF_DATE), denied) == ["policy.advisory"]
    assert warnings(claims(OUT_OF_DATE), policy(other)) == {"policy.tcb-status"}
    assert findings(claims(), TdxPolicy(minimum_evaluation=18)) == ["policy.tcb-evaluation"]
    assert warnings(claims(), policy(TdxPolicy(minimum_evaluation=17))) == set()


SIZES = {"xfam": 8, "fmspc": 6}
REGISTERS = ["mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3", "mrseam", "mrconfigid"]
REGISTERS += ["mrowner", "mrownerconfig", "mrservicetd", "xfam", "fmspc"]


@pytest.mark.parametrize("name", REGISTERS)
def test_reference_values(name: str) -> None:
    of = claims(PLATFORM_15)
    members = of.to_json()["intel-tdx"]
    assert isinstance(members, dict)
    pck = members["pck"]
    assert isinstance(pck, dict)
    actual = bytes.fromhex(str(pck[name] if name == "fmspc" else members[name]))
    other = b"\x5a" * SIZES.get(name, 48)

    for accepted in (frozenset[bytes](), frozenset({other})):
        assert findings(of, TdxPolicy(**{name: accepted})) == [f"policy.{name}"]  # type: ignore[arg-type]
    assert warnings(of, policy(TdxPolicy(**{name: frozenset({other, actual})}))) == set()  # type: ignore[arg-type]


def test_mrservicetd_does_not_exist_in_tdx_10() -> None:
    assert findings(claims(), TdxPolicy(mrservicetd=frozenset({bytes(48)}))) == [
        "policy.mrservicetd"
    ]


def test_a_policy_for_snp_says_nothing_of_tdx_software() -> None:
    snp = load("p", b"schema = 1\n[snp]\nmeasurements = []")
    tdx = load("p", b"schema = 1\n[tdx]\nmrtd = []")

    for loaded, platform in ((snp, TeeType.AMD_SEV_SNP), (tdx, TeeType.INTEL_TDX)):
        others = {TeeType.AMD_SEV_SNP, TeeType.INTEL_TDX} - {platform}
        assert loaded.has_reference_values_for(platform)
        assert not any(map(loaded.has_reference_values_for, others))


def test_every_setting_is_read() -> None:
    lines = [f'{name} = ["{"ab" * SIZES.get(name, 48)}"]' for name in REGISTERS]
    text = "\n".join(
        [
            "schema = 1",
            "[tdx]",
            'tcb-statuses = ["UpToDate", "SWHardeningNeeded"]',
            'denied-advisories = ["INTEL-SA-00837"]',
            "minimum-tcb-evaluation = 17",
            "unsafe-allow-debug = true",
            "allow-migration = true",
            "allow-service-td = true",
            "require-sept-ve-disable = false",
            *lines,
        ]
    )

    values: dict[str, Any] = {
        name: frozenset({b"\xab" * SIZES.get(name, 48)}) for name in REGISTERS
    }
    assert load("p", text.encode()).tdx == TdxPolicy(
        tcb_statuses=frozenset({TcbStatus.UP_TO_DATE, TcbStatus.SW_HARDENING_NEEDED}),
        denied_advisories=frozenset({"INTEL-SA-00837"}),
        minimum_evaluation=17,
        unsafe_allow_debug=True,
        allow_migration=True,
        allow_service_td=True,
        require_sept_ve_disable=False,
        **values,
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('tcb-statuses = ["Up"]', "tdx.tcb-statuses has 'Up'; known are UpToDate"),
        ('mrtd = ["ab"]', "tdx.mrtd has a value that is not 48 bytes of hex"),
        ("allow-debug = true", "unknown setting tdx.allow-debug"),
    ],
)
def test_a_table_that_is_none(line: str, reason: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        load("p", f"schema = 1\n[tdx]\n{line}".encode())
    assert reason in caught.value.message


def test_no_status_at_all_accepts_nothing() -> None:
    none = load("p", b'schema = 1\naccept = ["intel-tdx"]\n[tdx]\ntcb-statuses = []')

    assert findings(claims(), none) == ["policy.tcb-status"]


def test_a_module_that_is_worse_now_than_at_launch_must_be_accepted_too() -> None:
    of = claims(OLDER_NOW)
    both = frozenset({TcbStatus.UP_TO_DATE, TcbStatus.OUT_OF_DATE})

    assert of.details.tcb_status is TcbStatus.UP_TO_DATE  # type: ignore[union-attr]
    with pytest.raises(PolicyError, match=r"as it is now is OutOfDate \(INTEL-SA-01036\)"):
        appraise(of, policy(TdxPolicy()), at=AT, guest_digest=None)
    assert warnings(of, policy(TdxPolicy(both))) == {"policy.tcb-status"}
    denied = TdxPolicy(both, denied_advisories=frozenset({"INTEL-SA-01036"}))
    assert findings(of, denied) == ["policy.advisory"]
    assert findings(of, TdxPolicy(grace_period_days=0)) == ["policy.tcb-status"]
    assert warnings(of, policy(TdxPolicy(grace_period_days=36_500))) == {"policy.tcb-status"}


def test_a_service_td_that_mrservicetd_does_not_name_is_not_named() -> None:
    of = claims(EXTENDED, current_hash=b"\1" * 48)

    assert findings(of, TdxPolicy(mrservicetd=frozenset({bytes(48)}))) == ["policy.service-td"]
    assert warnings(of, policy(TdxPolicy(allow_service_td=True))) == {"policy.service-td"}


@pytest.mark.parametrize(
    ("of", "setting"),
    [
        (claims(OLDER_NOW), "tcb-statuses"),
        (claims(EXTENDED, current_hash=b"\1" * 48), "allow-service-td"),
        (claims(EXTENDED, current_hash=b"\1" * 48, mrservicetd=b"\2" * 48), "mrservicetd"),
        (with_attributes(1 << 20 | SEPT_VE), "allow-reserved-attributes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_learnt_accepts_what_it_was_learnt_from(of: Claims, setting: str) -> None:
    lesson = learn([Known("a quote", of)], AT)

    assert [remark.partition(":")[0] for remark in lesson.review] == [f"tdx.{setting}"]
    appraise(of, load("learnt", lesson.text.encode()), at=AT, guest_digest=None)
