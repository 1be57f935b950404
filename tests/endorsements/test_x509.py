"""X.509 as RFC 5280 has it: names, issuers, authorities and validity."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.x509.oid import NameOID
from wasmtime_attestation.endorsements import x509 as certs

from tests.fakes.amd import AT, GENOA, MILAN, NOT_AFTER, NOT_BEFORE
from tests.fakes.certificates import (
    BASIC_CONSTRAINTS,
    IS_AUTHORITY,
    KEY_USAGE,
    PSS,
    crl,
    patched,
    reissue,
)
from tests.fakes.intel import tlv

# A name that is too long; in production the warning is not shown.
pytestmark = pytest.mark.filterwarnings("ignore:Attribute's length must be")

SECOND = timedelta(seconds=1)
VCEK, ASK, ARK = MILAN.chain()
# A permitted DNS name "a"; requireExplicitPolicy after 0 certificates.
NAMES_A_SUBTREE = {
    "2.5.29.30": bytes.fromhex("3007a0053003820161"),
    "2.5.29.36": bytes.fromhex("3003800100"),
}


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


def test_an_authority_of_a_fixed_chain_restricts_nothing_but_the_length() -> None:
    """Name constraints would have to be obeyed, critical or not; no vendor has any."""
    # NameConstraints and PolicyConstraints with nothing in them, sections 4.2.1.10 and 4.2.1.11.
    for oid in ("2.5.29.30", "2.5.29.36"):
        named = reissue(ASK, MILAN.amd.ark.key, extensions={oid: NAMES_A_SUBTREE[oid]})
        assert not certs.is_authority(named), oid


def test_basic_constraints_are_critical() -> None:
    builder = (
        x509.CertificateBuilder(ASK.issuer, ASK.subject, ASK.public_key(), 5, NOT_BEFORE, NOT_AFTER)
        .add_extension(ASK.extensions.get_extension_for_class(x509.KeyUsage).value, critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=False)
    )
    assert not certs.is_authority(builder.sign(MILAN.amd.ark.key, SHA384(), rsa_padding=PSS))


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(public_exponent=65537, key_size=1024),  # noqa: S505
        ec.generate_private_key(ec.SECP256K1()),
        ec.generate_private_key(ec.SECP224R1()),
    ],
    ids=["RSA-1024", "secp256k1", "P-224"],
)
def test_a_weak_key_issues_nothing(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
    weak = reissue(ASK, MILAN.amd.ark.key, public_key=key.public_key())
    hashed = SHA256() if isinstance(key, rsa.RSAPrivateKey) else None
    below = reissue(VCEK, key, hash_algorithm=hashed, rsa_padding=padding.PKCS1v15())

    assert not certs.has_strong_key(weak)
    assert not certs.is_issued_by(below, weak)


@pytest.mark.parametrize("number", [0, 1, 3])
def test_a_certificate_of_another_version_is_none(number: int) -> None:
    """Version 3 is the number 2, in the first INTEGER."""
    version = b"\xa0\x03\x02\x01"
    data = patched(ASK, version + b"\2", version + bytes([number]), MILAN.amd.ark.key)
    with pytest.raises(ValueError, match=r"ersion"):
        certs.load_certificate(data)


def test_a_certificate_of_version_1_is_issued_by_nobody() -> None:
    """It names no version and has no extensions, so it is whatever its holder says."""
    builder = x509.CertificateBuilder(ASK.issuer, ASK.subject, ASK.public_key(), 5)
    plain = (
        builder.not_valid_before(NOT_BEFORE)
        .not_valid_after(NOT_AFTER)
        .sign(MILAN.amd.ark.key, SHA384(), rsa_padding=PSS)
    )
    body = plain.tbs_certificate_bytes
    # Behind the SEQUENCE's tag and length of four octets: the version, and at the end nothing.
    first = tlv(0x30, body[4:].removeprefix(b"\xa0\x03\x02\x01\x02"))
    signature = MILAN.amd.ark.key.sign(first, PSS, SHA384())
    algorithm = certs.der(plain).split(body, 1)[1][: -len(signature) - 5]
    data = tlv(0x30, first, algorithm, tlv(0x03, b"\0" + signature))
    old = certs.load_certificate(data)
    old.verify_directly_issued_by(ARK)
    assert old.version is x509.Version.v1
    assert not certs.is_issued_by(old, ARK)


def test_the_signature_algorithm_is_the_same_inside_and_outside() -> None:
    """SHA-384 becomes SHA-512 outside alone: the last octet of 2.16.840.1.101.3.4.2.2."""
    data = certs.der(VCEK)
    body = VCEK.tbs_certificate_bytes
    sha384, sha512 = bytes.fromhex("608648016503040202"), bytes.fromhex("608648016503040203")
    outside = data.replace(body, b"", 1).replace(sha384, sha512)
    head, tail = data.split(body, 1)[0], outside[len(data.split(body, 1)[0]) :]
    assert not certs.is_issued_by(x509.load_der_x509_certificate(head + body + tail), ASK)


def test_only_who_may_sign_lists_signs_one() -> None:
    """The ASK's key usage has no cRLSign."""
    assert not certs.is_signed_by(crl(ASK, MILAN.issuer_key), ASK)
    without = reissue(ARK, MILAN.amd.ark.key, extensions={KEY_USAGE: None})
    assert not certs.is_signed_by(crl(ARK, MILAN.amd.ark.key), without)


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
    assert late == "SEV-Milan expired at 2049-01-01T00:00:00+00:00"
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
