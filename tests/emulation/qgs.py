"""The host's Quote Generation Service, which a TD reaches over vsock.

Faults, one word for each request: `hang`, it never answers; `hangup`, it hangs up; `cut`, in the
middle; `huge`, it announces a gigabyte; `error`, an error of its own; `other`, a quote over other
data; `bytes`, it answers byte by byte; `version` and `sizes`, an answer that contradicts itself.

Source: Intel, SGX DCAP, QuoteGeneration/quote_wrapper/qgs_msg_lib.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.emulation import vsock
from tests.emulation.emulation import Emulation, Place
from tests.emulation.faults import Faults
from tests.emulation.hardware import TdxPlatform

_REQUEST = struct.Struct("<HHIIIII")
_TD_REPORT = 1024


@dataclass
class QuoteGenerationService(Emulation):
    """The service.

    Attributes:
        port: where it listens; None for a host without the service.
    """

    port: int | None = 4050
    name = "qgs"

    def environment(self, folder: Path) -> Mapping[str, str]:
        """Leads vsock to the folder."""
        return vsock.environment(folder)

    def serve(self, place: Place) -> None:
        """Serves."""
        if self.port is None:
            place.ready()
            threading.Event().wait()
            return
        platform, faults = TdxPlatform(place.folder), Faults(place)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
            listening.bind(vsock.address(place.folder, self.port))
            listening.listen()
            place.ready()
            while True:
                connection, _ = listening.accept()
                arguments = (connection, platform, faults, place)
                threading.Thread(target=_answer, args=arguments, daemon=True).start()


def _answer(connection: socket.socket, platform: TdxPlatform, faults: Faults, place: Place) -> None:
    with connection, connection.makefile("rb") as stream:
        (length,) = struct.unpack(">I", stream.read(4))
        message = stream.read(length)
        major, minor, kind, size, error, report_size, ids = _REQUEST.unpack_from(message)
        place.note(f"{major}.{minor} {kind} {size} {error} {report_size} {ids}")
        right = (major, kind, size, report_size, ids) == (1, 0, length, _TD_REPORT, 0)
        word = faults.next() if right else "error"
        if word == "hang":
            time.sleep(1000)
        report = message[_REQUEST.size :]
        _send(connection, platform.quote_of(bytes(_TD_REPORT) if word == "other" else report), word)


def _send(connection: socket.socket, quote: bytes, word: str) -> None:
    if word == "hangup":
        return
    error = 0x12001 if word == "error" else 0
    body = struct.pack("<II", 0, len(quote) + (word == "sizes")) + quote
    header = (2 if word == "version" else 1, 1, 1, 16 + len(body), error)
    message = struct.pack("<HHIII", *header) + body
    length = 1 << 30 if word == "huge" else len(message)
    whole = struct.pack(">I", length) + message
    if word == "cut":
        whole = whole[:-100]
    step = 7 if word == "bytes" else len(whole)
    for at in range(0, len(whole), step):
        connection.sendall(whole[at : at + step])
