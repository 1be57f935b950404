"""A miniature of NVIDIA's Remote Attestation Service: its own keys, and any answer to sign."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from wasmtime_attestation.endorsements.x509 import spki_sha256

from tests.fakes import jose
from tests.fakes.jose import Members, Signer, p384, rsa_key, x5c
from tests.fakes.token import NOW

ISSUER = "https://nras.attestation.nvidia.com"
NONCE = bytes(range(100, 132))
SERIAL = 478176379286082186618948445787393647364802107249
SIGNER = Signer(p384(4001), "ES384", "nv-eat-kid-test-1")
INTERMEDIATE = rsa_key(41)
NAME = "Miniature Attestation Service Intermediate"
VERSIONS = ("2.0", "3.0")


@cache
def intermediate() -> Any:  # noqa: ANN401
    """The authority that certifies the service's keys."""
    return jose.certificate(INTERMEDIATE, NAME, ("Root", rsa_key(42)), authority=True)


PIN = spki_sha256(intermediate())


def key() -> Members:
    """The service's key as its JWKS has it: numbers, and the chain without the root."""
    leaf = jose.certificate(SIGNER.key, "leaf", (NAME, INTERMEDIATE))
    return SIGNER.jwk | {"x5c": x5c(leaf, intermediate())}


def keys() -> bytes:
    """The service's JWKS."""
    return jose.jwks(key())


def chain(status: str = "valid", revocation: str = "good") -> Members:
    """What claims 3.0 say of a chain of certificates."""
    return {
        "x-nvidia-cert-status": status,
        "x-nvidia-cert-ocsp-status": revocation,
        "x-nvidia-cert-expiration-date": "9999-12-31T23:59:59Z",
        "x-nvidia-cert-revocation-reason": None,
    }


def times(iat: int = NOW) -> Members:
    """Times of a token, and who issued it."""
    return {"iss": ISSUER, "nbf": iat, "iat": iat, "exp": iat + 3600, "jti": "833480c9"}


def device(version: str = "3.0", kind: str = "gpu", serial: int = SERIAL) -> Members:
    """Returns right claims about a device."""
    report = f"x-nvidia-{kind}-attestation-report"
    rims = ("driver", "vbios") if kind == "gpu" else ("bios",)
    claims: Members = times() | {
        "eat_nonce": NONCE.hex(),
        "ueid": str(serial),
        "oemid": "5703",
        "hwmodel": "GH100",
        "secboot": True,
        "dbgstat": "disabled",
        "measres": "success",
        "x-nvidia-attestation-warning": None,
        f"x-nvidia-{kind}-arch-check": True,
        f"{report}-parsed": True,
        f"{report}-nonce-match": True,
        f"{report}-signature-verified": True,
    }
    if kind == "gpu":
        claims["x-nvidia-gpu-vbios-index-no-conflict"] = True
    for rim in rims:
        claims[f"x-nvidia-{kind}-{rim}-version"] = f"{rim} 1"
        for what in ("fetched", "schema-validated", "signature-verified", "measurements-available"):
            claims[f"x-nvidia-{kind}-{rim}-rim-{what}"] = True
        if version == "2.0":
            claims[f"x-nvidia-{kind}-{rim}-rim-cert-validated"] = True
        else:
            claims[f"x-nvidia-{kind}-{rim}-rim-cert-chain"] = chain()
            claims[f"x-nvidia-{kind}-{rim}-rim-version-match"] = True
    if version == "2.0":
        claims[f"{report}-cert-chain-validated"] = True
    else:
        claims[f"{report}-cert-chain"] = chain()
        claims[f"{report}-cert-chain-fwid-match"] = True
    return claims


def failed(code: int, message: str) -> Members:
    """Returns what the service says of a device whose evidence it did not verify."""
    return times() | {"x-nvidia-error-details": {"code": code, "message": message}}


def digest(token: str) -> list[Any]:
    """Returns a digest as RFC 9711 writes it."""
    return ["DIGEST", ["SHA-256", hashlib.sha256(token.encode()).hexdigest()]]


def overall(
    tokens: Mapping[str, str], version: str = "3.0", *, result: bool = True, **changes: object
) -> Members:
    """Returns right claims about all devices."""
    return (
        times()
        | {
            "sub": "NVIDIA-PLATFORM-ATTESTATION",
            "x-nvidia-ver": version,
            "x-nvidia-overall-att-result": result,
            "eat_nonce": NONCE.hex(),
            "submods": {name: digest(token) for name, token in tokens.items()},
        }
        | changes
    )


def document(total: str, tokens: Mapping[str, str]) -> bytes:
    """Returns a detached EAT."""
    return json.dumps([["JWT", total], tokens]).encode()


def answer(
    devices: Mapping[str, Members] | None = None,
    version: str = "3.0",
    *,
    result: bool = True,
    **changes: object,
) -> bytes:
    """Signs an answer; a right one where nothing is said."""
    described = devices or {"GPU-0": device(version)}
    tokens = {name: SIGNER.sign(claims) for name, claims in described.items()}
    return document(SIGNER.sign(overall(tokens, version, result=result, **changes)), tokens)
