"""One request and its answer over HTTP, bounded in time and size.

Timeouts of sockets start again with every byte and do not cover the resolver, so an exchange
runs in a thread of its own, which is left behind, its connection shut, when time is up.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

from wasmtime_attestation.endorsers import tls
from wasmtime_attestation.endorsers.deadline import Deadline

CONNECT_SECONDS = 10.0
"""How long a connection may take: a host that drops packets should not use up all the time."""
_LAST_SECONDS = 1.0
"""How long a thread whose connection was shut may take to notice."""
_IDENTITY = {"", "identity"}


class ExchangeError(Exception):
    """There is no answer; the message says why."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked; the body is None for GET."""

    method: str
    url: httpx.URL
    headers: Mapping[str, str]
    body: bytes | None


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """What came back: names of headers are in lower case, values of one name are joined."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Channel:
    """The connections to one or more servers; a context manager.

    Args:
        proxies: whether the environment's proxies are used.
        secure: whether https will be asked for; without, no certification authority is believed,
            nor read, which takes longer than many an answer.

    Raises:
        UnavailableError: the certification authorities cannot be read.
        ValueError, ImportError: a proxy in the environment cannot be used.
    """

    def __init__(self, *, proxies: bool, secure: bool = True) -> None:
        self._sockets: list[socket.socket] = []
        context = tls.client_context() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._client = httpx.Client(verify=context, trust_env=proxies, follow_redirects=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._client.close()

    def exchange(self, request: Request, size: int, deadline: Deadline) -> RawAnswer:
        """Sends a request and reads the answer.

        Args:
            request: what to ask.
            size: the most bytes that the answer's body may have.
            deadline: when it must be over.

        Raises:
            ExchangeError: the answer is too large, too slow or compressed.
            httpx.HTTPError: there is none.
        """
        outcomes: queue.SimpleQueue[RawAnswer | Exception] = queue.SimpleQueue()

        def run() -> None:
            try:
                outcomes.put(self._exchange(request, size, deadline))
            except Exception as error:  # noqa: BLE001 - raised again by who waits for it
                outcomes.put(error)

        thread = threading.Thread(target=run, daemon=True, name="http-exchange")
        thread.start()
        try:
            outcome = outcomes.get(timeout=deadline.left)
        except queue.Empty:
            self._shut(thread)
            raise ExchangeError(deadline.missed) from None
        except BaseException:
            self._shut(thread)
            raise
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _shut(self, thread: threading.Thread) -> None:
        """Wakes the thread; closing would hand the socket's number to another file meanwhile."""
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        thread.join(_LAST_SECONDS)

    def _exchange(self, request: Request, size: int, deadline: Deadline) -> RawAnswer:
        left = deadline.left
        built = self._client.build_request(
            request.method,
            request.url,
            headers={"Accept-Encoding": "identity", **request.headers},
            content=request.body,
            timeout=httpx.Timeout(left, connect=min(left, CONNECT_SECONDS)),
            extensions={"trace": self._trace},
        )
        with contextlib.closing(self._client.send(built, stream=True)) as response:
            # Nothing that one server wants to be remembered goes into the next request.
            self._client.cookies.clear()
            body = _body(response, size, deadline)
            return RawAnswer(response.status_code, dict(response.headers.items()), body)

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Is told by httpcore of each step (its extension `trace`), also of new connections."""
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._sockets.append(info["return_value"].get_extra_info("socket"))


def _body(response: httpx.Response, size: int, deadline: Deadline) -> bytes:
    """Reads the body as it comes, so that nothing is kept that is more than allowed."""
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in _IDENTITY:
        # A few bytes can decode to gigabytes, and nobody asked for it.
        raise ExchangeError("the answer is compressed, which was not asked for")
    too_large = ExchangeError(f"the answer is larger than {size} bytes")
    declared = response.headers.get("content-length", "")
    # h11 takes digits alone, at most 20 of them.
    if declared and int(declared) > size:
        raise too_large
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > size:
            raise too_large
        if deadline.is_over:
            raise ExchangeError(deadline.missed)
    return bytes(body)
