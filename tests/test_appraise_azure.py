"""Appraisal of Azure confidential VMs: each setting refuses what it should, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from wasmtime_attestation.appraisal import appraise
from wasmtime_attestation.appraisal.findings import FINDINGS
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.errors import InvalidArgumentError, PolicyError
from wasmtime_attestation.evidence.envelope import Evidence
from wasmtime_attestation.policy import AZURE_CVM, HARDWARE_ONLY, PRESETS, AppraisalPolicy, load
from wasmtime_attestation.policy.learn import Known, learn
from wasmtime_attestation.wit import Status, TeeType

from tests.fakes import amd
from tests.fakes.azure import (
    CONFIGURATION,
    PCRS,
    SNP,
    SNP_SIZE,
    TDX,
    VMS,
    ConfidentialVm,
    attest,
)
from tests.verifier import azure_verification, snp_verification

MEASUREMENT = amd.MILAN.report()[0x90:0xC0]
VM_ID = str(CONFIGURATION["vmUniqueId"])


def claims(
    vm: ConfidentialVm = SNP, *, quoted: bool = True, stated: Mapping[str, object] | None = None
) -> Claims:
    vm = replace(vm, configuration={**CONFIGURATION, **(stated or {})})
    if quoted:
        return azure_verification.verify(vm=vm).claims
    evidence = vm.evidence(message=None)
    return azure_verification.verify(evidence, vm, nonce=None).claims


def policy(text: str) -> AppraisalPolicy:
    head = 'schema = 1\naccept = ["amd-sev-snp", "intel-tdx"]\n[azure]\n'
    return load("any", f"{head}{text}".encode())


def found(actual: Claims, accepted: AppraisalPolicy) -> list[str]:
    """Returns the findings; they must be documented."""
    try:
        appraise(actual, accepted, at=amd.AT, guest_digest=None)
    except PolicyError as error:
        names = [finding.check for finding in error.findings]
    else:
        names = []
    assert set(names) <= FINDINGS.keys()
    return names


@pytest.mark.parametrize("vm", VMS, ids=["snp", "tdx", "tdx-1.5"])
@pytest.mark.parametrize("preset", [HARDWARE_ONLY, AZURE_CVM], ids=["hardware-only", "azure-cvm"])
def test_presets_accept(vm: ConfidentialVm, preset: AppraisalPolicy) -> None:
    result = appraise(claims(vm), preset, at=amd.AT, guest_digest=None)
    assert result.status is Status.AFFIRMING
    assert [f.check for f in result.findings] == ["policy.measurement"]


def test_what_hardware_only_says_of_a_report_without_a_quote() -> None:
    result = appraise(claims(quoted=False), HARDWARE_ONLY, at=amd.AT, guest_digest=None)
    assert result.status is Status.WARNING
    assert "policy.tpm-quote" in [f.check for f in result.findings]


def test_what_azure_cvm_refuses() -> None:
    bare = snp_verification.verify(amd.MILAN.report(), amd.MILAN.chain()).claims
    assert found(bare, AZURE_CVM) == ["policy.azure"]
    assert found(claims(quoted=False), AZURE_CVM) == ["policy.tpm-quote"]
    assert found(claims(stated={"secure-boot": False}), AZURE_CVM) == ["policy.secure-boot"]


@pytest.mark.parametrize("said", [False, None, "true", 1])
def test_secure_boot_is_true_and_nothing_else(said: object) -> None:
    strict = policy("require-secure-boot = true")
    assert found(claims(stated={"secure-boot": said}), strict) == ["policy.secure-boot"]
    assert found(claims(), strict) == []


@pytest.mark.parametrize("said", [True, None, "false", 0])
def test_a_console_is_there_unless_it_is_denied(said: object) -> None:
    strict = policy("allow-console = false")
    assert found(claims(stated={"console-enabled": said}), strict) == ["policy.console"]
    assert found(claims(stated={"console-enabled": False}), strict) == []


def test_ids_of_vms() -> None:
    for text in (VM_ID, VM_ID.lower()):
        assert found(claims(), policy(f'vm-ids = ["x", "{text}"]')) == []
    for text in ("", '"x"'):
        assert found(claims(), policy(f"vm-ids = [{text}]")) == ["policy.vm-id"]
    for other in (None, 5, "x"):
        strict = policy(f'vm-ids = ["{VM_ID}"]')
        assert found(claims(stated={"vmUniqueId": other}), strict) == ["policy.vm-id"]


def test_pcrs() -> None:
    good, bad = PCRS[4].hex(), "00" * 32
    assert found(claims(), policy(f'pcrs.4 = ["{bad}", "{good}"]')) == []
    assert found(claims(), policy(f'pcrs.4 = ["{bad}"]\npcrs.7 = []')) == ["policy.pcrs"] * 2
    assert found(claims(), policy(f'pcrs.5 = ["{good}"]')) == ["policy.pcrs"]


def test_pcrs_that_were_not_quoted() -> None:
    strict = policy(f'pcrs.4 = ["{PCRS[4].hex()}"]\nrequire-tpm-quote = false')
    assert found(claims(quoted=False), strict) == ["policy.pcrs"]


def test_a_quote_is_required_unless_the_policy_says_otherwise() -> None:
    assert found(claims(quoted=False), policy("")) == ["policy.tpm-quote"]
    assert found(claims(quoted=False), policy("require-tpm-quote = false")) == []


@pytest.mark.parametrize(
    "text",
    [
        f'pcrs.4 = ["{PCRS[4].hex()}"]',
        "require-secure-boot = true",
        "allow-console = false",
        f'vm-ids = ["{VM_ID}"]',
        "required = true",
    ],
)
def test_other_evidence_does_not_slip_past_what_is_demanded(text: str) -> None:
    bare = snp_verification.verify(amd.MILAN.report(), amd.MILAN.chain()).claims
    assert found(bare, policy(text)) == ["policy.azure"]
    if "required" not in text:
        assert found(bare, policy(f"{text}\nrequired = false")) == []
    assert found(bare, policy("")) == []


@pytest.mark.parametrize("preset", ["strict", "hardware-only", "azure-cvm"])
@pytest.mark.parametrize(
    "demand", [f'pcrs.4 = ["{PCRS[4].hex()}"]', f'vm-ids = ["{VM_ID}"]', "allow-console = false"]
)
def test_a_hardware_report_taken_out_of_an_hcl_report(preset: str, demand: str) -> None:
    """It has the paravisor's measurement, and says nothing of the guest."""
    report = SNP.report()[32 : 32 + SNP_SIZE]
    bare = snp_verification.verify(report, amd.MILAN.chain()).claims
    head = f'schema = 1\nextends = "{preset}"\n[snp]\nmeasurements = ["{MEASUREMENT.hex()}"]\n'
    rest = "require-revocation-check = false\n[snp.minimum-tcb.Milan]\n"
    text = f"{head}{rest}[azure]\n{demand}\n"

    strict = load("any", text.encode())
    assert found(bare, strict) == ["policy.azure"]
    if "pcrs" in demand:
        assert found(claims(), strict) == []
    assert found(bare, load("any", f"{text}required = false\n".encode())) == []


