"""Evidence in the JSON documents of other tools.

Known are Confidential Containers' evidence (guest-components, `attester`), the
envelope of attestation-rs, dstack's answers to GetQuote, and NVIDIA's lists of devices. What such a
document says of its evidence counts for nothing: only the bytes within are verified.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from wasmtime_attestation.evidence import azure_documents, nvidia_json, snp_json, text
from wasmtime_attestation.evidence.envelope import (
    EndorsementType,
    Evidence,
    EvidenceType,
    RawEndorsement,
)
from wasmtime_attestation.evidence.strict_json import Json, brief

MAX_CERTIFICATES = 16
"""Certificates beside one piece of evidence; a chain of a vendor has three to five."""


def read(document: Json) -> tuple[Evidence, ...]:
    """Returns the evidence in a document.

    Args:
        document: the parsed JSON.

    Raises:
        ValueError: it is no document that is known, or a part of it is not what it should be.
    """
    if isinstance(document, list):
        return nvidia_json.read(document)
    members = _object(document, "the document")
    if "platform" in members:
        return _enveloped(members)
    if azure_documents.is_legacy_snp(members):
        return azure_documents.legacy_snp(members)
    for form in _FORMS:
        if form.key in members:
            _check_members(members, form)
            return form.read(members)
    known = ", ".join(form.key for form in _FORMS)
    raise ValueError(f"it has none of {known}; its members are {_names(members)}")


def _enveloped(members: Mapping[str, Json]) -> tuple[Evidence, ...]:
    """The envelope of attestation-rs: `platform` is only a hint."""
    unknown = members.keys() - {"platform", "evidence"}
    if unknown:
        raise ValueError(f"beside platform and evidence it has {_names(unknown)}, which is unknown")
    inner = _object(members.get("evidence"), "evidence")
    if "platform" in inner:
        raise ValueError("there is an envelope within the envelope")
    return read({**inner})


def _tdx(members: Mapping[str, Json]) -> tuple[Evidence, ...]:
    log = members.get("cc_eventlog")
    return (
        Evidence(
            EvidenceType.INTEL_TDX,
            _bytes(members["quote"], "quote"),
            boot_log=None if log is None else _bytes(log, "cc_eventlog"),
        ),
    )


def _snp(members: Mapping[str, Json]) -> tuple[Evidence, ...]:
    report = members["attestation_report"]
    data = (
        snp_json.encode(report)
        if isinstance(report, dict)
        else _bytes(report, "attestation_report")
    )
    return (Evidence(EvidenceType.AMD_SEV_SNP, data, _chain(members.get("cert_chain"))),)


def _chain(value: Json) -> tuple[RawEndorsement, ...]:
    """attestation-rs names the certificates, Confidential Containers list a table's entries."""
    match value:
        case None:
            return ()
        case dict():
            items = [(EndorsementType.CERTIFICATE, data) for data in value.values()]
        case list():
            items = [_listed(_object(item, "a certificate")) for item in value]
        case _:
            raise ValueError("cert_chain is neither an object nor a list")
    if len(items) > MAX_CERTIFICATES:
        raise ValueError(f"cert_chain has more than {MAX_CERTIFICATES} certificates")
    return tuple(
        RawEndorsement(kind, _bytes(data, "cert_chain")) for kind, data in items if data is not None
    )


def _listed(entry: Mapping[str, Json]) -> tuple[EndorsementType, Json]:
    """Reads an entry; what a host adds under a GUID of its own (`OTHER`) counts for nothing."""
    kind = entry.get("cert_type")
    if kind == "Empty" or isinstance(kind, dict):
        return EndorsementType.CERTIFICATE, None
    is_list = kind == "CRL"
    return (EndorsementType.CRL if is_list else EndorsementType.CERTIFICATE), entry.get("data")


def _nvidia(name: str, members: Mapping[str, Json]) -> tuple[Evidence, ...]:
    return nvidia_json.read(members[name])


@dataclass(frozen=True, slots=True)
class _Form:
    """A document that is told by one of its members.

    Attributes:
        key: the member.
        others: what else may be there.
        read: makes evidence of it.
    """

    key: str
    others: frozenset[str]
    read: Callable[[Mapping[str, Json]], tuple[Evidence, ...]]


_FORMS = (
    _Form(
        "hcl_report",
        frozenset({"version", "tpm_quote", "vcek", "td_quote"}),
        azure_documents.read,
    ),
    _Form("attestation_report", frozenset({"cert_chain"}), _snp),
    _Form(
        "quote",
        frozenset({"cc_eventlog", "event_log", "report_data", "vm_config", "hash_algorithm"}),
        _tdx,
    ),
    *(_Form(name, nvidia_json.BESIDE, partial(_nvidia, name)) for name in nvidia_json.LISTS),
)

KEYS = frozenset(form.key for form in _FORMS) | {"evidence", "platform"}
"""Members by which a document is told."""


def _check_members(members: Mapping[str, Json], form: _Form) -> None:
    unknown = members.keys() - form.others - {form.key}
    if unknown:
        raise ValueError(f"beside {form.key} it has {_names(unknown)}, which is unknown")


def _names(members: Iterable[str]) -> str:
    names: list[Json] = [*sorted(members)[:16]]
    return brief(names)


def _object(value: Json, what: str) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} is no JSON object")
    return value


def _bytes(value: Json, what: str) -> bytes:
    """Reads hex, base64 or base64url, or an array of bytes, as serde writes it."""
    if isinstance(value, str) and value.isascii():
        data = text.decode(value.encode("ascii"))
        if data is not None:
            return data
    if isinstance(value, list):
        return snp_json.octets(value, what)
    raise ValueError(f"{what} is neither hex nor base64 nor an array of bytes")
