"""Certification paths: what RFC 5280 section 6 demands, one defect at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.x509.oid import ExtendedKeyUsageOID
from wasmtime_attestation.endorsements.x509 import der
from wasmtime_attestation.endorsements.x509_path import MAX_CERTIFICATES, verify_path

from tests.fakes.certificates import name
from tests.fakes.intel import tlv

AT = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
OCSP = ExtendedKeyUsageOID.OCSP_SIGNING
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
POLICY = x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("1.2.3.5"), None)])
EMPTY_USAGE = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.37"), b"\x30\x00")
BROKEN_NAMES = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.17"), b"\x30\x03\x82\x05a")
# BasicConstraints with a path length and without cA.
LENGTH_OF_NONE = x509.UnrecognizedExtension(
    x509.ObjectIdentifier("2.5.29.19"), b"\x30\x03\x02\x01\x00"
)
OF_DIRECTORIES = x509.NameConstraints([x509.DirectoryName(name("leaf"))], None)
EXCLUDED = x509.NameConstraints(None, [x509.DNSName("b.example.org")])
SIGNS_CERTIFICATES, SIGNS_DATA = "key_cert_sign", "digital_signature"


@cache
def key(owner: str) -> ec.EllipticCurvePrivateKey:
    """Each name has a key of its own; which one it is does not matter."""
    del owner
    return ec.generate_private_key(ec.SECP384R1())


@dataclass(frozen=True)
class Issued:
    """A certificate to be; each field can be made wrong."""

    subject: str
    issuer: str
    ca: bool | None = None
    path_length: int | None = None
    usage: str | None = SIGNS_DATA
    begin: datetime = AT - DAY
    end: datetime = AT + DAY
    signer: str | None = None
    critical: x509.ExtensionType | None = None
    purposes: tuple[x509.ObjectIdentifier, ...] = ()
    permitted: str | None = None
    alternative: str | None = None
    public_key: rsa.RSAPublicKey | None = field(default=None, compare=False)
    serial: int = 7
    key_of: str | None = None
    without: tuple[type[x509.ExtensionType], ...] = ()
    flipped: type[x509.ExtensionType] | None = None
    added: tuple[tuple[x509.ExtensionType, bool], ...] = ()

    def make(self) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder(name(self.issuer), name(self.subject))
            .public_key(self.public_key or key(self.key_of or self.subject).public_key())
            .serial_number(self.serial)
            .not_valid_before(self.begin)
            .not_valid_after(self.end)
        )
        for extension, critical in (*self.extensions(), *self.added):
            kind = type(extension)
            if kind not in self.without:
                builder = builder.add_extension(extension, critical != (kind is self.flipped))
        return builder.sign(key(self.signer or self.issuer), SHA384())

    def extensions(self) -> Sequence[tuple[x509.ExtensionType, bool]]:
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(
            key(self.signer or self.issuer).public_key()
        )
        made: list[tuple[x509.ExtensionType, bool]] = [
            (identifier, False),
            (
                x509.SubjectKeyIdentifier.from_public_key(
                    key(self.key_of or self.subject).public_key()
                ),
                False,
            ),
        ]
        if self.ca is not None:
            made.append((x509.BasicConstraints(self.ca, self.path_length), True))
        if self.usage is not None:
            made.append((usage(self.usage), True))
        if self.critical is not None:
            made.append((self.critical, True))
        if self.purposes:
            made.append((x509.ExtendedKeyUsage(self.purposes), False))
        if self.permitted is not None:
            constraints = x509.NameConstraints([x509.DNSName(self.permitted)], None)
            made.append((constraints, True))
        if self.alternative is not None:
            made.append((x509.SubjectAlternativeName([x509.DNSName(self.alternative)]), False))
        return made


def usage(which: str) -> x509.KeyUsage:
    names = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement "
        "key_cert_sign crl_sign encipher_only decipher_only"
    )
    return x509.KeyUsage(**{one: one == which for one in names.split()})


def authority(subject: str, issuer: str, **fields: object) -> Issued:
    return Issued(subject, issuer, ca=True, usage=SIGNS_CERTIFICATES, **fields)  # type: ignore[arg-type]


ROOT = authority("root", "root")
MIDDLE = authority("middle", "root")
LEAF = Issued("leaf", "middle")


def path(
    leaf: Issued = LEAF,
    middle: Sequence[Issued] = (MIDDLE,),
    root: Issued = ROOT,
    purpose: x509.ObjectIdentifier | None = None,
) -> list[str]:
    found = verify_path(
        leaf.make(),
        [issued.make() for issued in middle],
        [root.make()],
        at=AT,
        extended_key_usage=purpose,
    )
    return [certificate.subject.rfc4514_string() for certificate in found]


def test_a_path_goes_from_leaf_to_root() -> None:
    assert path() == ["CN=leaf", "CN=middle", "CN=root"]


def test_what_does_not_belong_to_it_is_left_out() -> None:
    assert path(middle=[authority("other", "root"), MIDDLE]) == path()


def test_a_leaf_below_the_root() -> None:
    assert path(Issued("leaf", "root"), []) == ["CN=leaf", "CN=root"]


def test_a_purpose() -> None:
    responder = Issued("leaf", "middle", purposes=(OCSP,))
    assert path(responder, purpose=OCSP) == path()
    assert path(responder) == path()


def test_a_name_within_its_constraints() -> None:
    constrained = authority("middle", "root", permitted="example.org")
    assert path(Issued("leaf", "middle", alternative="a.example.org"), [constrained]) == path()


DEFECTS: dict[str, tuple[Issued, list[Issued], Issued]] = {
    "no intermediate": (LEAF, [], ROOT),
    "another key under the issuer's name": (Issued("leaf", "middle", signer="x"), [MIDDLE], ROOT),
    "another root of that name": (LEAF, [authority("middle", "root", signer="x")], ROOT),
    "leaf expired": (Issued("leaf", "middle", end=AT - DAY / 2), [MIDDLE], ROOT),
    "leaf not yet valid": (Issued("leaf", "middle", begin=AT + DAY / 2), [MIDDLE], ROOT),
    "intermediate expired": (LEAF, [authority("middle", "root", end=AT - DAY / 2)], ROOT),
    "root expired": (LEAF, [MIDDLE], authority("root", "root", end=AT - DAY / 2)),
    "intermediate is no authority": (LEAF, [Issued("middle", "root", ca=False)], ROOT),
    "intermediate without basic constraints": (LEAF, [Issued("middle", "root")], ROOT),
    "intermediate may not sign": (LEAF, [Issued("middle", "root", ca=True)], ROOT),
    "intermediate without key usage": (LEAF, [Issued("middle", "root", ca=True, usage=None)], ROOT),
    "path too long for the root": (
        LEAF,
        [MIDDLE],
        authority("root", "root", path_length=0),
    ),
    "path too long for an intermediate": (
        Issued("leaf", "lower"),
        [authority("middle", "root", path_length=0), authority("lower", "middle")],
        ROOT,
    ),
    "leaf is an authority": (authority("leaf", "middle"), [MIDDLE], ROOT),
    "leaf may not sign data": (Issued("leaf", "middle", usage="key_agreement"), [MIDDLE], ROOT),
    "unknown critical extension in the leaf": (
        Issued("leaf", "middle", critical=UNKNOWN),
        [MIDDLE],
        ROOT,
    ),
    "unknown critical extension above": (
        LEAF,
        [authority("middle", "root", critical=UNKNOWN)],
        ROOT,
    ),
    "extended key usage that names no purpose": (
        Issued("leaf", "middle", added=((EMPTY_USAGE, False),)),
        [MIDDLE],
        ROOT,
    ),
    "alternative names that cannot be read": (
        Issued("leaf", "middle", added=((BROKEN_NAMES, False),)),
        [MIDDLE],
        ROOT,
    ),
    "a path length of no authority": (
        Issued("leaf", "middle", added=((LENGTH_OF_NONE, True),)),
        [MIDDLE],
        ROOT,
    ),
    "leaf names no issuer's key": (
        Issued("leaf", "middle", without=(x509.AuthorityKeyIdentifier,)),
        [MIDDLE],
        ROOT,
    ),
    "intermediate names no issuer's key": (
        LEAF,
        [authority("middle", "root", without=(x509.AuthorityKeyIdentifier,))],
        ROOT,
    ),
    "authority without a key identifier": (
        LEAF,
        [authority("middle", "root", without=(x509.SubjectKeyIdentifier,))],
        ROOT,
    ),
    "basic constraints that are not critical": (
        LEAF,
        [authority("middle", "root", flipped=x509.BasicConstraints)],
        ROOT,
    ),
    "a root's basic constraints that are not critical": (
        LEAF,
        [MIDDLE],
        authority("root", "root", flipped=x509.BasicConstraints),
    ),
    "a critical authority key identifier": (
        Issued("leaf", "middle", flipped=x509.AuthorityKeyIdentifier),
        [MIDDLE],
        ROOT,
    ),
    "a critical subject key identifier": (
        LEAF,
        [authority("middle", "root", flipped=x509.SubjectKeyIdentifier)],
        ROOT,
    ),
    "leaf may sign certificates": (
        Issued("leaf", "middle", ca=False, usage=SIGNS_CERTIFICATES),
        [MIDDLE],
        ROOT,
    ),
    "policy constraints": (
        LEAF,
        [authority("middle", "root", added=((x509.PolicyConstraints(0, None), True),))],
        ROOT,
    ),
    "a critical certificate policy": (
        Issued("leaf", "middle", added=((POLICY, True),)),
        [MIDDLE],
        ROOT,
    ),
    "name constraints that are not critical": (
        Issued("leaf", "middle", alternative="a.example.org"),
        [authority("middle", "root", permitted="example.org", flipped=x509.NameConstraints)],
        ROOT,
    ),
    "name constraints of another kind of name": (
        LEAF,
        [authority("middle", "root", added=((OF_DIRECTORIES, True),))],
        ROOT,
    ),
    "name constraints in the leaf": (
        Issued("leaf", "middle", added=((OF_DIRECTORIES, True),)),
        [MIDDLE],
        ROOT,
    ),
    "name that is excluded": (
        Issued("leaf", "middle", alternative="b.example.org"),
        [authority("middle", "root", added=((EXCLUDED, True),))],
        ROOT,
    ),
    "a name constraint two levels above": (
        Issued("leaf", "lower", alternative="b.example.org"),
        [authority("middle", "root", added=((EXCLUDED, True),)), authority("lower", "middle")],
        ROOT,
    ),
    "name outside its constraints": (
        Issued("leaf", "middle", alternative="example.com"),
        [authority("middle", "root", permitted="example.org")],
        ROOT,
    ),
}


@pytest.mark.parametrize(("leaf", "middle", "root"), DEFECTS.values(), ids=[*DEFECTS])
def test_a_defect_breaks_the_path(leaf: Issued, middle: list[Issued], root: Issued) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        path(leaf, middle, root)


def test_policies_that_nobody_asks_for_do_not_matter() -> None:
    assert path(Issued("leaf", "middle", added=((POLICY, False),))) == path()


def test_an_authority_that_issued_itself_counts_for_the_length_too() -> None:
    """Stricter than RFC 5280 section 6.1.4 (l), as verifiers in wide use are."""
    old = authority("middle", "root", path_length=0, signer="root")
    renewed = authority("middle", "middle", signer="old middle")
    below = Issued("leaf", "middle")
    with pytest.raises(ValueError, match=r"\w"):
        path(below, [replace(old, signer="root", key_of="old middle"), renewed])


def test_a_purpose_that_an_authority_excludes() -> None:
    responder = Issued("leaf", "middle", purposes=(OCSP,))
    only_servers = authority("middle", "root", purposes=(ExtendedKeyUsageOID.SERVER_AUTH,))
    assert path(responder, [only_servers]) == path()
    with pytest.raises(ValueError, match="an authority is not for"):
        path(responder, [only_servers], purpose=OCSP)
    for purposes in ((OCSP,), (ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)):
        assert path(responder, [authority("middle", "root", purposes=purposes)], purpose=OCSP)


def test_a_serial_number_that_names_nothing() -> None:
    data = der(Issued("leaf", "middle").make())
    # The serial number, 7, is the first INTEGER after the version.
    at = data.index(b"\xa0\x03\x02\x01\x02\x02\x01\x07") + 7
    body = bytearray(data)
    body[at] = 0
    start = 4
    length = int.from_bytes(body[6:8], "big") + 4
    tbs = bytes(body[start : start + length])
    signature = key("middle").sign(tbs, ec.ECDSA(SHA384()))
    algorithm = bytes(body[start + length :])[: 2 + body[start + length + 1]]
    bits = tlv(0x03, b"\0" + signature)
    forged = x509.load_der_x509_certificate(tlv(0x30, tbs + algorithm + bits))
    with pytest.raises(ValueError, match="serial number"):
        verify_path(forged, [MIDDLE.make()], [ROOT.make()], at=AT)


def test_a_purpose_that_is_not_there() -> None:
    for leaf in (LEAF, Issued("leaf", "middle", purposes=(ExtendedKeyUsageOID.SERVER_AUTH,))):
        with pytest.raises(ValueError, match=r"\w"):
            path(leaf, purpose=OCSP)


def test_a_short_key() -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key()  # noqa: S505
    with pytest.raises(ValueError, match="of another kind than RSA from 2048 bits"):
        path(Issued("leaf", "middle", public_key=short))


def test_the_message_says_what_stood_in_the_way() -> None:
    with pytest.raises(ValueError, match="not valid at validation time"):
        path(Issued("leaf", "middle", end=AT - DAY / 2))


def test_without_a_subject_the_alternative_names_are_critical() -> None:
    assert verify_path(nameless_one(critical=True), [MIDDLE.make()], [ROOT.make()], at=AT)
    with pytest.raises(ValueError, match="no name"):
        verify_path(nameless_one(critical=False), [MIDDLE.make()], [ROOT.make()], at=AT)


def nameless_one(*, critical: bool) -> x509.Certificate:
    names = x509.SubjectAlternativeName([x509.DNSName("a.example.org")])
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(key("middle").public_key())
    return (
        x509.CertificateBuilder(name("middle"), x509.Name([]))
        .public_key(key("nameless").public_key())
        .serial_number(7)
        .not_valid_before(AT - DAY)
        .not_valid_after(AT + DAY)
        .add_extension(names, critical)
        .add_extension(identifier, critical=False)
        .sign(key("middle"), SHA384())
    )


def test_name_constraints_do_not_take_forever() -> None:
    """Two thousand constraints, and as many names: the search stops (pathological cases)."""
    many = [x509.DNSName(f"x{n}.example.org") for n in range(2000)]
    constrained = authority("middle", "root", added=((x509.NameConstraints(None, many), True),))
    named = x509.SubjectAlternativeName([x509.DNSName(f"y{n}.example.org") for n in range(2000)])
    with pytest.raises(ValueError, match="name constraint check limit"):
        path(Issued("leaf", "middle", added=((named, False),)), [constrained])


def test_effort_is_bounded() -> None:
    with pytest.raises(ValueError, match="no root to end at"):
        verify_path(LEAF.make(), [], [], at=AT)
    with pytest.raises(ValueError, match=f"more than {MAX_CERTIFICATES} certificates"):
        verify_path(LEAF.make(), [MIDDLE.make()] * MAX_CERTIFICATES, [ROOT.make()], at=AT)
    # Each of 60 vouches for the leaf's issuer and for each other, and none for the root.
    circle = [authority("middle", "middle", end=AT + DAY * n) for n in range(1, 61)]
    with pytest.raises(ValueError, match=r"\w"):
        path(middle=circle)


def test_a_long_chain_ends_at_the_limit() -> None:
    chain = [authority("0", "root")] + [authority(f"{n}", f"{n - 1}") for n in range(1, 9)]
    assert len(path(Issued("leaf", "7"), chain)) == 10
    with pytest.raises(ValueError, match="max depth"):
        path(Issued("leaf", "8"), chain)
