"""Endorsements that several machines share, on Redis; never tokens, and never services' keys.

What is read counts no more than what a stranger sends: an endorsement proves itself when it is
used. Keys of services (JWKS) rest on the connection to the service alone, so they are not here.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from wasmtime_attestation.cache.redis_server import RedisServer
from wasmtime_attestation.endorsers.answers import Answers
from wasmtime_attestation.endorsers.disk_cache import MAX_ENTRY, Entry, decode, encode
from wasmtime_attestation.endorsers.question import Question
from wasmtime_attestation.errors import UnavailableError

log = logging.getLogger(__name__)
LIFETIME = 7 * 86_400
"""Seconds after which the server forgets an answer."""
PAUSE = 30.0
"""Seconds for which a server that failed is left alone."""
_PREFIX = b"wasmtime-attestation:endorsement:"


class SharedAnswers:
    """The answers on a server; one that cannot be used is a reason to warn, never to fail.

    Args:
        server: where they are.
        elapsed: seconds from a fixed point.
    """

    def __init__(self, server: RedisServer, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._server = server
        self._elapsed = elapsed
        self._silent_until = float("-inf")

    def read(self, question: Question) -> Entry | None:
        """Returns what was answered, or None; an entry that is not whole is removed."""
        if not self._may_ask(question):
            return None
        key = _PREFIX + question.key.encode()
        try:
            data = self._server.get(key, MAX_ENTRY)
            if data is None:
                return None
            try:
                return decode(data, question)
            except (ValueError, RecursionError) as error:
                log.info("shared entry %s is dropped: %s", question.key, error)
                self._server.remove(key)
        except UnavailableError as error:
            self._leave_alone(error)
        return None

    def write(self, question: Question, entry: Entry) -> None:
        """Shares an answer."""
        if not self._may_ask(question):
            return
        data = encode(entry, question)
        try:
            if len(data) <= MAX_ENTRY:
                self._server.put(_PREFIX + question.key.encode(), data, LIFETIME)
        except UnavailableError as error:
            self._leave_alone(error)

    def _may_ask(self, question: Question) -> bool:
        return question.proves_itself and self._elapsed() >= self._silent_until

    def _leave_alone(self, error: UnavailableError) -> None:
        self._silent_until = self._elapsed() + PAUSE
        log.warning("endorsements are not shared: %s", error)


class Layered:
    """Two caches: what the near one lacks is looked for in the far one.

    Args:
        near: this machine's.
        far: shared with others.
    """

    def __init__(self, near: Answers, far: Answers) -> None:
        self._near, self._far = near, far

    def read(self, question: Question) -> Entry | None:
        """Returns what was answered; "there is none" is the last word of neither."""
        near = self._near.read(question)
        if near is not None and near.reply is not None:
            return near
        return self._far.read(question) or near

    def write(self, question: Question, entry: Entry) -> None:
        """Keeps an answer in both."""
        self._near.write(question, entry)
        self._far.write(question, entry)
