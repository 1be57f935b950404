"""Asks questions: of the cache first, then of the service, each service as little as possible."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import httpx

from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.x509 import MAX_SIZE
from wasmtime_attestation.endorsers import validity
from wasmtime_attestation.endorsers.deadline import Deadline
from wasmtime_attestation.endorsers.disk_cache import DiskCache, Entry
from wasmtime_attestation.endorsers.http import Answer, HttpClient, Limits, refusal
from wasmtime_attestation.endorsers.question import NEGATIVE_AGE, Piece, Question, Reply
from wasmtime_attestation.errors import InvalidArgumentError, UnavailableError

log = logging.getLogger(__name__)
QUESTION_SECONDS = 20.0
"""How long one question may take, all attempts together."""
TOTAL_SECONDS = 90.0
"""How long all questions may take."""
MAX_QUESTIONS = 256
"""Questions to services for one input: a token has 16 pieces of evidence at most."""
_NONE = (404, 410)
# What says something about the question, not about the service.
_ANSWERS = (200, 400, 403, *_NONE, 415, 500)


@dataclass(frozen=True, slots=True)
class Obtained:
    """What a question came to."""

    pieces: tuple[Piece, ...]
    endorsements: Endorsements


class Source:
    """Answers questions; a context manager.

    A service that could not be reached, or does not want to be asked, is not asked again.

    Args:
        cache: what was answered before; None to keep nothing.
        offline: whether nothing is asked of the network.
        plain: whether services may be asked over http.
        clock: says what time it is, for the age of what is kept.
        progress: is told what is being asked for.
    """

    def __init__(
        self,
        cache: DiskCache | None,
        *,
        offline: bool = False,
        plain: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        progress: Callable[[str], None] = log.info,
    ) -> None:
        limits = Limits(size=MAX_SIZE, seconds=QUESTION_SECONDS)
        self._client = HttpClient(limits, plain=plain)
        self._cache = cache
        self._offline = offline
        self._clock = clock
        self._progress = progress
        self._silent: dict[str, str] = {}
        self._asked = 0
        self._deadline = Deadline.after(TOTAL_SECONDS)

    def __enter__(self) -> Self:
        self._client.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._client.__exit__(kind, error, traceback)

    def ask(self, question: Question, at: datetime) -> Obtained:
        """Returns the answer to a question.

        Args:
            question: what to ask.
            at: the instant at which the answer must hold.

        Raises:
            UnavailableError: there is none; the message says why.
        """
        entry = self._cache.read(question) if self._cache else None
        age = None if entry is None else self._clock() - entry.fetched
        if entry is not None and age is not None and age.total_seconds() < 0:
            # The clock was wrong, then or now: nobody knows how old it is.
            entry = None
        if entry is None or age is None:
            return self._asked_anew(question, at)
        if entry.reply is None:
            if age < NEGATIVE_AGE:
                raise UnavailableError(f"{question.url} had none {int(age.total_seconds())} s ago")
            return self._asked_anew(question, at)
        kept = None
        if question.lifetime is None or age < question.lifetime:
            kept = _kept(question, entry.reply, at)
        if kept is not None and (age < question.max_age or self._offline):
            return kept
        try:
            return self._asked_anew(question, at)
        except UnavailableError as error:
            if kept is None:
                raise
            log.info("%s: what was answered before is used (%s)", question.what, error)
            return kept

    def _asked_anew(self, question: Question, at: datetime) -> Obtained:
        reply = self._fetched(question)
        try:
            obtained = read(question, reply)
            window = validity.window(obtained.endorsements)
        except (ValueError, InvalidArgumentError) as error:
            raise UnavailableError(f"{question.url} answers what it is not: {error}") from error
        if self._cache:
            self._cache.write(question, Entry(self._clock(), reply))
        if at not in window:
            raise UnavailableError(f"the present one is for {window}, not for {at.isoformat()}")
        return obtained

    def _fetched(self, question: Question) -> Reply:
        host = httpx.URL(question.url).host
        self._check_may_ask(host)
        self._progress(f"asking {host} for {question.what}")
        try:
            answer = self._send(question)
        except UnavailableError as error:
            self._silent[host] = str(error)
            raise
        if answer.status in _NONE and self._cache:
            self._cache.write(question, Entry(self._clock(), None))
        if answer.status != 200:
            reason = refusal(answer.status, answer.headers, answer.body)
            raise UnavailableError(f"{question.url}: {reason}")
        kept = {name: answer.headers[name] for name in question.keep if name in answer.headers}
        return Reply(answer.body, kept)

    def _check_may_ask(self, host: str) -> None:
        if self._offline:
            raise UnavailableError("it is not in the cache, and nothing is fetched offline")
        if host in self._silent:
            raise UnavailableError(f"{host} is not asked again: {self._silent[host]}")
        if self._asked >= MAX_QUESTIONS or self._deadline.is_over:
            raise UnavailableError(
                f"more than {MAX_QUESTIONS} questions or {TOTAL_SECONDS:g} seconds; try again: "
                "what was answered is in the cache"
            )
        self._asked += 1

    def _send(self, question: Question) -> Answer:
        if question.body is None:
            return self._client.get(question.url, question.headers, _ANSWERS)
        return self._client.post(question.url, question.body, question.headers, _ANSWERS)


def _kept(question: Question, reply: Reply, at: datetime) -> Obtained | None:
    """Reads what was kept, as strictly as if it came now; None if it does not hold."""
    try:
        obtained = read(question, reply)
        holds = at in validity.window(obtained.endorsements)
        holds = holds and question.still_fits(obtained.endorsements)
    except (ValueError, InvalidArgumentError) as error:
        log.info("what was kept of %s is not used: %s", question.url, error)
        return None
    return obtained if holds else None


def read(question: Question, reply: Reply) -> Obtained:
    """Makes endorsements of an answer.

    Raises:
        ValueError, InvalidArgumentError: it is not what was asked for.
    """
    pieces = question.pieces(reply)
    endorsements = Endorsements.from_files((piece.file, piece.data) for piece in pieces)
    if not question.fits(endorsements):
        raise ValueError(f"it is not {question.what}")
    return Obtained(pieces, endorsements)
