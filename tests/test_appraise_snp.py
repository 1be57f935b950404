"""Appraisal of what a SEV-SNP report says of its machine, its launch and its guest's policy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from wasmtime_attestation.appraisal import appraise
from wasmtime_attestation.appraisal.findings import FINDINGS
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.errors import PolicyError
from wasmtime_attestation.evidence.snp_fields import ProductLine, TcbVersion
from wasmtime_attestation.policy import AppraisalPolicy, load
from wasmtime_attestation.policy.snp import MinimumTcb, SnpPolicy
from wasmtime_attestation.wit import Status, TeeType

from tests.fakes.amd import AT, MILAN, TURIN, TURIN_VLEK, VLEK, Machine, encode_tcb
from tests.verifier.snp_verification import verify

# AMD 56860, table "PLATFORM_INFO": bits 0 to 5 and 7.
PLATFORM_INFO = {
    "smt-enabled": 0,
    "tsme-enabled": 1,
    "ecc-enabled": 2,
    "rapl-disabled": 3,
    "ciphertext-hiding-enabled": 4,
    "alias-check-complete": 5,
    "tio-enabled": 7,
}
# Table "Guest Policy".
GUEST_POLICY = {
    "single-socket-only": 20,
    "aes-256-xts-required": 22,
    "rapl-disabled": 23,
    "ciphertext-hiding-required": 24,
    "page-swap-disabled": 25,
}
OLDER = encode_tcb(TcbVersion(boot_loader=3, tee=0, snp=20, microcode=200))
MINIMUM = {ProductLine.MILAN: MinimumTcb(boot_loader=4, tee=0, snp=24, microcode=219)}


def claims(machine: Machine = MILAN, **fields: Any) -> Claims:  # noqa: ANN401
    return verify(machine.report(**fields), machine.chain()).claims


def policy(text: str) -> AppraisalPolicy:
    return load("p", f"schema = 1\naccept = ['amd-sev-snp']\n[snp]\n{text}".encode())


def findings(of: Claims, under: AppraisalPolicy | SnpPolicy) -> list[str]:
    """Returns what is refused; each finding is documented."""
    if isinstance(under, SnpPolicy):
        under = AppraisalPolicy("any", frozenset({TeeType.AMD_SEV_SNP}), under)
    try:
        assert appraise(of, under, at=AT, guest_digest=None).status is Status.AFFIRMING
    except PolicyError as error:
        found = [finding.check for finding in error.findings]
        assert set(found) <= FINDINGS.keys()
        return found
    return []


@pytest.mark.parametrize(("name", "bit"), PLATFORM_INFO.items())
def test_what_the_machine_must_and_must_not_be(name: str, bit: int) -> None:
    is_set, clear = claims(platform_info=1 << bit), claims(platform_info=0xBF & ~(1 << bit))
    required, denied = (
        policy(f"{setting}-platform-info = ['{name}']") for setting in ("required", "denied")
    )

    assert findings(is_set, required) == []
    assert findings(clear, required) == ["policy.platform-info"]
    assert findings(is_set, denied) == ["policy.platform-info"]
    assert findings(clear, denied) == []


@pytest.mark.parametrize(("name", "bit"), GUEST_POLICY.items())
def test_what_the_guest_must_forbid(name: str, bit: int) -> None:
    always = 1 << 17
    required = policy(f"required-guest-policy = ['{name}']")

    assert findings(claims(policy=always | 1 << bit), required) == []
    assert findings(claims(policy=always | 0x3D00000 & ~(1 << bit)), required) == [
        "policy.guest-policy"
    ]


def test_the_firmware_at_launch() -> None:
    launched = claims(launch_tcb=OLDER)

    assert findings(launched, SnpPolicy(minimum_tcb=MINIMUM)) == []
    assert findings(launched, SnpPolicy(minimum_launch_tcb=MINIMUM)) == ["policy.launch-tcb"] * 3
    assert findings(claims(), SnpPolicy(minimum_launch_tcb=MINIMUM)) == []
    assert findings(claims(TURIN), SnpPolicy(minimum_launch_tcb=MINIMUM)) == ["policy.launch-tcb"]


def test_firmware_that_can_be_rolled_back() -> None:
    provisional = claims(committed_tcb=OLDER)
    build = claims(current_build=3, committed_build=2)
    strict = SnpPolicy(allow_provisional_firmware=False)

    assert findings(provisional, SnpPolicy()) == []
    assert findings(provisional, strict) == ["policy.provisional-firmware"]
    assert findings(build, strict) == ["policy.provisional-firmware"]
    assert findings(claims(), strict) == []
    below = SnpPolicy(minimum_committed_tcb=MINIMUM)
    assert findings(provisional, below) == ["policy.committed-tcb"] * 3
    assert findings(claims(), below) == []


@pytest.mark.parametrize("which", ["launch", "current"])
def test_mitigations(which: str) -> None:
    required = policy(f"required-{which}-mitigations = 0b101")
    field = f"{which}_mit_vector"

    for vector, found in ((0b101, 0), (0b111, 0), (0b100, 1), (0b010, 1), (0, 1)):
        expected = ["policy.mitigations"] * found
        assert findings(claims(TURIN, **{field: vector}), required) == expected
    other = "current" if which == "launch" else "launch"
    assert findings(claims(TURIN, **{f"{other}_mit_vector": 0xFF}), required)
    # Reports before version 5 do not say.
    assert findings(claims(MILAN), required) == ["policy.mitigations"]


def test_ids_that_the_guests_owner_chose() -> None:
    of = claims(family_id=b"\1" * 16, image_id=b"\2" * 16)

    both = policy(f"family-ids = ['{'01' * 16}']\nimage-ids = ['{'02' * 16}']")
    assert findings(of, both) == []
    assert findings(claims(), both) == ["policy.family-id", "policy.image-id"]


def test_the_cloud_provider() -> None:
    ours = policy("csp-ids = ['Cloud']")

    assert findings(claims(VLEK), ours) == []
    assert findings(claims(TURIN_VLEK), ours) == []
    assert findings(claims(VLEK), policy("csp-ids = ['Another', 'cloud']")) == ["policy.csp-id"]
    assert findings(claims(MILAN), ours) == ["policy.csp-id"]


def test_an_id_block_and_its_author() -> None:
    """The digests of the keys that signed the launch; all zero where nobody did."""
    of = claims(id_key_digest=b"\5" * 48, author_key_digest=b"\6" * 48, key_information=1)

    demanded = policy(f"id-key-digests = ['{'05' * 48}']\nauthor-key-digests = ['{'06' * 48}']")
    assert findings(of, demanded) == []
    assert findings(claims(), demanded) == ["policy.id-key-digest", "policy.author-key-digest"]
    members = of.to_json()["amd-sev-snp"]
    assert isinstance(members, dict)
    assert members["id_key_digest"] == "05" * 48
    assert members["author_key_enabled"] is True


def test_a_minimum_of_one_line_refuses_the_others_by_check() -> None:
    turin = {ProductLine.TURIN: replace(MINIMUM[ProductLine.MILAN], fmc=1)}
    under = SnpPolicy(minimum_tcb=turin, minimum_committed_tcb=turin)

    assert findings(claims(), under) == ["policy.tcb", "policy.committed-tcb"]
