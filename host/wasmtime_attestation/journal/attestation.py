"""The evidence token in a journal that attests the key under its checkpoints.

Its nonce is the hash of the record with which the host opened the journal, so that it was made for
this journal and after that record; its audience is no relying party's, so that it is of no use to
whoever reads it there.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from wasmtime_attestation.endorsements.jwa import Algorithm, check_signature
from wasmtime_attestation.evidence import jwt
from wasmtime_attestation.evidence.token import EvidenceToken
from wasmtime_attestation.journal.record import BadRecordError, Record
from wasmtime_attestation.verifier.binding import thumbprint
from wasmtime_attestation.verifier.checkpoint import loaded

AUDIENCE = "wasmtime:attestation journal"


@dataclass(frozen=True, slots=True)
class Attestation:
    """What a token in a journal attests.

    Attributes:
        nonce: what it answers, in hex.
        instance: of the process that it attests.
        key_thumbprint: of the key that it attests, in hex.
        sequence: of its record.
    """

    nonce: str
    instance: str
    key_thumbprint: str
    sequence: int


def check(record: Record, opened: Record | None) -> Attestation | None:
    """Checks that the token in a record is for this journal, and signed by the key that it names.

    Whether hardware vouches for that key is not looked at: that is what verifying the token does.

    Args:
        record: of the kind `attestation`.
        opened: the record with which its process opened the journal; None where it is not here.

    Returns:
        what it attests; None where the record has only the token's hash.

    Raises:
        BadRecordError: `journal.attestation`.
    """
    text = record.members["token"]
    if not isinstance(text, str):
        return None
    if hashlib.sha256(text.encode()).hexdigest() != record.text("token_sha256"):
        raise _bad("its token has another hash than it says")
    try:
        jws = jwt.decode(text)
        token = EvidenceToken.from_payload(jws.claims())
        check_signature(Algorithm.ES384, loaded(token.key), jws.signature, jws.signing_input)
    except (ValueError, RecursionError) as error:
        raise _bad(f"its token is none: {error}") from error
    if token.audience != AUDIENCE:
        raise _bad("its token is for another audience than a journal")
    if opened is not None and token.nonce.hex() != opened.text("hash"):
        raise _bad("its token answers another nonce than the hash of the record that opened it")
    return Attestation(
        token.nonce.hex(),
        record.text("instance"),
        thumbprint(token.key).hex(),
        record.head.sequence,
    )


def _bad(problem: str) -> BadRecordError:
    return BadRecordError("journal.attestation", problem)