def test_strict_alone_demands_nothing_of_other_evidence() -> None:
    assert not PRESETS["strict"].azure.required
    quote = load("any", b'schema = 1\nextends = "strict"\n[azure]\nrequire-tpm-quote = false\n')
    assert not quote.azure.required


def test_the_hardwares_own_settings_count_too() -> None:
    strict = load(
        "any",
        b'schema = 1\naccept = ["amd-sev-snp"]\n[snp]\nmeasurements = []\nallow-smt = false\n',
    )
    assert found(claims(), strict) == ["policy.smt", "policy.measurement"]
    assert found(claims(TDX), strict) == ["policy.accept"]


def test_reference_values_are_those_of_paravisor_and_guest() -> None:
    measured = f'[snp]\nmeasurements = ["{"ab" * 48}"]\n'
    pcrs = f'[azure.pcrs]\n4 = ["{"ab" * 32}"]\n'
    head = 'schema = 1\naccept = ["amd-sev-snp"]\n'
    for text, expected in ((measured, False), (pcrs, False), (measured + pcrs, True)):
        loaded = load("any", (head + text).encode())
        assert loaded.has_reference_values_for(TeeType.AMD_SEV_SNP, paravisor=True) is expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("pcrs.24 = []", "unknown setting azure.pcrs.24"),
        ("pcrs.04 = []", "unknown setting azure.pcrs.04"),
        ('pcrs.4 = ["ab"]', "azure.pcrs.4 has a value that is not 32 bytes"),
        ("pcrs = []", "azure.pcrs must be a table"),
        ("required = 1", "azure.required must be true or false"),
        ('vm-ids = "x"', "azure.vm-ids must be a list"),
        ("secure-boot = true", "unknown setting azure.secure-boot"),
    ],
)
def test_settings_that_are_none(text: str, reason: str) -> None:
    with pytest.raises(InvalidArgumentError, match=reason):
        policy(text)


