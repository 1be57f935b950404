"""OCSP responses are decoded, and held against the certificates that they are about."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as library
from hypothesis import given
from hypothesis import strategies as st
from wasmtime_attestation.endorsements import ocsp

from tests import vectors
from tests.fakes.nvidia import AT, HOPPER
from tests.fakes.ocsp import ISSUED, NEXT_UPDATE, Responder

LEAF, BROM, PROVISIONER, IDENTITY, ROOT = HOPPER.chain()
DATA = Responder().respond(PROVISIONER, IDENTITY)


def test_a_response_is_read() -> None:
    response = ocsp.decode(DATA)
    (answer,) = response.answers

    assert answer.status is library.OCSPCertStatus.GOOD
    assert answer.serial_number == PROVISIONER.serial_number
    assert (answer.this_update, answer.next_update) == (ISSUED, NEXT_UPDATE)
    assert (answer.digest, response.digest) == ("sha384", "sha384")
    assert len(response.certificates) == 1


def test_an_answer_is_about_one_certificate_of_one_issuer() -> None:
    (answer,) = ocsp.decode(DATA).answers

    assert answer.is_about(PROVISIONER, IDENTITY)
    assert not answer.is_about(BROM, IDENTITY)
    assert not answer.is_about(PROVISIONER, ROOT)
    impostor = HOPPER.__class__(owner="somebody").chain()[3]
    assert impostor.subject == IDENTITY.subject
    assert not answer.is_about(PROVISIONER, impostor)


def test_other_hash_functions_identify_too() -> None:
    (answer,) = ocsp.decode(Responder().respond(PROVISIONER, IDENTITY, digest=SHA256())).answers

    assert answer.digest == "sha256"
    assert answer.is_about(PROVISIONER, IDENTITY)


@pytest.mark.parametrize(
    ("offset", "current"),
    [
        (timedelta(hours=-12), True),
        (timedelta(hours=-12, seconds=-1), False),
        (timedelta(hours=12), True),
        (timedelta(hours=12, seconds=1), False),
    ],
)
def test_an_answer_has_its_time(offset: timedelta, *, current: bool) -> None:
    (answer,) = ocsp.decode(DATA).answers
    assert answer.is_current(AT + offset) is current


def test_an_answer_without_an_end_is_never_current() -> None:
    (answer,) = ocsp.decode(Responder().respond(PROVISIONER, IDENTITY, end=None)).answers
    assert not answer.is_current(AT)


@pytest.mark.parametrize("status", ["TRY_LATER", "UNAUTHORIZED", "MALFORMED_REQUEST"])
def test_only_a_successful_response_says_something(status: str) -> None:
    """NVIDIA's responder answers `unauthorized` for a device's own certificate."""
    response = library.OCSPResponseBuilder.build_unsuccessful(library.OCSPResponseStatus[status])

    assert ocsp.decode(response.public_bytes(Encoding.DER)).answers == ()


@pytest.mark.parametrize(
    "data",
    [b"", DATA[:-1], DATA + b"\0", b"\x30\0", b"junk"],
    ids=["nothing", "cut", "with a tail", "empty", "junk"],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        ocsp.decode(data)


@given(st.binary(max_size=40), st.integers(0, len(DATA)))
def test_any_bytes_are_read_or_refused(noise: bytes, at: int) -> None:
    for data in (noise, DATA[:at] + noise + DATA[at + len(noise) :]):
        try:
            ocsp.decode(data)
        except ValueError:
            continue


def test_the_serial_numbers_of_real_responses() -> None:
    names = [f"nvidia/gonvattest_test_gpu_certificate_l{n}_base64encoded_ocsp_response.dat"
             for n in (2, 3, 4)]  # fmt: skip
    found = vectors.endorsements(*names)
    chain = vectors.endorsements(
        "nvidia/gonvattest_test_gpu_attestation_certificate_chain.dat"
    ).certificates

    for response, (subject, issuer) in zip(
        found.ocsp, ((chain[3], chain[4]), (chain[2], chain[3]), (chain[1], chain[2])), strict=True
    ):
        assert response.answers[0].is_about(subject, issuer)
        assert re.fullmatch("sha384", response.digest)
