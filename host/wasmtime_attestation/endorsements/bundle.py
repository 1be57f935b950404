"""A set of endorsements: certificates, lists, statements, manifests, responses, in no order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

from cryptography import x509

from wasmtime_attestation.endorsements import (
    amd_table,
    collateral,
    jwks,
    ocsp,
    rim,
    rim_file,
    xml_document,
)
from wasmtime_attestation.endorsements.amd_table import TableEntry
from wasmtime_attestation.endorsements.collateral import SignedStatement
from wasmtime_attestation.endorsements.fingerprint import fingerprint
from wasmtime_attestation.endorsements.jwks import JwkSet
from wasmtime_attestation.endorsements.ocsp import OcspResponse
from wasmtime_attestation.endorsements.rim import RimFile
from wasmtime_attestation.endorsements.x509 import (
    MAX_ITEMS,
    MAX_SIZE,
    UNREADABLE,
    der,
    load_certificate,
    load_crl,
    load_pem_certificate,
)
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.evidence import text
from wasmtime_attestation.evidence.envelope import EndorsementType, RawEndorsement

MAX_MANIFESTS = 256
"""Manifests, and OCSP responses, that one verification takes: those of a fleet."""
_PEM = b"-----BEGIN "
_URL_ENCODED = b"-----BEGIN%20"
_PEM_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"
_PEM_CRL = b"-----BEGIN X509 CRL-----"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Endorsements:
    """What is known of vendors' statements; each item proves itself when it is used.

    Attributes:
        certificates, crls: of any vendor.
        statements: Intel's.
        rims: NVIDIA's manifests.
        ocsp: OCSP responses.
        key_sets: of issuers of tokens.
        host_entries: what hosts put into their certificate tables beside AMD's certificates;
            nobody vouches for it.
        waived: checks whose endorsement may be missing, because the relying party said so; where
            it is there, it counts.
    """

    certificates: tuple[x509.Certificate, ...] = field(default=())
    crls: tuple[x509.CertificateRevocationList, ...] = field(default=())
    statements: tuple[SignedStatement, ...] = field(default=())
    rims: tuple[RimFile, ...] = field(default=())
    ocsp: tuple[OcspResponse, ...] = field(default=())
    key_sets: tuple[JwkSet, ...] = field(default=())
    host_entries: tuple[TableEntry, ...] = field(default=())
    waived: tuple[str, ...] = field(default=())
    _digest: list[bytes] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def fingerprint(self) -> bytes:
        """A digest of everything that is in it and of the order, 32 bytes; computed once."""
        if not self._digest:
            self._digest.append(fingerprint(self._columns()))
        return self._digest[0]

    def _columns(self) -> dict[str, tuple[object, ...]]:
        """Returns every field, whatever is added to them."""
        return {kind.name: getattr(self, kind.name) for kind in fields(self) if kind.compare}

    def __reduce__(self) -> tuple[Callable[..., Endorsements], tuple[object, ...]]:
        columns = self._columns().values()
        return _restored, tuple(tuple(map(_pickled, column)) for column in columns)

    def __bool__(self) -> bool:
        columns = (self.certificates, self.crls, self.statements, self.rims, self.ocsp)
        return any(columns) or bool(self.key_sets)

    def __add__(self, other: Endorsements) -> Endorsements:
        return Endorsements(
            _joined(self.certificates, other.certificates),
            _joined(self.crls, other.crls, _distinct_lists),
            _joined(self.statements, other.statements),
            _joined(self.rims, other.rims),
            _joined(self.ocsp, other.ocsp),
            _joined(self.key_sets, other.key_sets),
            _joined(self.host_entries, other.host_entries),
            _joined(self.waived, other.waived),
        )

    def waiving(self, checks: Iterable[str]) -> Endorsements:
        """Returns the same, where the endorsements of some checks may be missing."""
        return self + Endorsements(waived=tuple(sorted(checks)))

    @classmethod
    def from_files(cls, contents: Iterable[tuple[str, bytes]]) -> Endorsements:
        """Reads files, by content: PEM, DER, hex or base64, tables, collateral, manifests, keys.

        Args:
            contents: name (for messages) and bytes of each file.

        Raises:
            InvalidArgumentError: a file is too large, is neither, or there are too many items.
        """
        endorsements = cls()
        for name, data in contents:
            endorsements += cls._from_file(name, data)
            endorsements.check_size()
        return endorsements

    def check_size(self) -> None:
        """Raises `InvalidArgumentError` if there are more items than a verification takes."""
        count = len(self.certificates) + len(self.crls) + len(self.statements) + len(self.key_sets)
        if count > MAX_ITEMS:
            raise InvalidArgumentError(
                f"more than {MAX_ITEMS} certificates, revocation lists and statements; "
                "name fewer files"
            )
        if max(len(self.rims), len(self.ocsp)) > MAX_MANIFESTS:
            raise InvalidArgumentError(
                f"more than {MAX_MANIFESTS} manifests (RIM) or OCSP responses; name fewer files"
            )

    @classmethod
    def of_raw(cls, items: Iterable[RawEndorsement]) -> Endorsements:
        """Reads what came with evidence.

        Raises:
            ValueError: an item is not what its type says.
        """
        items = tuple(items)

        def of_kind(kind: EndorsementType) -> Iterator[bytes]:
            return (item.data for item in items if item.type is kind)

        endorsements = cls(
            _distinct(load_certificate(d) for d in of_kind(EndorsementType.CERTIFICATE)),
            _distinct_lists(load_crl(d) for d in of_kind(EndorsementType.CRL)),
            (),
            _distinct(rim.recognise(d) for d in of_kind(EndorsementType.NVIDIA_RIM)),
            _distinct(ocsp.decode(d) for d in of_kind(EndorsementType.OCSP_RESPONSE)),
        )
        for item in items:
            if item.type is EndorsementType.INTEL_COLLATERAL:
                endorsements += cls._from_collateral(item.data)
            elif item.type is EndorsementType.AMD_CERTIFICATE_TABLE:
                endorsements += cls._from_table(item.data)
        if len(endorsements.certificates) + len(endorsements.statements) > MAX_ITEMS:
            raise ValueError(f"there are more than {MAX_ITEMS} certificates and statements")
        return endorsements

    @classmethod
    def _from_file(cls, name: str, data: bytes) -> Endorsements:
        if len(data) > MAX_SIZE:
            raise InvalidArgumentError(f"{name}: endorsements are larger than {MAX_SIZE} bytes")
        try:
            return cls._from_content(name, data)
        except UNREADABLE as error:
            raise InvalidArgumentError(
                f"{name}: neither certificates nor revocation lists in PEM or DER, nor collateral "
                "of Intel's, an issuer's keys, a manifest (RIM) of NVIDIA's or an OCSP response "
                f"({error})"
            ) from error

    @classmethod
    def _from_content(cls, name: str, data: bytes) -> Endorsements:
        if jwks.looks_like(data):
            return cls(key_sets=(jwks.of_file(name, data),))
        if data.startswith(_URL_ENCODED):
            # As Intel's service writes issuer chains into the headers of its answers.
            data = unquote_to_bytes(data)
        if data.lstrip().startswith(b"{"):
            served = rim_file.served(data)
            return cls._from_collateral(data) if served is None else cls(rims=(served,))
        if amd_table.is_table(data):
            return cls._from_table(data)
        if _PEM in data:
            return cls._from_pem(data)
        # Intel's service for caches (PCCS) answers with lists in hex, others use base64.
        plain = text.decode(data) or data
        if xml_document.looks_like(plain):
            return cls(rims=(rim.recognise(plain, rim_file.id_in(name)),))
        return cls._from_der(plain)

    @classmethod
    def _from_collateral(cls, data: bytes) -> Endorsements:
        found = collateral.decode(data)
        endorsements = cls(
            crls=_distinct_lists(map(load_crl, found.lists)), statements=_distinct(found.statements)
        )
        return cls._from_pem(b"\n".join(found.chains)) + endorsements

    @classmethod
    def _from_table(cls, data: bytes) -> Endorsements:
        """Reads a host's certificate table; entries may be empty."""
        entries = [entry for entry in amd_table.decode(data) if entry.data]
        endorsements = cls(host_entries=_distinct(e for e in entries if not e.is_certificate))
        for entry in entries:
            if entry.is_certificate:
                is_pem = entry.data.startswith(_PEM)
                read = cls._from_pem if is_pem else cls._from_der
                endorsements += read(entry.data)
        return endorsements

    @classmethod
    def _from_pem(cls, data: bytes) -> Endorsements:
        """Reads the blocks one by one; text between them is ignored, as PEM has it."""
        blocks = [_PEM + block for block in data.split(_PEM)[1:]]
        if len(blocks) > MAX_ITEMS:
            raise ValueError(f"more than {MAX_ITEMS} PEM blocks")
        for number, block in enumerate(blocks, 1):
            if not block.startswith((_PEM_CERTIFICATE, _PEM_CRL)):
                label = block[len(_PEM) :].partition(b"-")[0][:40].decode("ascii", "replace")
                raise ValueError(f"PEM block {number} is {label}, not CERTIFICATE or X509 CRL")
        # Intel's chains have the same root over and over.
        distinct = dict.fromkeys(block.rstrip() for block in blocks)
        crls = [x509.load_pem_x509_crl(b) for b in distinct if _PEM_CRL in b]
        return cls(
            _distinct(load_pem_certificate(b) for b in distinct if _PEM_CRL not in b),
            _distinct_lists(load_crl(der(crl)) for crl in crls),
        )

    @classmethod
    def _from_der(cls, data: bytes) -> Endorsements:
        try:
            return cls(certificates=(load_certificate(data),))
        except ValueError:
            pass
        try:
            return cls(crls=(load_crl(data),))
        except ValueError:
            return cls(ocsp=(ocsp.decode(data),))


