"""Endorsements that go along: into a token (`attest --endorse`), or into a recording."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from wasmtime_attestation.cli import options
from wasmtime_attestation.cli.terminal import say
from wasmtime_attestation.config.endorser_settings import Settings
from wasmtime_attestation.embedding.fetching import fetch_for
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.x509 import der
from wasmtime_attestation.endorsers.question import Piece
from wasmtime_attestation.errors import UnavailableError
from wasmtime_attestation.evidence.envelope import EndorsementType, Evidence, RawEndorsement
from wasmtime_attestation.evidence.envelope_json import MAX_ENDORSEMENTS


def with_endorsements(pieces: tuple[Evidence, ...], endorsers: Settings) -> tuple[Evidence, ...]:
    """Returns the pieces, each with what could be fetched for it; what could not be is said.

    Args:
        pieces: as they were collected.
        endorsers: where vendors' services are, or that the caches alone are asked.

    Raises:
        UnavailableError: a piece has more endorsements than a token takes.
    """
    return tuple(_with_endorsements(piece, endorsers) for piece in pieces)


def fetched_for(
    pieces: Sequence[Evidence], place: str, endorsers: Settings
) -> tuple[RawEndorsement, ...]:
    """Returns what could be fetched; what could not be is said.

    Args:
        pieces: what is to be endorsed.
        place: what the endorsements go into, for messages.
        endorsers: where vendors' services are, or that the caches alone are asked.
    """
    fetched = fetch_for(pieces, Endorsements(), (), endorsers, at=options.now())
    for missing in fetched.missing:
        say(f"not in the {place}: {missing}")
    return tuple(dict.fromkeys(raw(fetched.pieces)))


def _with_endorsements(piece: Evidence, endorsers: Settings) -> Evidence:
    fetched = fetched_for((piece,), "token", endorsers)
    found = tuple(dict.fromkeys((*piece.endorsements, *fetched)))
    if len(found) > MAX_ENDORSEMENTS:
        raise UnavailableError(
            f"there are {len(found)} endorsements for one piece of evidence, and a token takes "
            f"{MAX_ENDORSEMENTS}: leave --endorse out, and use endorsements fetch"
        )
    return replace(piece, endorsements=found)


def raw(pieces: Sequence[Piece]) -> Iterator[RawEndorsement]:
    """Returns endorsements as a token carries them, from what vendors served."""
    for piece in pieces:
        found = Endorsements.from_files([(piece.file, piece.data)])
        if found.statements:
            yield RawEndorsement(EndorsementType.INTEL_COLLATERAL, piece.data)
            continue
        for certificate in found.certificates:
            yield RawEndorsement(EndorsementType.CERTIFICATE, der(certificate))
        for crl in found.crls:
            yield RawEndorsement(EndorsementType.CRL, der(crl))
        for manifest in found.rims:
            yield RawEndorsement(EndorsementType.NVIDIA_RIM, manifest.data)
        for response in found.ocsp:
            yield RawEndorsement(EndorsementType.OCSP_RESPONSE, response.data)
