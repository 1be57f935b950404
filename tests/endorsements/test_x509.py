"""X.509 as RFC 5280 has it: names, issuers, authorities and validity."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from wasmtime_attestation.endorsements import x509 as certs

from tests.fakes.amd import AT, GENOA, MILAN, NOT_AFTER, NOT_BEFORE
from tests.fakes.certificates import (
    BASIC_CONSTRAINTS,
    IS_AUTHORITY,
    KEY_USAGE,
    crl,
    patched,
    reissue,
)

# A name that is too long; in production the warning is not shown.
pytestmark = pytest.mark.filterwarnings("ignore:Attribute's length must be")

SECOND = timedelta(seconds=1)
VCEK, ASK, ARK = MILAN.chain()


def name(*common_names: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text) for text in common_names])


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("SEV-VCEK",), "SEV-VCEK"),
        ((), ""),
        (("SEV-VCEK", "SEV-VLEK"), ""),
        (("SEV-VCEK", "SEV-VCEK"), ""),
        (("n" * 64,), "n" * 64),
        (("evil\x1b[2Jname",), ""),
        (("two\nlines",), ""),
        (("right\u202eleft",), ""),
    ],
)
def test_the_common_name_is_one_and_printable(names: tuple[str, ...], expected: str) -> None:
    assert certs.common_name(name(*names)) == expected


def test_a_longer_name_than_the_standard_allows_is_none() -> None:
    """It would stand in messages; no builder makes one, but a file may have it."""
    organisation = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "n" * 65)])
    subject = reissue(VCEK, MILAN.issuer_key, subject=organisation)
    # 2.5.4.10 becomes 2.5.4.3, so that the organisation is a common name.
    data = patched(subject, b"\x06\x03\x55\x04\x0a", b"\x06\x03\x55\x04\x03", MILAN.issuer_key)

    assert certs.common_name(certs.load_certificate(data).subject) == ""


def test_an_issuer_is_known_by_name_and_signature() -> None:
    assert certs.is_issued_by(VCEK, ASK)
    assert certs.is_issued_by(ASK, ARK)
    assert certs.is_issued_by(ARK, ARK)
    assert not certs.is_issued_by(VCEK, ARK)
    assert not certs.is_issued_by(ARK, ASK)
    assert not certs.is_issued_by(VCEK, VCEK)
    # Each half alone is not enough.
    assert not certs.is_issued_by(reissue(VCEK, MILAN.issuer_key, issuer="SEV-Genoa"), ASK)
    assert not certs.is_issued_by(reissue(VCEK, GENOA.issuer_key), ASK)


def test_an_authority_says_so_twice() -> None:
    assert certs.is_authority(ASK)
    assert certs.is_authority(ARK)
    assert not certs.is_authority(VCEK)
    ca_alone = reissue(VCEK, MILAN.issuer_key, extensions={BASIC_CONSTRAINTS: IS_AUTHORITY})
    usage_alone = reissue(ASK, MILAN.amd.ark.key, extensions={BASIC_CONSTRAINTS: None})
    assert not certs.is_authority(ca_alone)
    assert not certs.is_authority(usage_alone)


def test_a_critical_extension_must_be_known() -> None:
    oid = "1.2.3.4"
    null = {oid: b"\x05\x00"}
    plain = reissue(ASK, MILAN.amd.ark.key, extensions=null)
    critical = reissue(ASK, MILAN.amd.ark.key, extensions=null, critical=[oid])

    assert certs.unknown_critical_extension(ASK) is None
    assert certs.unknown_critical_extension(plain) is None
    assert certs.unknown_critical_extension(critical) == oid
    assert certs.is_authority(plain)
    assert not certs.is_authority(critical)


def test_a_list_is_known_by_name_and_signature() -> None:
    ark_key = MILAN.amd.ark.key
    own = crl(ARK, ark_key)

    assert certs.is_signed_by(own, ARK)
    assert not certs.is_signed_by(own, ASK)
    assert not certs.is_signed_by(own, reissue(ARK, ark_key, subject="ARK-Genoa"))
    assert not certs.is_signed_by(crl(ARK, MILAN.issuer_key), ARK)
    # An elliptic key is no authority of AMD's, whatever name it has.
    assert not certs.is_signed_by(crl(VCEK, MILAN.issuer_key), VCEK)


def test_validity_includes_both_ends() -> None:
    assert certs.invalid_at([VCEK, ASK], NOT_BEFORE) is None
    assert certs.invalid_at([VCEK, ASK], NOT_AFTER) is None
    early = certs.invalid_at([VCEK, ASK], NOT_BEFORE - SECOND)
    late = certs.invalid_at([ASK, VCEK], NOT_AFTER + timedelta(microseconds=1))
    assert early == "SEV-VCEK is not valid before 2026-01-01T00:00:00+00:00"
    assert late == "SEV-Milan expired at 2027-01-01T00:00:00+00:00"
    assert certs.invalid_at([], AT) is None


def test_a_certificate_is_loaded_only_if_all_of_it_can_be_read() -> None:
    """What is decoded late must not fail later, in the middle of a check."""
    key = MILAN.issuer_key
    duplicate = patched(VCEK, b"\x04\x01\x9c\x78\x01\x03\x03", b"\x04\x01\x9c\x78\x01\x03\x02", key)
    usage = reissue(VCEK, key, extensions={KEY_USAGE: b"\x03\x01"})

    for data in (duplicate, certs.der(usage), certs.der(VCEK) + b"\0", certs.der(VCEK)[:-1]):
        with pytest.raises(ValueError, match=r"."):
            certs.load_certificate(data)
    assert certs.load_certificate(certs.der(VCEK)) == VCEK


def test_a_name_with_a_bit_string_in_it_is_refused() -> None:
    """cryptography raises TypeError for it, which nobody upstairs expects."""
    # UTF8String (12) becomes BIT STRING (3), which begins with the number of unused bits.
    subject = reissue(VCEK, MILAN.issuer_key, subject="\0SEV-VCEK")
    data = patched(subject, b"\x0c\x09\0SEV-VCEK", b"\x03\x09\0SEV-VCEK", MILAN.issuer_key)

    with pytest.raises(ValueError, match="BitString"):
        certs.load_certificate(data)
