"""HTTP as everything here uses it: https unless asked otherwise, bounded whatever a server does.

Redirects stay with the hosts that may be asked, failures that may pass are tried again with
growing pauses, and whatever goes wrong is an `UnavailableError`.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self, TypeAlias

import httpx

from wasmtime_attestation.endorsers import attempts
from wasmtime_attestation.endorsers.deadline import Deadline
from wasmtime_attestation.endorsers.exchange import Channel, ExchangeError, RawAnswer, Request
from wasmtime_attestation.errors import UnavailableError

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_TEXT, _MAX_URL = 200, 120
"""Characters of an answer and of an address in a message."""
_ADVICE = {
    401: "; check the key",
    403: "; check the key and what it is allowed",
    407: "; the proxy wants a name and a password (HTTPS_PROXY=http://name:password@proxy)",
    429: "; it was asked too often: try again later, or use what it answered before",
}
Headers: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one question may take.

    Attributes:
        size: bytes of an answer's body.
        seconds: all attempts, redirects and pauses together.
        attempts: how often to ask, at least 1.
        redirects: how many to follow.
    """

    size: int
    seconds: float = 30.0
    attempts: int = 3
    redirects: int = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer.

    Attributes:
        status: the code, one of those that were accepted.
        headers: by name in lower case.
        body: the bytes, as they were sent.
        url: where they came from in the end.
    """

    status: int
    headers: Headers
    body: bytes
    url: str

    @property
    def refusal(self) -> str:
        """What it means where it is not the answer that was wanted, for a message."""
        said = _text(self.body[:_MAX_TEXT].decode("utf-8", "replace").strip())
        again = _text(self.headers.get("retry-after", ""))
        return (
            f"it answers HTTP {self.status}"
            + (f" ({said})" if said else "")
            + (f", to be asked again after {again}" if again else "")
            + _ADVICE.get(self.status, "")
        )


class HttpClient:
    """Asks servers; used as a context manager, it keeps connections for further questions.

    Args:
        limits: of each question.
        hosts: the names of the hosts that may be asked or redirected to; None for any, where
            redirects stay on the host that was asked.
        proxies: whether the proxies of the environment are used (HTTPS_PROXY, NO_PROXY).
        plain: whether http will do, such as for a metadata service on the link.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        hosts: frozenset[str] | None = None,
        proxies: bool = True,
        plain: bool = False,
    ) -> None:
        self._limits = limits
        self._hosts = hosts
        self._proxies = proxies
        self._plain = plain
        self._stack: contextlib.ExitStack | None = None
        self._kept: Channel | None = None

    def __enter__(self) -> Self:
        self._stack = contextlib.ExitStack()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        stack, self._stack, self._kept = self._stack, None, None
        if stack is not None:
            stack.close()

    def get(
        self, url: str, headers: Headers | None = None, accept: tuple[int, ...] = (200,)
    ) -> Answer:
        """Asks with GET.

        Args:
            url: where.
            headers: to send.
            accept: the status codes that count as an answer.

        Raises:
            UnavailableError: it cannot be reached, or what it answers is not accepted, is too
                large or too slow, or leads elsewhere.
        """
        return self._ask(url, None, headers or {}, accept)

    def post(
        self,
        url: str,
        body: bytes,
        headers: Headers | None = None,
        accept: tuple[int, ...] = (200,),
    ) -> Answer:
        """Asks with POST; else the same as `get`, but that redirects are not followed."""
        return self._ask(url, body, headers or {}, accept)

    def _ask(
        self, url: str, body: bytes | None, headers: Headers, accept: tuple[int, ...]
    ) -> Answer:
        method = "GET" if body is None else "POST"
        try:
            request = Request(method, self._permitted(httpx.URL(url)), headers, body)
            with self._channel(request.url) as channel:
                return self._followed(channel, request, accept)
        except ExchangeError as error:
            raise UnavailableError(f"{_text(url, _MAX_URL)}: {error}") from error
        except (httpx.HTTPError, OSError) as error:
            raise UnavailableError(f"{_text(url, _MAX_URL)} {_described(error)}") from error
        except (httpx.InvalidURL, ValueError, ImportError) as error:
            # The latter two: a proxy in the environment that cannot be used.
            raise UnavailableError(
                f"{_text(url, _MAX_URL)} cannot be asked: {_text(str(error))}"
            ) from error

    @contextlib.contextmanager
    def _channel(self, url: httpx.URL) -> Iterator[Channel]:
        if self._stack is None:
            # A redirect does not change the scheme, but a proxy may have another.
            secure = url.scheme == "https" or self._proxies
            with Channel(proxies=self._proxies, secure=secure) as channel:
                yield channel
            return
        if self._kept is None:
            self._kept = self._stack.enter_context(Channel(proxies=self._proxies))
        yield self._kept

    def _permitted(self, url: httpx.URL) -> httpx.URL:
        if url.scheme != "https" and not (self._plain and url.scheme == "http"):
            raise ExchangeError("only https is used there")
        if not url.host or url.userinfo:
            raise ExchangeError("the address has no host, or a name and a password")
        if self._hosts is not None and url.host not in self._hosts:
            raise ExchangeError(f"{_text(url.host)} is not a host that may be asked")
        return url

    def _followed(self, channel: Channel, request: Request, accept: tuple[int, ...]) -> Answer:
        deadline = Deadline.after(self._limits.seconds)
        for _ in range(self._limits.redirects + 1):
            raw = self._attempted(channel, request, accept, deadline)
            answer = Answer(raw.status, raw.headers, raw.body, str(request.url))
            if answer.status in accept:
                return answer
            if answer.status not in _REDIRECTS or request.body is not None:
                raise ExchangeError(answer.refusal)
            request = replace(request, url=self._target(request.url, raw))
        raise ExchangeError(f"it redirects more than {self._limits.redirects} times")

    def _target(self, url: httpx.URL, answer: RawAnswer) -> httpx.URL:
        target = url.join(answer.headers.get("location", ""))
        if self._hosts is None and target.host != url.host:
            raise ExchangeError(f"it redirects to another host, {_text(target.host)}")
        if target.scheme != url.scheme:
            raise ExchangeError(f"it redirects from {url.scheme} to {_text(target.scheme)}")
        return self._permitted(target)

    def _attempted(
        self, channel: Channel, request: Request, accept: tuple[int, ...], deadline: Deadline
    ) -> RawAnswer:
        """Returns the first answer that stands, or the last; raises the last failure."""
        for attempt in range(self._limits.attempts):
            is_last = attempt + 1 == self._limits.attempts
            try:
                answer = channel.exchange(request, self._limits.size, deadline)
            except (httpx.HTTPError, OSError) as error:
                if deadline.is_over:
                    raise ExchangeError(deadline.missed) from error
                seconds = attempts.pause(attempt)
                if is_last or seconds >= deadline.left or not attempts.failure_may_pass(error):
                    raise
            else:
                seconds = attempts.pause(attempt, answer.headers)
                stands = answer.status in accept or not attempts.status_may_pass(answer.status)
                if stands or is_last or seconds >= deadline.left:
                    return answer
            time.sleep(seconds)
        raise ValueError("there must be at least one attempt")


def _described(error: httpx.HTTPError | OSError) -> str:
    fault = attempts.certificate_fault(error)
    if fault is not None:
        return (
            f"is not believed to be itself: {_text(fault)}; if it, or a proxy, has a certification "
            "authority of its own, name that with SSL_CERT_FILE"
        )
    what = _text(str(error)) or type(error).__name__
    return f"cannot be reached: {what}; check the network and the proxy (HTTPS_PROXY)"


def _text(text: str, limit: int = _MAX_TEXT) -> str:
    """Returns text of others as one line of a message."""
    shown = "".join(c if c.isprintable() else " " for c in text[:limit])
    return shown + ("…" if len(text) > limit else "")
