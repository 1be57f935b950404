"""What `endorsements show` says of endorsements: kind, of whom, until when, for what evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from wasmtime_attestation.cli.terminal import printable
from wasmtime_attestation.endorsements import amd, intel, intel_pck
from wasmtime_attestation.endorsements import x509 as certs
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.collateral import SignedStatement, StatementKind
from wasmtime_attestation.endorsements.ocsp import Answer
from wasmtime_attestation.endorsements.rim import RimFile
from wasmtime_attestation.evidence.strict_json import Json

_AUTHORITY = "every piece of evidence whose chain has it"


@dataclass(frozen=True, slots=True)
class Item:
    """One endorsement.

    Attributes:
        file: where it stands.
        kind: what it is.
        subject: what it is about.
        issuer: who made it; "" where it does not say.
        begin, end: when it holds; None where it does not say.
        serves: which evidence it speaks for.
    """

    file: str
    kind: str
    subject: str
    issuer: str
    begin: datetime | None
    end: datetime | None
    serves: str

    def to_json(self) -> dict[str, Json]:
        """Returns its members."""
        return {
            "file": self.file,
            "kind": self.kind,
            "subject": self.subject,
            "issuer": self.issuer or None,
            "not_before": None if self.begin is None else self.begin.isoformat(),
            "not_after": None if self.end is None else self.end.isoformat(),
            "serves": self.serves,
        }


def items(files: Iterable[tuple[str, Endorsements]]) -> list[Item]:
    """Returns an item for each endorsement in files, by name and content."""
    return [item for name, found in files for item in _items(name, found)]


def lines(found: Iterable[Item], at: datetime) -> Iterator[str]:
    """Yields what to print: a heading for each file, and two lines for each endorsement."""
    file = None
    for item in found:
        if item.file != file:
            file = item.file
            yield file
        by = f", by {item.issuer}" if item.issuer else ""
        yield f"  {item.kind}: {item.subject}{by}"
        yield f"    {_validity(item, at)}; for {item.serves}"


def _validity(item: Item, at: datetime) -> str:
    if item.begin is None and item.end is None:
        return "it does not say how long it holds"
    begin = "ever" if item.begin is None else item.begin.isoformat()
    end = "no end" if item.end is None else item.end.isoformat()
    if item.end is not None and at > item.end:
        return f"EXPIRED: {begin} to {end}"
    if item.begin is not None and at < item.begin:
        return f"NOT YET VALID: {begin} to {end}"
    return f"{begin} to {end}"


def _items(file: str, found: Endorsements) -> Iterator[Item]:
    for certificate in found.certificates:
        yield _certificate(file, certificate)
    for crl in found.crls:
        issuer = certs.common_name(crl.issuer)
        yield Item(
            file,
            "revocation list",
            f"{len(crl)} revoked certificates",
            issuer,
            crl.last_update_utc,
            crl.next_update_utc,
            f"evidence below {issuer}",
        )
    for statement in found.statements:
        yield _statement(file, statement)
    for rim in found.rims:
        yield _manifest(file, rim)
    for response in found.ocsp:
        for answer in response.answers:
            yield _answer(file, answer)
    for keys in found.key_sets:
        names = ", ".join(printable(key.key_id or "one without kid") for key in keys.keys[:3])
        more = f" and {len(keys.keys) - 3} more" if len(keys.keys) > 3 else ""
        yield Item(file, "keys (JWKS)", f"{names}{more}", "", None, None, "tokens of their owner")


def _certificate(file: str, certificate: x509.Certificate) -> Item:
    return Item(
        file,
        "certificate",
        certs.common_name(certificate.subject) or "unnamed",
        certs.common_name(certificate.issuer),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        _serves(certificate),
    )


def _serves(certificate: x509.Certificate) -> str:
    try:
        if amd.is_versioned_key(certificate):
            key = amd.decode(certificate)
            whose = f"provider {key.csp_id}" if key.hwid is None else f"chip {key.hwid.hex()}"
            return f"SEV-SNP reports of {key.product_line} {whose} at {key.tcb}"
        if certs.common_name(certificate.subject) == intel_pck.NAME:
            pck = intel_pck.decode(certificate)
            return f"TDX quotes of platform {pck.ppid.hex()}, FMSPC {pck.fmspc.hex()}"
    except ValueError as error:
        return f"nothing: {error}"
    return _AUTHORITY


def _statement(file: str, statement: SignedStatement) -> Item:
    try:
        if statement.kind is StatementKind.TCB_INFO:
            info = intel.decode_tcb_info(statement.document)
            issued, serves = info.issued, f"TDX quotes of FMSPC {info.fmspc.hex()}"
        else:
            issued, serves = intel.decode_qe_identity(statement.document).issued, "TDX quotes"
    except ValueError as error:
        return Item(file, statement.kind, statement.id, "", None, None, f"nothing: {error}")
    subject = f"{statement.id}, evaluation {issued.evaluation_number}"
    return Item(
        file, statement.kind, subject, "Intel", issued.issue_date, issued.next_update, serves
    )


def _manifest(file: str, rim: RimFile) -> Item:
    name = printable(rim.name or f"{rim.product} {rim.version}")
    serves = f"reports of {printable(rim.product)} with version {printable(rim.version)}"
    return Item(file, "manifest (RIM)", name, "NVIDIA", None, None, serves)


def _answer(file: str, answer: Answer) -> Item:
    return Item(
        file,
        "OCSP response",
        f"certificate {answer.serial_number:x} is {answer.status.name.lower()}",
        "",
        answer.this_update,
        answer.next_update,
        "evidence whose chain has that certificate",
    )
