"""Asks questions: of the cache first, then of the service, each service as little as possible."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from wasmtime_attestation.endorsements.x509 import MAX_SIZE
from wasmtime_attestation.endorsers.answers import Answers
from wasmtime_attestation.endorsers.deadline import Deadline
from wasmtime_attestation.endorsers.disk_cache import Entry
from wasmtime_attestation.endorsers.kept import Obtained, read, recall
from wasmtime_attestation.endorsers.question import Question, Reply
from wasmtime_attestation.errors import UnavailableError

if TYPE_CHECKING:
    from wasmtime_attestation.endorsers.http import Answer, HttpClient

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
        cache: Answers | None,
        *,
        offline: bool = False,
        plain: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        progress: Callable[[str], None] = log.info,
    ) -> None:
        self._stack = ExitStack()
        self._client: HttpClient | None = None
        self._plain = plain
        self._cache = cache
        self._offline = offline
        self._clock = clock
        self._progress = progress
        self._silent: set[str] = set()
        self._asked = 0
        self._deadline = Deadline.after(TOTAL_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._client = None
        self._stack.close()

    def ask(self, question: Question, at: datetime) -> Obtained:
        """Returns the answer to a question.

        Args:
            question: what to ask.
            at: the instant at which the answer must hold.

        Raises:
            UnavailableError: there is none; the message says why.
        """
        kept = recall(self._cache, question, self._clock()) if self._cache else None
        holds = kept is not None and at in kept.obtained.window
        if kept is not None and (holds or at < kept.obtained.window.begin):
            if holds and (kept.is_fresh or self._offline):
                return kept.obtained
            if kept.is_fresh:
                # The service has none of the past, and would say the same as a moment ago.
                raise UnavailableError(_of_another_time(kept.obtained, at))
        try:
            return self._asked_anew(question, at)
        except UnavailableError as error:
            if kept is None or not holds:
                raise
            log.info("%s: what was answered before is used (%s)", question.what, error)
            return kept.obtained

    def _asked_anew(self, question: Question, at: datetime) -> Obtained:
        reply = self._fetched(question)
        try:
            obtained = read(question, reply)
        except ValueError as error:
            raise UnavailableError(f"{question.place} answers something else: {error}") from error
        if self._cache:
            self._cache.write(question, Entry(self._clock(), reply))
        if at not in obtained.window:
            raise UnavailableError(_of_another_time(obtained, at))
        return obtained

    def _fetched(self, question: Question) -> Reply:
        host = urlsplit(question.url).netloc
        self._check_may_ask(host)
        self._progress(f"asking {host} for {question.what}")
        try:
            answer = self._send(question)
        except UnavailableError:
            self._silent.add(host)
            raise
        if answer.status in _NONE and self._cache:
            self._cache.write(question, Entry(self._clock(), None))
        if answer.status != 200:
            raise UnavailableError(f"{question.place}: {answer.refusal}")
        kept = {name: answer.headers[name] for name in question.keep if name in answer.headers}
        return Reply(answer.body, kept)

    def _check_may_ask(self, host: str) -> None:
        if self._offline:
            raise UnavailableError("it is not in the cache, and nothing is fetched offline")
        if host in self._silent:
            raise UnavailableError(f"{host} failed just now and is not asked again")
        if self._asked >= MAX_QUESTIONS or self._deadline.is_over:
            raise UnavailableError(
                f"more than {MAX_QUESTIONS} questions or {TOTAL_SECONDS:g} seconds; try again: "
                "what was answered is in the cache"
            )
        self._asked += 1

    def _send(self, question: Question) -> Answer:
        if self._client is None:
            # Whoever has everything, or is offline, must not wait for the import.
            from wasmtime_attestation.endorsers.http import HttpClient, Limits

            limits = Limits(size=MAX_SIZE, seconds=QUESTION_SECONDS)
            self._client = self._stack.enter_context(HttpClient(limits, plain=self._plain))
        if question.body is None:
            return self._client.get(question.url, question.headers, _ANSWERS)
        return self._client.post(question.url, question.body, question.headers, _ANSWERS)


def _of_another_time(obtained: Obtained, at: datetime) -> str:
    return f"the present one is for {obtained.window}, not for {at.isoformat()}"