def _pickled(item: object) -> tuple[Callable[[Any], object] | None, object]:
    """Certificates and lists cannot be pickled: in their place, what loads them and their bytes."""
    match item:
        case x509.Certificate():
            return load_certificate, der(item)
        case x509.CertificateRevocationList():
            return load_crl, der(item)
        case OcspResponse():
            return ocsp.decode, item.data
        case _:
            return None, item


def _restored(*columns: tuple[tuple[Callable[[object], Any] | None, Any], ...]) -> Endorsements:
    return Endorsements(
        *(tuple(load(item) if load else item for load, item in column) for column in columns)
    )


def _distinct(items: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))


def _distinct_lists(
    crls: Iterable[x509.CertificateRevocationList],
) -> tuple[x509.CertificateRevocationList, ...]:
    """Leaves repetitions out by comparison: revocation lists have no hash."""
    distinct: list[x509.CertificateRevocationList] = []
    for crl in crls:
        if crl not in distinct:
            distinct.append(crl)
    return tuple(distinct)


def _joined(
    some: tuple[T, ...],
    more: tuple[T, ...],
    distinct: Callable[[Iterable[T]], tuple[T, ...]] = _distinct,
) -> tuple[T, ...]:
    """Joins what is distinct already."""
    return distinct(some + more) if some and more else some or more
