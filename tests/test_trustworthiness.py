"""What an appraisal says in AR4SI's terms; the meaning of the values is that of its draft."""

from __future__ import annotations

from dataclasses import replace

import pytest
from wasmtime_attestation.appraisal import appraise
from wasmtime_attestation.appraisal.trustworthiness import Appraisal, appraisal
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.errors import PolicyError
from wasmtime_attestation.policy import HARDWARE_ONLY, AppraisalPolicy
from wasmtime_attestation.policy.snp import SnpPolicy
from wasmtime_attestation.wit import Status, TeeType

from tests.fakes.amd import AT
from tests.fakes.token import Forger
from tests.verifier.relying_party import verify

HOST = Forger()
MEASUREMENT = bytes(range(48))
ASPECTS = [
    "instance-identity",
    "configuration",
    "executables",
    "file-system",
    "hardware",
    "runtime-opaque",
    "storage-opaque",
    "sourced-data",
]


def claims() -> Claims:
    return verify(HOST.token()).claims[0]


def made(of: Claims, policy: AppraisalPolicy) -> Appraisal:
    try:
        return appraisal(of, policy, appraise(of, policy, at=AT, guest_digest=None))
    except PolicyError as error:
        return appraisal(of, policy, error)


def values(made: Appraisal) -> dict[str, int]:
    return {str(aspect): claim.value for aspect, claim in made.vector.items()}


def accepting(**snp: object) -> AppraisalPolicy:
    return AppraisalPolicy(
        "ours",
        frozenset({TeeType.AMD_SEV_SNP, TeeType.SIMULATED}),
        SnpPolicy(**snp),  # type: ignore[arg-type]
    )


def test_genuine_hardware_with_any_software() -> None:
    found = made(claims(), HARDWARE_ONLY)
    assert list(values(found)) == ASPECTS
    assert values(found) == dict(zip(ASPECTS, (0, 3, 0, 0, 2, 2, 0, 0), strict=True))
    assert all(claim.reason for claim in found.vector.values())
    assert (found.status, found.stated) == (Status.AFFIRMING, Status.AFFIRMING)


def test_software_that_is_a_reference_value() -> None:
    found = made(claims(), accepting(measurements=frozenset({MEASUREMENT})))
    assert values(found)["executables"] == 3


def test_software_that_is_not() -> None:
    found = made(claims(), accepting(measurements=frozenset({bytes(48)})))
    assert values(found)["executables"] == 33
    assert "policy.measurement" in next(
        claim.reason for aspect, claim in found.vector.items() if aspect == "executables"
    )
    assert found.stated is Status.CONTRAINDICATED


@pytest.mark.parametrize(
    ("policy", "aspect", "value"),
    [
        (accepting(chip_ids=frozenset({bytes(64)})), "instance-identity", 97),
        (accepting(host_data=frozenset({b"\xee" * 32})), "configuration", 96),
        (accepting(vmpls=frozenset({3})), "configuration", 96),
        (accepting(require_revocation_check=True), "hardware", 96),
        (AppraisalPolicy("empty"), "hardware", 97),
    ],
)
def test_what_the_policy_refuses(policy: AppraisalPolicy, aspect: str, value: int) -> None:
    found = made(claims(), policy)
    assert values(found)[aspect] == value
    assert (found.status, found.stated) == (Status.CONTRAINDICATED, Status.CONTRAINDICATED)


def test_simulated_evidence_is_contraindicated_whatever_the_policy() -> None:
    found = made(replace(claims(), simulated=True), HARDWARE_ONLY)
    assert values(found)["hardware"] == 97
    assert found.status is Status.WARNING
    assert found.stated is Status.CONTRAINDICATED
    assert "SIMULATED" in str(found.to_json())


def test_debugging_leaves_nothing_opaque_whatever_the_policy() -> None:
    found = made(replace(claims(), debug=True), HARDWARE_ONLY)
    assert values(found)["runtime-opaque"] == 96
    assert found.stated is Status.CONTRAINDICATED
