"""The interface of a service: JSON over HTTPS, bounded, and asked again only where it allows that.

What a service says against a request is explained with its own words, cut to a line, and without
the API key, which it may have repeated.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from wasmtime_attestation.endorsements.json_object import JsonObject
from wasmtime_attestation.endorsers import attempts
from wasmtime_attestation.endorsers.deadline import Deadline
from wasmtime_attestation.endorsers.http import Answer, Headers, HttpClient, Limits
from wasmtime_attestation.errors import RejectedError, UnavailableError
from wasmtime_attestation.evidence import strict_json
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.services.secret import Secret

CHECK = "service.evidence"
MAX_ANSWER = 2 << 20
"""Bytes of an answer; a token has at most half of that."""
# At DEBUG it writes the headers of answers: sessions, and whatever a service repeats.
logging.getLogger("httpcore").setLevel(logging.WARNING)
_EVERY = tuple(range(100, 600))
_JSON = {"Content-Type": "application/json", "Accept": "application/json"}
_MAX_SAID = 300
_MAX_READ = 1 << 14
"""Characters of others' text that are looked at; a message has fewer."""
_NO_HEADERS: Headers = {}


@dataclass(frozen=True, slots=True)
class Rules:
    """What a service's answers mean.

    Attributes:
        attempts: how often it is asked at most, at least once.
        retried: the statuses after which it may be asked again.
        retried_if_told: those after which it may be if it says when (`Retry-After`).
        rejecting: those that say that the evidence is at fault.
        meanings: what a status means, and what to do.
        parts: words in the service's message, and the part of the evidence that they mean.
        traces: headers by which its operator finds the request.
    """

    attempts: int = 3
    retried: frozenset[int] = frozenset()
    retried_if_told: frozenset[int] = frozenset({429, 503})
    rejecting: frozenset[int] = frozenset({400})
    meanings: Mapping[int, str] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)
    traces: tuple[str, ...] = ()


_MEANINGS: Mapping[int, str] = {
    401: "it wants an API key, or another one; check the service's settings",
    403: "the API key may not do this; check what it is allowed",
    404: "there is no such service at this address; check the service's url",
    407: "the proxy wants a name and a password (HTTPS_PROXY=http://name:password@proxy)",
    413: "the evidence is too large for it",
    429: "it was asked too often; try again later",
}


