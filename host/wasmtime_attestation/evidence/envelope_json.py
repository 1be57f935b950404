"""Evidence and endorsements as JSON, in tokens and recordings alike (`docs/token.md`)."""

from __future__ import annotations

from wasmtime_attestation.evidence import base64url, members
from wasmtime_attestation.evidence.boot_log import MAX_SIZE as MAX_BOOT_LOG
from wasmtime_attestation.evidence.envelope import (
    EndorsementType,
    Evidence,
    EvidenceType,
    RawEndorsement,
)
from wasmtime_attestation.evidence.strict_json import Json

MAX_ENDORSEMENTS = 64
"""Endorsements beside one piece of evidence."""


def of_evidence(evidence: Evidence) -> Json:
    """Returns a piece of evidence as JSON."""
    document: dict[str, Json] = {
        "type": evidence.type,
        "data": base64url.encode(evidence.data),
        "endorsements": [of_endorsement(endorsement) for endorsement in evidence.endorsements],
    }
    if evidence.boot_log is not None:
        document["boot_log"] = base64url.encode(evidence.boot_log)
    return document


def of_endorsement(endorsement: RawEndorsement) -> Json:
    """Returns an endorsement as JSON."""
    return {"type": endorsement.type, "data": base64url.encode(endorsement.data)}


def to_evidence(value: Json) -> Evidence:
    """Reads a piece of evidence.

    Raises:
        ValueError: it is ill-formed.
    """
    document = members.members("evidence", value, {"type", "data", "endorsements"}, {"boot_log"})
    given = members.array("endorsements", document["endorsements"], MAX_ENDORSEMENTS)
    return Evidence(
        type=members.one_of(EvidenceType, "evidence.type", document["type"]),
        data=members.octets("evidence.data", document["data"]),
        endorsements=tuple(to_endorsement(item) for item in given),
        boot_log=(
            members.sized("evidence.boot_log", document["boot_log"], range(MAX_BOOT_LOG + 1))
            if "boot_log" in document
            else None
        ),
    )


def to_endorsement(value: Json) -> RawEndorsement:
    """Reads an endorsement.

    Raises:
        ValueError: it is ill-formed.
    """
    document = members.members("endorsement", value, {"type", "data"})
    return RawEndorsement(
        type=members.one_of(EndorsementType, "endorsement.type", document["type"]),
        data=members.octets("endorsement.data", document["data"]),
    )