@pytest.mark.parametrize("vm", [SNP, TDX], ids=["snp", "tdx"])
def test_a_policy_that_was_learnt(vm: ConfidentialVm) -> None:
    good = claims(vm)
    lesson = learn([Known("good", good)], amd.AT)
    learnt = load("learnt", lesson.text.encode())

    assert found(good, learnt) == []
    assert learnt.has_reference_values_for(good.platform, paravisor=True)
    assert learnt.azure.pcrs[4] == {PCRS[4]}
    other = azure_verification.verify(vm=vm, evidence=with_pcr(vm, 4)).claims
    assert found(other, learnt) == ["policy.pcrs"]
    # What differs from boot to boot is only suggested.
    assert found(azure_verification.verify(vm=vm, evidence=with_pcr(vm, 10)).claims, learnt) == []
    bare = snp_verification.verify(amd.MILAN.report(), amd.MILAN.chain()).claims
    assert "policy.azure" in found(bare, learnt)


def test_what_weakens_a_policy_that_was_learnt() -> None:
    weak = claims(stated={"secure-boot": False})
    lesson = learn([Known("insecure", weak)], amd.AT)

    assert any("secure boot is off" in remark for remark in lesson.review)
    assert found(weak, load("learnt", lesson.text.encode())) == []


@pytest.mark.parametrize("index", [8, 12, 13])
def test_a_pcr_that_nothing_extended_is_learnt_too(index: int) -> None:
    """What a unified kernel image is given on top shows in PCR 12 or 13 alone."""
    good = azure_verification.verify(with_pcr(SNP, index, bytes(32))).claims
    lesson = learn([Known("good", good)], amd.AT)
    learnt = load("learnt", lesson.text.encode())

    assert found(good, learnt) == []
    extended = azure_verification.verify(with_pcr(SNP, index)).claims
    assert found(extended, learnt) == ["policy.pcrs"]


def test_pcrs_that_were_not_quoted_are_for_review() -> None:
    few = azure_verification.verify(quoting({7: PCRS[7], 10: PCRS[10]})).claims
    lesson = learn([Known("few", few), Known("all", claims())], amd.AT)
    learnt = load("learnt", lesson.text.encode())

    assert learnt.azure.pcrs.keys() == {7}
    assert [r.split(":")[0] for r in lesson.review if r.startswith("azure.pcrs.")] == [
        f"azure.pcrs.{index}" for index in (0, 2, 4, 8, 9, 11, 12, 13, 14)
    ]
    assert lesson.text.count("# REVIEW: ") == len(lesson.review)


@pytest.mark.parametrize("quoted", [None, {}, {10: PCRS[10]}], ids=["none", "empty", "other"])
def test_nothing_is_learnt_without_pcrs_of_the_guest(quoted: Mapping[int, bytes] | None) -> None:
    known = [Known("good", claims())]
    bare = (
        claims(quoted=False)
        if quoted is None
        else azure_verification.verify(quoting(quoted)).claims
    )
    known.append(Known("bare", bare))
    with pytest.raises(PolicyError, match=r"^policy\.tpm-quote: bare: "):
        learn(known, amd.AT)


def test_a_paravisor_is_not_learnt_as_a_guest() -> None:
    """Its measurement would let pass the hardware report alone, without PCRs."""
    bare = snp_verification.verify(amd.MILAN.report(), amd.MILAN.chain()).claims
    with pytest.raises(InvalidArgumentError, match="learn one of each"):
        learn([Known("vm", claims()), Known("bare", bare)], amd.AT)


def test_combinations_of_values_are_for_review() -> None:
    others = [azure_verification.verify(with_pcr(SNP, index)).claims for index in (4, 9)]
    one, two = (learn([Known("a", claims()), *more], amd.AT) for more in (
        [Known("b", others[0])], [Known("b", others[0]), Known("c", others[1])]
    ))  # fmt: skip
    assert not any("seen together" in remark for remark in one.review)
    assert any("together: azure.pcrs.4, azure.pcrs.9" in remark for remark in two.review)
    assert two.text.count("# REVIEW: ") == len(two.review)


def with_pcr(vm: ConfidentialVm, index: int, value: bytes = b"\1" * 32) -> Evidence:
    return quoting({**PCRS, index: value}, vm)


def quoting(pcrs: Mapping[int, bytes], vm: ConfidentialVm = SNP) -> Evidence:
    return vm.evidence(message=attest(pcrs=pcrs), pcrs=pcrs)
