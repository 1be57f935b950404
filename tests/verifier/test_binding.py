"""The binding, against the test vectors in `docs/binding.md` and published thumbprints."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path

import pytest
from wasmtime_attestation.evidence.envelope import EvidenceType
from wasmtime_attestation.evidence.token import Binding, KeyPoint
from wasmtime_attestation.verifier.binding import digest, nonce_of, thumbprint

from tests.fakes.token import Forger, encode, recipe

DOCUMENT = (Path(__file__).parents[2] / "docs" / "binding.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```vector\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
VECTORS = [dict(line.split(": ", 1) for line in block.splitlines()) for block in BLOCKS]
FULL = Binding("profile", bytes(8), bytes(32), bytes(32), b"data", "audience")


def field(text: str) -> bytes | None:
    return None if text == "absent" else bytes.fromhex("" if text == "empty" else text)


def binding_of(vector: dict[str, str]) -> Binding:
    audience = field(vector["audience"])
    return Binding(
        profile=bytes.fromhex(vector["profile"]).decode(),
        nonce=bytes.fromhex(vector["nonce"]),
        key_thumbprint=bytes.fromhex(vector["key thumbprint"]),
        guest_digest=field(vector["guest digest"]),
        user_data=field(vector["user data"]),
        audience=None if audience is None else audience.decode(),
    )


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["name"]))
def test_the_documents_vectors(vector: dict[str, str]) -> None:
    assert digest(binding_of(vector)).hex() == vector["D"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["name"]))
def test_the_documents_inputs_have_the_documents_digests(vector: dict[str, str]) -> None:
    assert hashlib.sha512(bytes.fromhex(vector["input"])).hexdigest() == vector["D"]


def test_the_documents_nonce_of_a_vtpms_quote() -> None:
    (block,) = re.findall(r"^```quote-vector\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    vector = dict(line.split(": ", 1) for line in block.splitlines())
    bound, expected = bytes.fromhex(vector["D"]), bytes.fromhex(vector["extraData"])

    assert hashlib.sha256(bytes.fromhex(vector["input"])).digest() == expected
    assert nonce_of(EvidenceType.AZURE_SNP, bound) == expected
    assert nonce_of(EvidenceType.AZURE_TDX, bound) == expected
    assert nonce_of(EvidenceType.AMD_SEV_SNP, bound) is None
    assert nonce_of(EvidenceType.INTEL_TDX, bound) is None
    assert any(vector["D"] == other["D"] for other in VECTORS)


def test_the_document_has_vectors_for_what_is_easily_done_wrong() -> None:
    assert len(VECTORS) >= 5
    assert len({vector["D"] for vector in VECTORS}) == len(VECTORS)
    assert {"absent", "empty"} <= {vector["user data"] for vector in VECTORS}
    audiences = [field(vector["audience"]) or b"" for vector in VECTORS]
    assert any(not audience.isascii() for audience in audiences)


def test_every_field_counts() -> None:
    others = [
        replace(FULL, profile="profile 2"),
        replace(FULL, nonce=bytes(9)),
        replace(FULL, key_thumbprint=bytes(31) + b"\1"),
        replace(FULL, guest_digest=None),
        replace(FULL, guest_digest=bytes(31) + b"\1"),
        replace(FULL, user_data=None),
        replace(FULL, user_data=b""),
        replace(FULL, user_data=b"data\0"),
        replace(FULL, audience=None),
        replace(FULL, audience="Audience"),
    ]
    assert len({digest(binding) for binding in [FULL, *others]}) == len(others) + 1


def test_bytes_cannot_move_from_one_field_to_another() -> None:
    def of(user_data: bytes | None, audience: str | None) -> bytes:
        return digest(replace(FULL, guest_digest=None, user_data=user_data, audience=audience))

    pairs: list[tuple[bytes | None, str | None]] = [
        (b"ab", "c"),
        (b"a", "bc"),
        (b"abc", None),
        (None, "abc"),
        (b"abc", ""),
        (b"", "abc"),
        (b"", None),
        (None, ""),
        (None, None),
        (b"abc\0", None),
        (b"abc\1\0\0\0\0", None),
    ]
    assert len({of(*pair) for pair in pairs}) == len(pairs)
    assert digest(replace(FULL, guest_digest=None, user_data=bytes(32))) != digest(
        replace(FULL, guest_digest=bytes(32), user_data=None)
    )


# RFC 9449 section 6.1: the key of the DPoP proofs in the RFC, and its thumbprint.
RFC_9449_X = "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs"
RFC_9449_Y = "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"
RFC_9449_JKT = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
# RFC 6979 appendix A.2.6: a private key on P-384 and its public key.
RFC_6979_KEY = int(
    "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d8"
    "96d5724e4c70a825f872c9ea60d2edf5",
    16,
)
RFC_6979_X = bytes.fromhex(
    "ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64"
    "def8f0ea9055866064a254515480bc13"
)
RFC_6979_Y = bytes.fromhex(
    "8015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1"
    "288b231c3ae0d4fe7344fd2533264720"
)


def test_the_written_out_thumbprint_is_that_of_rfc_7638() -> None:
    assert encode(recipe("P-256", RFC_9449_X, RFC_9449_Y)) == RFC_9449_JKT


def test_a_thumbprint_of_p384_is_the_written_out_one() -> None:
    key = Forger(RFC_6979_KEY)
    point = KeyPoint(RFC_6979_X, RFC_6979_Y)
    assert thumbprint(point) == recipe("P-384", key.jwk["x"], key.jwk["y"])
    stated = re.search(r"^thumbprint: ([0-9a-f]{64})$", DOCUMENT, re.MULTILINE)
    assert stated is not None
    assert thumbprint(point).hex() == stated[1]
    assert all(vector["key thumbprint"] == stated[1] for vector in VECTORS)
