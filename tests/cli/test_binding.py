"""`binding` computes D and what each place carries, as the document's vectors have it."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.tool import run
from tests.verifier.test_binding import DOCUMENT, VECTORS

NONCE = bytes(range(32))
GUEST = b"\0asm\1\0\0\0"


def computed(*options: str | Path) -> dict[str, Any]:
    outcome = run("binding", "--json", *options)
    assert (outcome.code, outcome.err) == (0, "")
    found = json.loads(outcome.out)
    assert isinstance(found, dict)
    return found


def written(*fields: bytes | None) -> bytes:
    """Writes D's input as docs/binding.md says."""
    data = b"wasmtime:attestation binding\0"
    for field in fields:
        data += b"\0" if field is None else b"\1" + len(field).to_bytes(4, "big") + field
    return data


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["name"]))
def test_the_documents_vectors(vector: dict[str, str]) -> None:
    options = ["--nonce", vector["nonce"], "--key-thumbprint", vector["key thumbprint"]]
    for name in ("guest digest", "user data"):
        if vector[name] != "absent":
            value = "" if vector[name] == "empty" else vector[name]
            options += [f"--{name.replace(' ', '-')}", value]
    if vector["audience"] != "absent":
        options += ["--audience", bytes.fromhex(vector["audience"]).decode()]
    found = computed(*options)
    assert found["profile"] == bytes.fromhex(vector["profile"]).decode()
    assert found["d"] == found["places"]["report-data"] == vector["D"]
    if vector["name"] == "every field":
        assert f"extraData: {found['places']['azure-tpm-quote']}" in DOCUMENT
        assert f"device nonce: {found['places']['device-nonce']}" in DOCUMENT


def test_of_a_services_token(tmp_path: Path) -> None:
    guest = tmp_path / "guest.wasm"
    guest.write_bytes(GUEST)
    profile = b"tag:wasmtime-attestation,2026:service-token#1"
    bound = hashlib.sha512(
        written(profile, NONCE, b"", hashlib.sha256(GUEST).digest(), b"data", b"them")
    ).digest()
    val, iat = bytes(range(64)), b"2026-11-24 00:00:00 +0000 UTC"
    asked = ("--nonce", NONCE.hex(), "--user-data", b"data".hex(), "--audience", "them")
    ita = ("--verifier-nonce", *(base64.b64encode(part).decode() for part in (val, iat)))
    found = computed(*asked, "--guest", guest, *ita)
    device = b"wasmtime:attestation device nonce\0"
    assert found == {
        "schema": 1,
        "profile": profile.decode(),
        "d": bound.hex(),
        "places": {
            "report-data": bound.hex(),
            "azure-user-data": bound.hex().upper(),
            "device-nonce": hashlib.sha256(device + bound).hexdigest(),
            "ita-report-data": hashlib.sha512(val + iat + bound).hexdigest(),
            "ita-held-data": base64.b64encode(bound).decode(),
            "trustee-alg": "tag:wasmtime-attestation,2026:binding#"
            + base64.urlsafe_b64encode(bound).decode().rstrip("="),
        },
    }
    digest = hashlib.sha256(GUEST).hexdigest()
    assert computed(*asked, "--guest-digest", digest, *ita) == found
    text = run("binding", *asked, "--guest", guest).out
    assert f"D:                       {bound.hex()}\n" in text


def test_it_is_what_a_token_is_bound_to(tmp_path: Path) -> None:
    """By hand: the key's thumbprint, and where REPORT_DATA stands in a report."""
    file = tmp_path / "token"
    asked = ("--nonce", NONCE.hex(), "--audience", "them", "--user-data", "")
    assert run("attest", "vm", "--tee", "simulated", *asked, "-o", file).code == 0
    payload = file.read_text().split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    key = json.dumps(
        {name: claims["cnf"]["jwk"][name] for name in ("crv", "kty", "x", "y")},
        separators=(",", ":"),
    )
    report = base64.urlsafe_b64decode(claims["evidence"][0]["data"] + "==")
    thumbprint = hashlib.sha256(key.encode()).hexdigest()
    found = computed(*asked, "--key-thumbprint", thumbprint)
    assert found["places"]["report-data"] == report[0x50:0x90].hex()


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--nonce", "00"),
        ("--nonce", NONCE.hex(), "--audience", "x" * 257),
        ("--nonce", NONCE.hex(), "--audience", ""),
        ("--nonce", NONCE.hex(), "--user-data", "00" * 4097),
        ("--nonce", NONCE.hex(), "--key-thumbprint", "00"),
        ("--nonce", NONCE.hex(), "--guest", __file__, "--guest-digest", NONCE.hex()),
        ("--nonce", NONCE.hex(), "--verifier-nonce", "AA==", "?"),
    ],
)
def test_what_no_token_can_be_bound_to(options: tuple[str, ...]) -> None:
    outcome = run("binding", *options)
    assert (outcome.code, outcome.out) == (2, "")
