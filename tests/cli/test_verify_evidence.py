"""`verify` of raw evidence: real reports, and every form in which a report comes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from wasmtime_attestation.endorsements.x509 import der, pem

from tests import vectors
from tests.cli.tool import Outcome, run, run_process
from tests.fakes import certificates
from tests.fakes.amd import MILAN, TURIN

AT = ("--at", "2026-03-01T00:00:00Z")
MILAN_CHAIN, TURIN_CHAIN = "snp/chain_milan_vcek.pem", "snp/chain_turin_vcek.pem"


class Files(NamedTuple):
    """A real report and the files that endorse it."""

    report: str
    vcek: str
    chain: str

    def __str__(self) -> str:
        return Path(self.report).stem


MILAN_V2 = Files("snp/gosev_report_v2_milan.bin", "snp/gosev_vcek_milan.der", MILAN_CHAIN)
MILAN_V3 = Files("snp/ms_report_v3_milan.bin", "snp/ms_vcek_milan.pem", MILAN_CHAIN)
TURIN_V5 = Files("snp/ms_report_v5_turin.bin", "snp/ms_vcek_turin.pem", TURIN_CHAIN)


def endorsed(*names: str) -> list[str]:
    return [part for name in names for part in ("--endorsements", str(vectors.path(name)))]


def verify(files: Files, *options: str) -> Outcome:
    endorsements = endorsed(files.vcek, files.chain)
    return run("verify", vectors.path(files.report), *endorsements, *AT, *options)


def test_milan() -> None:
    outcome = verify(MILAN_V3)
    assert outcome.code == 0
    assert outcome.out.splitlines()[-1] == "result   authentic, NOT APPRAISED"
    for name in ("measurement", "policy", "reported_tcb", "chip_id"):
        assert f"      {name} " in outcome.out
    report = vectors.read(MILAN_V3.report)
    assert report[0x90:0xC0].hex() in outcome.out
    assert report[0x1A0:0x1E0].hex() in outcome.out
    assert outcome.err == ""


def test_turin() -> None:
    outcome = verify(TURIN_V5)
    assert outcome.code == 0
    assert vectors.read(TURIN_V5.report)[0x90:0xC0].hex() in outcome.out


def test_a_machine_that_allows_debugging() -> None:
    outcome = verify(MILAN_V2)
    assert outcome.code == 0
    assert "debug allowed" in outcome.out
    appraised = verify(MILAN_V2, "--policy", "hardware-only")
    assert appraised.code == 5
    assert "CONTRAINDICATED" in appraised.out
    assert appraised.err.startswith("policy: policy.debug: debug allowed")


@pytest.mark.parametrize(
    ("files", "chain"),
    [
        (MILAN_V3, TURIN_CHAIN),
        (MILAN_V3, "snp/chain_genoa_vcek.pem"),
        (MILAN_V3, "snp/chain_milan_vlek.pem"),
        (TURIN_V5, MILAN_CHAIN),
        (MILAN_V2, "snp/chain_genoa_vcek.pem"),
    ],
    ids=str,
)
def test_the_chain_of_another_generation(files: Files, chain: str) -> None:
    vcek = endorsed(files.vcek, chain)
    outcome = run("verify", vectors.path(files.report), *vcek, *AT)
    assert outcome.code == 4
    assert outcome.err.startswith("rejected: amd.vek: SEV-VCEK must be signed by SEV-")


@pytest.mark.parametrize("files", [MILAN_V3, TURIN_V5, MILAN_V2], ids=str)
@pytest.mark.parametrize("options", [(), ("--offline",)])
def test_without_endorsements(files: Files, options: tuple[str, ...]) -> None:
    outcome = run("verify", vectors.path(files.report), *AT, *options)
    assert outcome.code == 6
    assert "the VCEK that signed the report is missing; give it with --endorsements" in outcome.err


def test_with_a_part_of_the_endorsements() -> None:
    report = vectors.path(MILAN_V3.report)
    vcek_alone = run("verify", report, *endorsed(MILAN_V3.vcek), *AT)
    assert vcek_alone.code == 6
    assert "SEV-Milan, which signs SEV-VCEK, is missing" in vcek_alone.err
    chain_alone = run("verify", report, *endorsed(MILAN_CHAIN), *AT)
    assert chain_alone.code == 6


def encodings() -> list[Callable[[bytes], bytes]]:
    return [
        bytes,
        lambda data: data.hex().encode(),
        lambda data: data.hex().upper().encode() + b"\n",
        lambda data: b"\n".join(data[n : n + 32].hex().encode() for n in range(0, len(data), 32)),
        base64.b64encode,
        base64.encodebytes,
        base64.urlsafe_b64encode,
        lambda data: base64.urlsafe_b64encode(data).rstrip(b"="),
    ]


@pytest.mark.parametrize("encode", encodings())
def test_the_forms_of_a_report(encode: Callable[[bytes], bytes], tmp_path: Path) -> None:
    chain = tmp_path / "chain.pem"
    chain.write_bytes(b"".join(map(pem, MILAN.chain())))
    root = tmp_path / "root.pem"
    root.write_bytes(pem(MILAN.amd.ark.certificate))
    options = ("--endorsements", chain, "--trust", root, *AT)
    outcome = run("verify", "-", *options, stdin=encode(MILAN.report()))
    assert outcome.code == 0
    assert outcome.out.splitlines()[-1] == "result   SIMULATED, authentic, NOT APPRAISED"


def test_a_real_report_in_a_process_of_its_own() -> None:
    """The line of the issue, word for word."""
    options = [*endorsed(MILAN_V3.vcek, MILAN_V3.chain), *AT]
    outcome = run_process("verify", vectors.path(MILAN_V3.report), *options)
    assert (outcome.code, outcome.err) == (0, "")
    as_hex = vectors.read(MILAN_V3.report).hex().encode()
    assert run_process("verify", "-", *options, stdin=as_hex).code == 0


def test_endorsements_from_a_folder(tmp_path: Path) -> None:
    for name in (MILAN_V2.vcek, MILAN_V2.chain):  # one in DER, one in PEM
        (tmp_path / Path(name).name).write_bytes(vectors.read(name))
    report = vectors.path(MILAN_V2.report)
    assert run("verify", report, "--endorsements", tmp_path, *AT).code == 0


def test_report_data() -> None:
    report = vectors.read(MILAN_V3.report)
    bound = verify(MILAN_V3, "--report-data", report[0x50:0x90].hex(), "--json")
    assert bound.code == 0
    outcomes = {c["id"]: c["outcome"] for c in json.loads(bound.out)["checks"]}
    assert outcomes["evidence.binding"] == "passed"
    unbound = verify(MILAN_V3, "--json")
    outcomes = {c["id"]: c["outcome"] for c in json.loads(unbound.out)["checks"]}
    assert outcomes["evidence.binding"] == "not-checked"
    wrong = verify(MILAN_V3, "--report-data", "ff" * 64)
    assert wrong.code == 4
    assert wrong.err.startswith("rejected: evidence.binding: ")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--nonce", "00" * 8), "no nonce beside its report data: give --report-data instead"),
        (("--audience", "you"), "--audience and --max-age are for tokens"),
        (("--max-age", "0"), "--audience and --max-age are for tokens"),
    ],
)
def test_a_report_has_no_nonce_audience_or_age(options: tuple[str, str], says: str) -> None:
    outcome = verify(MILAN_V3, *options)
    assert outcome.code == 2
    assert says in outcome.err


def test_a_revocation_list(tmp_path: Path) -> None:
    chain, root, crl = (tmp_path / name for name in ("chain.pem", "root.pem", "crl.der"))
    chain.write_bytes(b"".join(map(pem, TURIN.chain())))
    root.write_bytes(pem(TURIN.amd.ark.certificate))
    report = tmp_path / "report.bin"
    report.write_bytes(TURIN.report())
    options = ("--endorsements", chain, "--endorsements", crl, "--trust", root, *AT)
    ark = TURIN.amd.ark

    crl.write_bytes(der(certificates.crl(ark.certificate, ark.key)))
    assert run("verify", report, *options).code == 0

    revoked = [TURIN.chain()[1].serial_number]
    crl.write_bytes(der(certificates.crl(ark.certificate, ark.key, revoked=revoked)))
    outcome = run("verify", report, *options)
    assert outcome.code == 4
    assert "amd.revocation: AMD revoked" in outcome.err


@pytest.mark.parametrize("size", [0, 1, 4, 1183, 1185, 2000])
def test_bytes_that_are_no_report(size: int) -> None:
    data = vectors.read(MILAN_V3.report).ljust(2000, b"\0")[:size]
    outcome = run("verify", "-", *AT, stdin=data)
    assert outcome.code == 4
    assert outcome.err.split(": ")[1] in {"input.format", "snp.format"}


@pytest.mark.parametrize("data", [b"hello", b"\x89PNG\r\n", b"deadbeef", b"\xff" * 1000])
def test_bytes_that_are_nothing_known(data: bytes) -> None:
    outcome = run("verify", "-", *AT, stdin=data)
    assert outcome.code == 4
    assert "known are evidence tokens, SEV-SNP attestation reports" in outcome.err
