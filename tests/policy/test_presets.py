"""The policies that come with the package, and policies that extend them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from wasmtime_attestation.appraisal import appraise
from wasmtime_attestation.errors import PolicyError
from wasmtime_attestation.policy import HARDWARE_ONLY, PRESETS, AppraisalPolicy, load
from wasmtime_attestation.policy.tdx import TdxPolicy
from wasmtime_attestation.wit import Status, TeeType

from tests.fakes.amd import AT, MILAN
from tests.fakes.certificates import crl
from tests.fakes.intel import PLATFORM, Collateral
from tests.verifier import snp_verification, tdx_verification

STRICT = PRESETS["strict"]
MEASUREMENT = bytes(range(48))
MRTD = "ab" * 48
OURS = f"""
schema = 1
extends = "strict"
[snp]
measurements = ["{MEASUREMENT.hex()}"]
minimum-tcb.Milan = {{boot-loader = 4, snp = 24, microcode = 219}}
[tdx]
mrtd = ["{MRTD}"]
"""


def findings(of: object, policy: AppraisalPolicy) -> list[str]:
    assert isinstance(of, snp_verification.Verified | tdx_verification.Verified)
    with pytest.raises(PolicyError) as caught:
        appraise(of.claims, policy, at=AT, guest_digest=None)
    return [finding.check for finding in caught.value.findings]


def test_hardware_only() -> None:
    assert PRESETS["hardware-only"] is HARDWARE_ONLY
    assert HARDWARE_ONLY.accept == {
        TeeType.AMD_SEV_SNP,
        TeeType.INTEL_TDX,
        TeeType.NVIDIA_GPU,
        TeeType.SIMULATED,
    }
    assert not HARDWARE_ONLY.snp.unsafe_allow_debug
    assert not HARDWARE_ONLY.tdx.unsafe_allow_debug
    assert HARDWARE_ONLY.snp.vmpls == {0}
    assert not HARDWARE_ONLY.has_reference_values_for(TeeType.AMD_SEV_SNP)


@pytest.mark.parametrize("name", PRESETS)
def test_no_preset_is_unsafe(name: str) -> None:
    policy = PRESETS[name]

    assert policy.name == name
    assert not policy.snp.unsafe_allow_debug
    assert not policy.tdx.unsafe_allow_debug


def test_strict_denies_what_has_no_reference_values() -> None:
    ark = MILAN.amd.ark
    endorsements = MILAN.endorsements(crl(ark.certificate, ark.key))
    snp = snp_verification.verify(MILAN.report(), endorsements)
    tdx = tdx_verification.verify(PLATFORM.quote(), Collateral(PLATFORM).endorsements())

    assert findings(snp, STRICT) == ["policy.reference-values", "policy.tcb"]
    assert findings(tdx, STRICT) == ["policy.reference-values"]


def test_strict_wants_amds_revocation_list() -> None:
    snp = snp_verification.verify(MILAN.report(), MILAN.endorsements())

    assert "policy.revocation" in findings(snp, STRICT)


def test_strict_accepts_no_simulation() -> None:
    anchors = snp_verification.AMD.trusting([MILAN.amd.root_fingerprint])
    snp = snp_verification.verify(MILAN.report(), MILAN.chain(), anchors=anchors)

    assert "policy.accept" in findings(snp, STRICT)


def test_what_extends_strict_and_has_reference_values_accepts_them() -> None:
    policy = load("ours", OURS.encode())
    ark = MILAN.amd.ark
    endorsements = MILAN.endorsements(crl(ark.certificate, ark.key))

    known = snp_verification.verify(MILAN.report(measurement=MEASUREMENT), endorsements)
    other = snp_verification.verify(MILAN.report(measurement=bytes(48)), endorsements)
    quote = PLATFORM.quote(mrtd=bytes.fromhex(MRTD))
    td = tdx_verification.verify(quote, Collateral(PLATFORM).endorsements())

    result = appraise(known.claims, policy, at=AT, guest_digest=None)
    assert (result.policy, result.status) == ("ours", Status.AFFIRMING)
    assert findings(other, policy) == ["policy.measurement"]
    assert appraise(td.claims, policy, at=AT, guest_digest=None).status is Status.AFFIRMING


def test_settings_add_to_the_presets_and_replace_them() -> None:
    text = b'schema = 1\nextends = "hardware-only"\naccept = ["intel-tdx"]\n[tdx]\nmrtd = []'

    assert load("ours", text) == replace(
        HARDWARE_ONLY,
        name="ours",
        accept=frozenset({TeeType.INTEL_TDX}),
        tdx=replace(HARDWARE_ONLY.tdx, mrtd=frozenset()),
    )


def test_a_policy_that_extends_nothing_takes_nothing_of_the_presets() -> None:
    assert load("p", b"schema = 1").tdx == TdxPolicy()
