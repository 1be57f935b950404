"""Attestation results of our own, which anybody can read: the draft's names and ES384."""

from __future__ import annotations

import base64
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from wasmtime_attestation.appraisal import appraise
from wasmtime_attestation.appraisal.trustworthiness import Appraisal, appraisal
from wasmtime_attestation.claims.verdict import TokenKind
from wasmtime_attestation.ear_issuer import EarIssuer
from wasmtime_attestation.endorsements import jwks
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.policy import HARDWARE_ONLY
from wasmtime_attestation.verifier.expectations import Expected
from wasmtime_attestation.verifier.issuers import Issuer
from wasmtime_attestation.wit import Status, TeeType

from tests.fakes.amd import AT
from tests.fakes.jose import Private, numbers, p256, p384
from tests.fakes.token import NOW, Forger
from tests.verifier import service_verification
from tests.verifier.relying_party import verify

KEY = p384(9001)
NONCE = bytes(range(16))
OURS = Issuer("ours", TokenKind.EAR, frozenset(), keys=jwks.of_json(numbers(KEY)))


def pem(key: Private, encryption: KeySerializationEncryption | None = None) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


def made() -> Appraisal:
    claims = verify(Forger().token()).claims[0]
    result = appraise(claims, HARDWARE_ONLY, at=AT, guest_digest=None)
    return appraisal(claims, HARDWARE_ONLY, result, bytes(32))


def issued(*appraisals: Appraisal) -> str:
    return EarIssuer.from_pem(pem(KEY)).issue(appraisals, now=NOW, nonce=NONCE)


def test_it_has_the_drafts_claims() -> None:
    header: dict[str, Any] = jwt.get_unverified_header(issued(made()))
    assert (header["alg"], header["typ"]) == ("ES384", "eat+jwt")
    claims = jwt.decode(issued(made()), KEY.public_key(), ["ES384"], options={"verify_exp": False})
    assert claims["eat_profile"] == "tag:ietf.org,2026:rats/ear#03"
    assert (claims["iat"], claims["exp"]) == (NOW, NOW + 300)
    assert claims["ear_verifier_id"].keys() == {"developer", "build"}
    assert base64.urlsafe_b64decode(claims["eat_nonce"] + "==") == NONCE
    assert claims["ear_status"] == "affirming"
    (submodule,) = claims["submods"].values()
    assert submodule["ear_status"] == "affirming"
    assert submodule["ear_appraisal_policy_ids"] == ["hardware-only"]
    assert submodule["ear_trustworthiness_vector"] == {
        "instance-identity": 0,
        "configuration": 3,
        "executables": 0,
        "file-system": 0,
        "hardware": 2,
        "runtime-opaque": 2,
        "storage-opaque": 0,
        "sourced-data": 0,
    }
    assert submodule["ear_veraison_annotated_evidence"]["guest_digest"] == "00" * 32


def test_we_take_it_as_anybodys() -> None:
    verdict = service_verification.verify(
        issued(made()), issuers=[OURS], expected=Expected(nonce=NONCE)
    )
    assert (verdict.status, verdict.tee_type) == (Status.AFFIRMING, TeeType.AMD_SEV_SNP)
    (machine,) = verdict.environments
    assert machine.name == "cpu0"
    assert machine.measurements["measurement"] == bytes(range(48)).hex()


def test_several_environments() -> None:
    verdict = service_verification.verify(issued(made(), made()), issuers=[OURS])
    assert [e.name for e in verdict.environments] == ["cpu0", "cpu1"]


def test_it_is_about_something() -> None:
    with pytest.raises(ValueError, match="about something"):
        issued()


@pytest.mark.parametrize(
    "data",
    [
        pem(p256()),
        pem(ec.generate_private_key(ec.SECP521R1())),
        pem(rsa.generate_private_key(65537, 2048)),
        pem(KEY, BestAvailableEncryption(b"secret")),
        json.dumps(numbers(KEY)).encode(),
        b"",
        b"-----BEGIN PRIVATE KEY-----",
    ],
    ids=["P-256", "P-521", "RSA", "encrypted", "JWK", "empty", "cut"],
)
def test_keys_that_cannot_be_used(data: bytes) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        EarIssuer.from_pem(data)
    assert "PRIVATE" not in caught.value.message
