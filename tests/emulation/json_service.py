"""What the miniature services have in common: JSON over HTTPS, a clock, and a mind of their own.

Each reads requests by itself, strictly, and verifies the evidence in them as its model does.
"""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Callable, Mapping
from typing import Any, Self

from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.errors import AttestationError
from wasmtime_attestation.evidence.envelope import Evidence
from wasmtime_attestation.verifier import verify

from tests.emulation.web import HOST, WebAuthority, WebRequest, WebServer, answer
from tests.fakes.amd import AT
from tests.fakes.host import Clock
from tests.fakes.jose import Members

Claims = dict[str, Any]
Reply = tuple[str, object] | tuple[str, object, Mapping[str, str]]


class RefusedError(Exception):
    """The service's no: a status and what it says.

    Args:
        status: code and phrase.
        body: JSON.
        headers: further ones.
    """

    def __init__(self, status: str, body: object, **headers: str) -> None:
        super().__init__(status)
        self.reply: Reply = (status, body, headers)


class Miniature:
    """A service on this machine.

    Attributes:
        clock: what it dates its tokens by.
        script: answers that it gives first, before it looks at any request.
        forge: what somebody in its place would make of the claims.
    """

    def __init__(self, authority: WebAuthority) -> None:
        self._server = WebServer(self._serve, authority.context(HOST))
        self.clock = Clock()
        self.script: list[bytes] = []
        self.forge: Callable[[Members], Members] = lambda claims: claims

    @property
    def url(self) -> str:
        """Its address."""
        return self._server.url

    @property
    def requests(self) -> list[WebRequest]:
        """What it was asked."""
        return self._server.requests

    def asked(self, path: str) -> list[WebRequest]:
        """What it was asked at a path."""
        return [r for r in self.requests if r.target.partition("?")[0] == path]

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.__exit__()

    def respond(self, request: WebRequest) -> Reply:
        """Answers a request."""
        raise NotImplementedError

    def _serve(self, request: WebRequest, connection: socket.socket) -> None:
        if self.script:
            connection.sendall(self.script.pop(0))
            return
        try:
            reply = self.respond(request)
        except RefusedError as refused:
            reply = refused.reply
        status, body, *rest = reply
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.sendall(answer(status, data, **(rest[0] if rest else {})))


def members(body: bytes, required: set[str], optional: frozenset[str] = frozenset()) -> Members:
    """Reads a request that has these members and no others."""
    document: Members = json.loads(body)
    assert required <= document.keys() <= required | optional, sorted(document)
    return document


def base64url(text: str) -> bytes:
    """Reads base64url without padding, strictly."""
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    assert base64.urlsafe_b64encode(data).rstrip(b"=").decode() == text
    return data


def standard(text: str) -> bytes:
    """Reads base64 with padding, strictly."""
    return base64.b64decode(text, validate=True)


def objection(
    evidence: Evidence,
    anchors: Anchors,
    endorsements: Endorsements,
    *,
    report_data: bytes | None = None,
    nonce: bytes | None = None,
) -> str | None:
    """Verifies evidence as a service does, and returns what is wrong with it, if anything is."""
    try:
        verify(
            evidence,
            endorsements,
            report_data=report_data,
            nonce=nonce,
            at=AT,
            anchors=anchors,
            ledger=Ledger(),
        )
    except AttestationError as error:
        return str(error)
    return None
