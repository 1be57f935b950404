"""What of an answer that was kept still counts, and for how long."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsers import validity
from wasmtime_attestation.endorsers.answers import Answers
from wasmtime_attestation.endorsers.question import NEGATIVE_AGE, Piece, Question, Reply
from wasmtime_attestation.endorsers.validity import Window
from wasmtime_attestation.errors import InvalidArgumentError, UnavailableError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Obtained:
    """What a question came to.

    Attributes:
        pieces: as they were served.
        endorsements: the same, decoded.
        window: when all of them hold.
    """

    pieces: tuple[Piece, ...]
    endorsements: Endorsements
    window: Window


@dataclass(frozen=True, slots=True)
class Kept:
    """What was kept, and whether it is so new that nobody needs to ask again."""

    obtained: Obtained
    is_fresh: bool


def read(question: Question, reply: Reply) -> Obtained:
    """Makes endorsements of an answer.

    Raises:
        ValueError: it is not what was asked for.
    """
    pieces = question.pieces(reply)
    try:
        endorsements = Endorsements.from_files((piece.file, piece.data) for piece in pieces)
    except InvalidArgumentError as error:
        raise ValueError(str(error)) from error
    if endorsements.key_sets and not question.wants_keys:
        # Keys prove nothing themselves: in a bundle they would speak for an issuer.
        raise ValueError("it has an issuer's keys, which were not asked for")
    if not question.fits(endorsements):
        raise ValueError(f"it is not {question.what}")
    return Obtained(pieces, endorsements, validity.window(endorsements))


def recall(cache: Answers, question: Question, now: datetime) -> Kept | None:
    """Reads what was kept, as strictly as if it came now; None where it does not count any more.

    Raises:
        UnavailableError: a moment ago there was none.
    """
    entry = cache.read(question)
    if entry is None:
        return None
    age = now - entry.fetched
    if age < timedelta(0):
        # The clock was wrong, then or now: nobody knows how old it is.
        return None
    if entry.reply is None:
        if age < NEGATIVE_AGE:
            raise UnavailableError(f"{question.place} had none {int(age.total_seconds())} s ago")
        return None
    if question.lifetime is not None and age >= question.lifetime:
        return None
    try:
        obtained = read(question, entry.reply)
    except ValueError as error:
        log.info("what was kept of %s is not used: %s", question.place, error)
        return None
    if not question.still_fits(obtained.endorsements):
        return None
    return Kept(obtained, age < question.max_age)
