"""The certificate of a vTPM's key: carried where it is there and of this key, never an obstacle."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_public_key
from cryptography.x509.oid import NameOID
from wasmtime_attestation.evidence import base64url

from tests.attesters.test_azure import QUICK, evidence, verified
from tests.emulation.azure import AzureVm
from tests.emulation.namespace import Namespace
from tests.emulation.swtpm import ATTESTATION_KEY, Swtpm

INDEX, SIZE = "0x1c101d0", 2048
NONCE = "5c" * 16
AUTHORITY = rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module", name="machine")
def _machine() -> Iterator[Namespace]:
    with Namespace([AzureVm("snp", period=QUICK)]) as machine:
        yield machine


@pytest.fixture(name="swtpm")
def _swtpm(machine: Namespace) -> Iterator[Swtpm]:
    swtpm = Swtpm(machine.folder("azure") / "swtpm.sock")
    yield swtpm
    subprocess.run(
        ["tpm2_nvundefine", "-Q", "-C", "p", INDEX],
        check=False,
        capture_output=True,
        env=os.environ | swtpm.environment,
    )


def certificate(key: rsa.RSAPublicKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "vTPM")])
    builder = x509.CertificateBuilder(name, name, key, 5)
    builder = builder.not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
    builder = builder.not_valid_after(datetime(2049, 1, 1, tzinfo=UTC))
    return builder.sign(AUTHORITY, SHA256()).public_bytes(Encoding.DER)


def attestation_key(swtpm: Swtpm, folder: Path) -> rsa.RSAPublicKey:
    swtpm.tool("tpm2_readpublic", "-Q", "-c", ATTESTATION_KEY, "-f", "pem", "-o", folder / "ak.pem")
    key = load_pem_public_key((folder / "ak.pem").read_bytes())
    assert isinstance(key, rsa.RSAPublicKey)
    return key


def keep(swtpm: Swtpm, data: bytes, folder: Path) -> None:
    """Writes the index as Azure's platform does."""
    attributes = "ownerread|authread|ppwrite|ppread|no_da|platformcreate"
    swtpm.tool("tpm2_nvdefine", "-Q", "-C", "p", "-s", str(SIZE), "-a", attributes, INDEX)
    (folder / "content").write_bytes(data.ljust(SIZE, b"\0"))
    swtpm.tool("tpm2_nvwrite", "-C", "p", "-i", folder / "content", INDEX)


def carried(machine: Namespace) -> list[str]:
    """Attests, verifies, and returns who the certificates are of that came along beside AMD's."""
    outcome = machine.cli("attest", "vm", "--nonce", NONCE)
    assert outcome.code == 0, outcome.err
    assert verified(machine, outcome.out, is_complete=False)["outcome"] == "verified"
    items = (base64url.decode(e["data"]) for e in evidence(outcome.out)["endorsements"])
    names = [x509.load_der_x509_certificate(item).subject.rfc4514_string() for item in items]
    assert sum(name.startswith(("CN=SEV-", "CN=ARK-")) for name in names) == 3
    return [name for name in names if not name.startswith(("CN=SEV-", "CN=ARK-"))]


def test_a_vtpm_without_a_certificate(machine: Namespace) -> None:
    assert carried(machine) == []


def test_it_comes_along(machine: Namespace, swtpm: Swtpm, tmp_path: Path) -> None:
    keep(swtpm, certificate(attestation_key(swtpm, tmp_path)), tmp_path)

    assert carried(machine) == ["CN=vTPM"]


@pytest.mark.parametrize(
    "content",
    [b"", b"\x30\x82\xff\xff", certificate(AUTHORITY.public_key()), b"\x30\x82\x00\x04abcd"],
    ids=["empty", "cut", "another-key", "no-certificate"],
)
def test_one_that_is_none_is_left_out(
    content: bytes, machine: Namespace, swtpm: Swtpm, tmp_path: Path
) -> None:
    keep(swtpm, content, tmp_path)

    assert carried(machine) == []
