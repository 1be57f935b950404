"""The roots that are trusted are pinned, and what a user adds is simulated."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from wasmtime_attestation.endorsements.anchors import AMD_ROOTS, Anchor, Anchors
from wasmtime_attestation.evidence.snp_fields import ProductLine

from tests import vectors

A, B = b"\xaa" * 32, b"\xbb" * 32


@pytest.mark.parametrize("line", ProductLine)
@pytest.mark.parametrize("kind", ["vcek", "vlek"])
def test_each_line_is_pinned_by_the_key_of_its_root(line: ProductLine, kind: str) -> None:
    name = f"snp/chain_{line.lower()}_{kind}.pem"
    (root,) = (c for c in vectors.endorsements(name).certificates if c.issuer == c.subject)
    spki = root.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    anchor = Anchors.of_vendors().find(hashlib.sha256(spki).digest())

    assert anchor is not None
    assert (anchor.name, anchor.product_line) == (f"AMD ARK-{line}", line)
    assert not anchor.simulated


def test_the_vendors_roots_are_these_three() -> None:
    """AMD's own, /vcek/v1/{line}/cert_chain, by SHA-256 of SubjectPublicKeyInfo."""
    assert {root.spki_sha256.hex() for root in AMD_ROOTS} == {
        "9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9",
        "429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831",
        "4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08",
    }


def test_a_fingerprint_that_is_not_there_finds_nothing() -> None:
    anchors = Anchors([Anchor("root", A)])

    assert anchors.find(A) == Anchor("root", A)
    for other in (B, A[:-1], A + b"\0", b"", b"\xff" * 1000):
        assert anchors.find(other) is None


def test_what_a_user_adds_is_simulated_and_found_first() -> None:
    real = Anchors([Anchor("root", A, ProductLine.MILAN)])

    anchor = real.trusting([A, B]).find(A)

    assert anchor is not None
    assert anchor.simulated
    assert anchor.name == f"trusted root {'aa' * 8}"
    assert anchor.product_line is None
    # The original is as it was.
    assert real.find(A) == Anchor("root", A, ProductLine.MILAN)
    assert real.find(B) is None