@dataclass(frozen=True, slots=True)
class Api:
    """A service at an address.

    Attributes:
        name: for messages.
        url: what paths are added to.
        rules: what its answers mean.
        seconds: how long a question may take, with all its repetitions.
    """

    name: str
    url: str
    rules: Rules
    seconds: float

    def get(
        self,
        path: str,
        headers: Headers = _NO_HEADERS,
        secret: Secret | None = None,
        request_id: str | None = None,
    ) -> Answer:
        """Asks with GET; see `post`."""
        wanted = {"Accept": "application/json", **headers}
        return self._asked(
            lambda http: http.get(self.url + path, wanted, _EVERY),
            secret,
            request_id,
            is_post=False,
        )

    def post(
        self,
        path: str,
        document: Json,
        headers: Headers = _NO_HEADERS,
        secret: Secret | None = None,
        request_id: str | None = None,
    ) -> Answer:
        """Asks with POST.

        Args:
            path: from the service's address on.
            document: the body.
            headers: besides those for JSON.
            secret: what no message may repeat.
            request_id: by which the service's operator finds the request, for messages.

        Returns:
            an answer of status 200.

        Raises:
            RejectedError: `service.evidence`, the service does not take the evidence.
            UnavailableError: there is no answer, or another that is no use.
        """
        body = json.dumps(document, separators=(",", ":")).encode()
        sent = {**_JSON, **headers}
        return self._asked(
            lambda http: http.post(self.url + path, body, sent, _EVERY),
            secret,
            request_id,
            is_post=True,
        )

    def document(self, answer: Answer) -> JsonObject:
        """Returns the object in an answer.

        Raises:
            UnavailableError: it has none.
        """
        try:
            return JsonObject.of(strict_json.loads(answer.body, floats=True), "the answer")
        except (ValueError, RecursionError) as error:
            raise self.nonsense(error) from error

    def nonsense(self, error: Exception) -> UnavailableError:
        """Returns the error for an answer that is not what the service documents."""
        return UnavailableError(
            f"{self.name} ({self.url}) does not answer as it should: {line(str(error))}; check "
            "its address, and that nothing on the way answers in its place"
        )

    def _asked(
        self,
        ask: Callable[[HttpClient], Answer],
        secret: Secret | None,
        request_id: str | None,
        *,
        is_post: bool,
    ) -> Answer:
        deadline = Deadline.after(self.seconds)
        for attempt in range(1, self.rules.attempts + 1):
            answer = _answer(ask, secret, deadline.left)
            if answer.status == 200:
                return answer
            seconds = self._pause(attempt, answer)
            if seconds is None or seconds >= deadline.left:
                self._refuse(answer, secret, request_id, is_post=is_post)
            time.sleep(seconds)
        raise AssertionError("the last attempt has no pause after it")

    def _pause(self, attempt: int, answer: Answer) -> float | None:
        """Returns how long to wait before the next attempt; None where there must be none."""
        if attempt == self.rules.attempts:
            return None
        told = "retry-after" in answer.headers and answer.status in self.rules.retried_if_told
        if told or answer.status in self.rules.retried:
            return attempts.pause(attempt - 1, answer.headers)
        return None

    def _refuse(
        self, answer: Answer, secret: Secret | None, request_id: str | None, *, is_post: bool
    ) -> NoReturn:
        text, status = said(answer.body, secret), answer.status
        meaning = self.rules.meanings.get(status, _MEANINGS.get(status, _class_of(status)))
        hints = [*self._hints(answer, text, secret)]
        hints += [] if request_id is None else [f"request id {request_id}"]
        message = f"{self.name} answers HTTP {status}" + (f" ({text})" if text else "")
        message = "; ".join([f"{message}: {meaning}", *hints])
        # Evidence is only ever sent with POST.
        if is_post and status in self.rules.rejecting:
            raise RejectedError.of(CHECK, message)
        raise UnavailableError(f"{message} [{self.url}]")

    def _hints(self, answer: Answer, text: str, secret: Secret | None) -> Iterator[str]:
        """Yields which part of the evidence is meant, and what else helps."""
        lowered = text.lower()
        headers = {name: _without(secret, value) for name, value in answer.headers.items()}
        yield from (part for word, part in self.rules.parts.items() if word.lower() in lowered)
        if again := headers.get("retry-after"):
            yield f"to be asked again after {line(again)}"
        yield from (f"{n} {line(headers[n])}" for n in self.rules.traces if n in headers)


def _answer(ask: Callable[[HttpClient], Answer], secret: Secret | None, seconds: float) -> Answer:
    try:
        return ask(HttpClient(Limits(MAX_ANSWER, seconds, attempts=1, redirects=0)))
    except UnavailableError as error:
        message = _without(secret, error.message)
        if message == error.message:
            raise
        # What it was raised from has the key too.
        raise UnavailableError(message) from None


def _class_of(status: int) -> str:
    if 300 <= status < 400:
        return "it leads elsewhere, where evidence is not sent; give the address itself as url"
    if status >= 500:
        return "it fails; try again later"
    return "it does not take the request"


def said(body: bytes, secret: Secret | None = None) -> str:
    """Returns what an answer says in words, on one line and without a key, or nothing."""
    try:
        document = strict_json.loads(body, floats=True)
    except (ValueError, RecursionError):
        return line(_without(secret, body.decode("utf-8", "replace")))
    return line(_without(secret, ": ".join(_words(document))))


def _without(secret: Secret | None, text: str) -> str:
    """Hides a key before anything is cut: of half a key, nobody would know that it is one."""
    return text if secret is None else secret.hidden_in(text[:_MAX_READ])


def _words(document: Json) -> list[str]:
    """Errors stand in these members: of Microsoft, Intel, NVIDIA and Confidential Containers."""
    if isinstance(document, str | int | float):
        return [str(document)]
    if not isinstance(document, dict):
        return []
    names = ("error", "code", "errorCode", "type", "message", "detail", "error_description")
    return [word for name in names for word in _words(document.get(name))]


def line(text: str) -> str:
    """Returns text of others as one line of a message."""
    shown = "".join(c if c.isprintable() else " " for c in text[:_MAX_SAID].strip())
    return shown + ("…" if len(text) > _MAX_SAID else "")
