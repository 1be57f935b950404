"""Endorsements are read from files of certificates and revocation lists, in any order."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.x509 import MAX_ITEMS, MAX_SIZE, der, pem
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.evidence.envelope import (
    EndorsementType,
    Evidence,
    EvidenceType,
    RawEndorsement,
)

from tests.fakes.amd import GENOA, MILAN
from tests.fakes.certificates import crl

# A turned bit in a country's name; in production the warning is not shown.
pytestmark = pytest.mark.filterwarnings("ignore:Attribute's length must be")

VCEK, ASK, ARK = MILAN.chain()
LIST = crl(ARK, MILAN.amd.ark.key)
OTHER_LIST = crl(GENOA.chain()[2], GENOA.amd.ark.key)
LIST_PEM = LIST.public_bytes(Encoding.PEM)


def read(*contents: bytes) -> Endorsements:
    return Endorsements.from_files([(f"file {i}", data) for i, data in enumerate(contents)])


def refusal(*contents: bytes) -> str:
    with pytest.raises(InvalidArgumentError) as caught:
        read(*contents)
    return caught.value.message


def test_der_holds_one_certificate_or_one_list() -> None:
    assert read(der(VCEK)) == Endorsements((VCEK,))
    assert read(der(LIST)) == Endorsements((), (LIST,))


def test_pem_holds_any_number_of_both_in_any_order() -> None:
    data = pem(ARK) + LIST_PEM + b"between\r\n" + pem(VCEK) + pem(ASK)

    assert read(data) == Endorsements((ARK, VCEK, ASK), (LIST,))


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"Subject: CN=SEV-Milan\n\xff\xfe\n"])
@pytest.mark.parametrize("after", [b"", b"\n\n", b"the end"])
def test_text_around_pem_is_ignored(before: bytes, after: bytes) -> None:
    assert read(before + pem(VCEK) + after) == Endorsements((VCEK,))


def test_files_are_joined_and_repetitions_left_out() -> None:
    both = read(pem(ASK) + pem(ARK), der(LIST)) + read(pem(ARK) + LIST_PEM, der(OTHER_LIST))

    assert both == Endorsements((ASK, ARK), (LIST, OTHER_LIST))
    assert both + both == both


def test_an_empty_set_is_false() -> None:
    assert not Endorsements()
    assert not read()
    assert Endorsements((VCEK,))
    assert Endorsements((), (LIST,))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"junk", id="junk"),
        pytest.param(b"\x30\x80\x00\x00", id="BER of indefinite length"),
        pytest.param(der(VCEK) + der(ASK), id="two in DER"),
        pytest.param(der(VCEK)[:-1], id="cut off"),
        pytest.param(pem(VCEK)[:-30], id="PEM cut off"),
        pytest.param(pem(VCEK).replace(b"MII", b"M!I", 1), id="PEM with a foreign character"),
        pytest.param(pem(VCEK) + b"-----BEGIN ", id="PEM that begins and does not go on"),
        pytest.param(
            MILAN.key.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            id="a private key",
        ),
        pytest.param(
            LIST_PEM.replace(b"X509 CRL", b"CERTIFICATE"), id="a list that says certificate"
        ),
        pytest.param(
            pem(VCEK).replace(b"CERTIFICATE", b"X509 CRL"), id="a certificate that says list"
        ),
    ],
)
def test_anything_else_is_refused_with_the_files_name(data: bytes) -> None:
    message = refusal(der(ARK), data)

    assert message.startswith("file 1: neither certificates nor revocation lists in PEM or DER")
    # Whatever cryptography says of it, a private key is never repeated.
    assert "MIG" not in message


def test_the_size_of_a_file_is_limited() -> None:
    assert (
        refusal(b" " * (MAX_SIZE + 1)) == f"file 0: endorsements are larger than {MAX_SIZE} bytes"
    )
    assert read(pem(VCEK).ljust(MAX_SIZE)) == Endorsements((VCEK,))


def test_the_number_of_items_is_limited() -> None:
    lists = [crl(ARK, MILAN.amd.ark.key, revoked=[i]) for i in range(1, MAX_ITEMS + 2)]

    assert len(read(*map(der, lists[:MAX_ITEMS])).crls) == MAX_ITEMS
    assert f"more than {MAX_ITEMS}" in refusal(*map(der, lists))
    assert f"more than {MAX_ITEMS} PEM blocks" in refusal(pem(VCEK) * (MAX_ITEMS + 1))
    assert f"more than {MAX_ITEMS} PEM blocks" in refusal(b"-----BEGIN " * 90_000)


def evidence(kind: EndorsementType, data: bytes) -> Evidence:
    return Evidence(EvidenceType.AMD_SEV_SNP, b"", (RawEndorsement(kind, data),))


def test_what_came_with_evidence_is_of_the_kind_it_says() -> None:
    certificate, crl_type = EndorsementType.CERTIFICATE, EndorsementType.CRL

    assert Endorsements.of_raw(evidence(certificate, der(VCEK)).endorsements) == Endorsements(
        (VCEK,)
    )
    assert Endorsements.of_raw(evidence(crl_type, der(LIST)).endorsements) == Endorsements(
        (), (LIST,)
    )
    for kind, data in (
        (certificate, der(LIST)),
        (crl_type, der(VCEK)),
        (certificate, pem(VCEK)),
        (certificate, b""),
        (crl_type, b"\x30\x00"),
    ):
        with pytest.raises(ValueError, match=r"."):
            Endorsements.of_raw(evidence(kind, data).endorsements)


@given(st.binary(max_size=400) | st.binary(max_size=200).map(lambda data: pem(VCEK) + data))
def test_arbitrary_files_are_read_or_refused_in_our_own_words(data: bytes) -> None:
    assert reads_or_refuses(data)


@given(
    original=st.sampled_from([der(VCEK), der(ASK), der(LIST)]),
    at=st.integers(0, 2000),
    removed=st.integers(0, 20),
    inserted=st.binary(max_size=20),
)
def test_damaged_files_are_read_or_refused_in_our_own_words(
    original: bytes, at: int, removed: int, inserted: bytes
) -> None:
    at %= len(original)

    assert reads_or_refuses(original[:at] + inserted + original[at + removed :])


def reads_or_refuses(data: bytes) -> bool:
    try:
        return isinstance(read(data), Endorsements)
    except InvalidArgumentError:
        return True
