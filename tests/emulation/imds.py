"""Azure's metadata service, as far as it speaks for the hardware, on its link-local address.

Source: Microsoft, "Azure Instance Metadata Service"; Azure/cvm-attestation-tools, `imds_client.py`;
kinvolk/azure-cvm-tooling, `imds.rs` and its changes (the content type).
"""

from __future__ import annotations

import base64
import binascii
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.emulation.inside import IMDS

_HUGE = 1 << 30
_TD_REPORT = 1024


@dataclass(frozen=True)
class Answers:
    """What the service has to say of one VM.

    Attributes:
        vcek, chain: PEM; empty on TDX.
        quote: makes a TD quote of a TDREPORT.
        said: what the test told last; a line `imds hang`, `imds 429`, `imds huge`,
            `imds redirect`, `imds padded` or `imds BODY`.
        note: notes a request.
    """

    vcek: str
    chain: str
    quote: Callable[[bytes], bytes]
    said: Callable[[], str]
    note: Callable[[str], None]


def serve(answers: Answers) -> None:
    """Serves in a thread of its own."""

    class Handler(_Handler):
        service = answers

    server = ThreadingHTTPServer((IMDS, 80), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    service: Answers
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        del format, args

    def do_GET(self) -> None:
        if self._is_faulty():
            return
        if self.headers.get("Metadata") != "true" or self.headers.get("X-Forwarded-For"):
            self._error(400, "Bad request. Required metadata header not specified")
        elif self.path != "/metadata/THIM/amd/certification" or not self.service.vcek:
            self._error(404, "Not found")
        else:
            self._answer(
                {
                    "vcekCert": self.service.vcek,
                    "tcbm": "DB18000000000004",
                    "certificateChain": self.service.chain,
                    "cacheControl": "86400",
                }
            )

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self._is_faulty():
            return
        if self.path != "/acc/tdquote" or self.service.vcek:
            self._error(404, "Not found")
        elif self.headers.get("Content-Type") != "application/json":
            self._send(415, b"")
        else:
            self._quote(body)

    def _quote(self, body: bytes) -> None:
        try:
            text = json.loads(body)["report"]
            report = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except (ValueError, KeyError, TypeError, binascii.Error):
            report = b""
        if len(report) != _TD_REPORT:
            self._error(400, "The report is invalid")
            return
        quote = base64.urlsafe_b64encode(self.service.quote(report)).decode()
        if self._fault() == "padded":
            quote = quote.translate(str.maketrans("-_", "+/"))
        else:
            quote = quote.rstrip("=")
        self._answer({"quote": quote})

    def _fault(self) -> str:
        lines = self.service.said().splitlines()
        return next((line[5:] for line in lines if line.startswith("imds ")), "")

    def _is_faulty(self) -> bool:
        """Does what the test told; False if that is nothing, or is done later."""
        self.service.note(f"{self.command} {self.path}")
        fault = self._fault()
        if fault in ("", "padded"):
            return False
        if fault == "hang":
            time.sleep(60)
        elif fault == "huge":
            self._huge()
        elif fault == "redirect":
            self._send(302, b"", Location=f"http://127.0.0.1{self.path}")
        elif fault.isdecimal():
            self._error(int(fault), "as told")
        else:
            self._send(200, fault.encode())
        return True

    def _huge(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(_HUGE))
        self.end_headers()
        try:
            for _ in range(_HUGE >> 20):
                self.wfile.write(b" " * (1 << 20))
        except OSError:  # the client has enough
            self.close_connection = True

    def _answer(self, members: dict[str, str]) -> None:
        self._send(200, json.dumps(members).encode())

    def _error(self, status: int, text: str) -> None:
        self._send(status, json.dumps({"error": text}).encode())

    def _send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
