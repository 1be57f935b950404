"""Evidence of real machines, and a mirror that has what real vendors served for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests import vectors
from tests.cli.test_verify_evidence import AT, MILAN_V2, MILAN_V3, TURIN_V5, Files
from tests.cli.test_verify_tdx import AT_E1
from tests.cli.tool import run
from tests.emulation.vendors import Vendors
from tests.emulation.web import WebRequest, answer

Mirror = Callable[[Mapping[str, bytes]], Vendors]


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mirror:
    """Serves answers by target, and nothing else."""

    def make(answers: Mapping[str, bytes]) -> Vendors:
        def override(request: WebRequest) -> bytes:
            return answers.get(request.target, answer("404 Not Found"))

        vendors = Vendors(tmp_path, override=override)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        for name, value in vendors.environment().items():
            monkeypatch.setenv(name, value)
        return vendors

    return make


def as_der(data: bytes) -> bytes:
    """Returns a certificate as KDS serves it."""
    if data.startswith(b"-----"):
        return x509.load_pem_x509_certificate(data).public_bytes(Encoding.DER)
    return data


# AMD 57230: chip id and TCB stand at 0x1a0 and 0x180 of the report; Turin has 8 bytes and FMC.
@pytest.mark.parametrize("files", [MILAN_V2, MILAN_V3, TURIN_V5], ids=str)
def test_a_snp_report(files: Files, mirror: Mirror) -> None:
    report = vectors.read(files.report)
    chip, tcb = report[0x1A0:0x1E0], report[0x180:0x188]
    if files is TURIN_V5:
        line, chip = "Turin", chip[:8]
        numbers = {"fmc": tcb[0], "bl": tcb[1], "tee": tcb[2], "snp": tcb[3], "ucode": tcb[7]}
    else:
        line = "Milan"
        numbers = {"bl": tcb[0], "tee": tcb[1], "snp": tcb[6], "ucode": tcb[7]}
    query = "&".join(f"{name}SPL={number:02}" for name, number in numbers.items())
    answers = {
        f"/vcek/v1/{line}/{chip.hex()}?{query}": answer("200 OK", as_der(vectors.read(files.vcek))),
        f"/vcek/v1/{line}/cert_chain": answer("200 OK", vectors.read(files.chain)),
    }
    with mirror(answers) as vendors:
        outcome = run("verify", vectors.path(files.report), *AT)

    assert outcome.code == 0, outcome.err
    # Nobody had a list of AMD's; it is asked for, and verification says that it was not there.
    assert vendors.targets == [*answers, f"/vcek/v1/{line}/crl"]
    assert "no revocation list of ARK-" in outcome.out


@pytest.mark.parametrize("as_hex", [False, True], ids=["DER", "hex"])
def test_a_tdx_quote(as_hex: bool, mirror: Mirror, tmp_path: Path) -> None:
    def crl(name: str) -> bytes:
        data = vectors.read(name)
        return data.hex().encode() if as_hex else data

    issuers = quote(vectors.read("tdx/ars_tcb_signing_chain.pem").decode(), safe="")
    info, identity = (
        vectors.read(f"tdx/automata_solana_{name}.json") for name in ("tcb_info_tdx", "qe_identity")
    )
    base = "certification/v4"
    answers = {
        f"/tdx/{base}/tcb?fmspc=00806F050000": answer(
            "200 OK", info, TCB_Info_Issuer_Chain=issuers
        ),
        f"/tdx/{base}/qe/identity": answer(
            "200 OK", identity, SGX_Enclave_Identity_Issuer_Chain=issuers
        ),
        f"/sgx/{base}/pckcrl?ca=platform&encoding=der": answer(
            "200 OK", crl("tdx/automata_solana_pck_platform_crl.der")
        ),
        f"/sgx/{base}/rootcacrl": answer("200 OK", crl("tdx/automata_solana_root_ca_crl.der")),
    }
    source, bundle = vectors.path("tdx/gotdx_cos113_quote_v4_8000.dat"), tmp_path / "bundle"
    with mirror(answers) as vendors:
        fetched = run("endorsements", "fetch", source, "-o", bundle, *AT_E1)
    assert vendors.targets == [*answers]
    assert fetched.code == 0, fetched.err
    outcome = run("verify", source, "--offline", "--endorsements", bundle, *AT_E1)
    assert outcome.code == 0, outcome.err
