"""What the miniature services have in common: JSON over HTTPS, a clock, and a mind of their own.

Each reads requests by itself, strictly, and verifies the evidence in them as its model does.
"""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from cryptography import x509
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.errors import AttestationError
from wasmtime_attestation.evidence.envelope import Evidence
from wasmtime_attestation.verifier import verify

from tests.emulation.web import HOST, WebAuthority, WebRequest, WebServer, answer
from tests.fakes import nvidia
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


@dataclass(frozen=True)
class Vendors:
    """Vendors whose hardware is none of `tests.fakes`' own in this process.

    Attributes:
        anchors: their roots.
        endorsements: what they say.
        clock: the time, at which that is valid.
        device_root: NVIDIA's, of devices.
    """

    anchors: Anchors
    endorsements: Endorsements
    clock: Callable[[], datetime]
    device_root: x509.Certificate | None = None


class Miniature:
    """A service on this machine.

    Attributes:
        clock: what it dates its tokens by.
        script: answers that it gives first, before it looks at any request.
        forge: what somebody in its place would make of the claims.
        vendors: those that it knows, if they are not the fakes of this process.
    """

    def __init__(self, authority: WebAuthority) -> None:
        self._server = WebServer(self._serve, authority.context(HOST))
        self.clock = Clock()
        self.script: list[bytes] = []
        self.forge: Callable[[Members], Members] = lambda claims: claims
        self.vendors: Vendors | None = None

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

    def objection(
        self,
        evidence: Evidence,
        anchors: Anchors,
        endorsements: Endorsements,
        *,
        report_data: bytes | None = None,
        nonce: bytes | None = None,
    ) -> str | None:
        """Verifies evidence as a service does, and returns what is wrong with it, if anything is.

        Args:
            evidence: what it was shown.
            anchors, endorsements: of the fakes, which it knows where it knows no other vendors.
            report_data, nonce: what the evidence must be bound to.
        """
        at = AT
        if self.vendors is not None:
            anchors, endorsements = self.vendors.anchors, self.vendors.endorsements
            at = self.vendors.clock()
        try:
            verify(
                evidence,
                endorsements,
                report_data=report_data,
                nonce=nonce,
                at=at,
                anchors=anchors,
                ledger=Ledger(),
            )
        except AttestationError as error:
            return str(error)
        return None

    @property
    def device_root(self) -> x509.Certificate:
        """Where the chains of devices end."""
        if self.vendors is not None and self.vendors.device_root is not None:
            return self.vendors.device_root
        return nvidia.HOPPER.chain()[-1]

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
