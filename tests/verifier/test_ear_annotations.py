"""What an attestation result repeats of its attester's words, and where else it may say no."""

from __future__ import annotations

import pytest
from wasmtime_attestation.wit import Status, TeeType

from tests.fakes.jose import Members
from tests.fakes.trustee import current, former
from tests.verifier.service_verification import verify
from tests.verifier.test_ear import ISSUERS, refused, sign


def test_the_former_generation_may_state_a_status_for_the_whole_too() -> None:
    assert refused(former() | {"ear_status": "contraindicated"})[0] == "ear.profile"
    assert refused(current() | {"ear.status": "contraindicated"})[0] == "ear.profile"
    verdict = verify(sign(former() | {"ear.status": "contraindicated"}), issuers=ISSUERS)
    assert verdict.status is Status.CONTRAINDICATED


@pytest.mark.parametrize(
    "beside",
    [{"measurement": "cd" * 48}, {"quote": {"body": {"measurement": "cd" * 48}}}],
    ids=["plain", "in-a-quote"],
)
@pytest.mark.parametrize("tee", ["azsnpvtpm", "snp"])
def test_what_an_attester_says_beside_its_evidence_is_no_measurement(
    tee: str, beside: Members
) -> None:
    """Runtime and init data are the attester's own words, which Trustee repeats."""
    claims = former()
    claims["submods"]["cpu0"]["ear.veraison.annotated-evidence"] = {
        "aaa": beside,
        tee: {"measurement": "ab" * 48},
        "init_data_claims": beside | {"host_data": "cd" * 32},
        "runtime_data_claims": beside,
    }
    (machine,) = verify(sign(claims), issuers=ISSUERS).environments
    assert machine.tee_type is TeeType.AMD_SEV_SNP
    assert machine.measurements == {"measurement": "ab" * 48}


def test_simulated_evidence_does_not_hide_behind_other_evidence() -> None:
    claims = former()
    evidence = claims["submods"]["cpu0"]["ear.veraison.annotated-evidence"]
    evidence["sample"] = {"svn": "1"}
    verdict = verify(sign(claims), issuers=ISSUERS)
    assert (verdict.tee_type, verdict.status) == (TeeType.SIMULATED, Status.CONTRAINDICATED)
