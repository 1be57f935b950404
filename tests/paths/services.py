"""The services in a namespace: miniatures on HTTPS, each with a certification authority of its own.

They know the vendors of the emulated hardware that started before them, and the time as it is. A
test tells one what to `play`: a list of acts (`acts.py`), one for each time that it is shown
evidence, the last for good. What it answered is noted, with the keys that it published then:
`Answered.of(machine.notes("maa"))`.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Self

from cryptography import x509
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.x509 import load_pem_certificate, spki_sha256

from tests.emulation import hardware
from tests.emulation.emulation import Emulation, Place
from tests.emulation.ita_service import ItaMiniature
from tests.emulation.json_service import Miniature, Reply, Vendors
from tests.emulation.kbs_service import KbsMiniature
from tests.emulation.maa_service import MaaMiniature
from tests.emulation.nras_service import NrasMiniature
from tests.emulation.web import WebAuthority, WebRequest
from tests.fakes.host import Clock
from tests.paths import acts

_EVIDENCE = ("/attest/", "/appraisal/", "/v3/attest/", "/v4/attest/", "/kbs/v0/attest")
_HARDWARE = ("tsm", "sev-guest", "azure", "nvml")


@dataclass
class WallClock(Clock):
    """The time as it is, or as a clock has it that is wrong.

    Attributes:
        ahead: seconds.
    """

    ahead: float = 0

    def __call__(self) -> float:
        """Returns the time."""
        return time.time() + self.ahead


@dataclass(frozen=True)
class Answered:
    """What a service answered when it was shown evidence.

    Attributes:
        act: what it had been told.
        status: of HTTP.
        body: what it said.
        keys: its key set then.
    """

    act: str
    status: str
    body: str
    keys: str

    @property
    def token(self) -> str:
        """The token in the answer, or NVIDIA's answer as it came."""
        found = json.loads(self.body)
        return str(found["token"]) if isinstance(found, dict) else self.body

    @classmethod
    def of(cls, notes: Iterable[str]) -> list[Self]:
        """Reads what was noted."""
        return [cls(**json.loads(note)) for note in notes]


@dataclass
class Service(Emulation):
    """A service of the kind that a subclass names.

    Attributes:
        settings: attributes of its miniature that are different from the default.
    """

    name: ClassVar[str]
    keys_path: ClassVar[str]
    miniature: ClassVar[type[MaaMiniature | ItaMiniature | NrasMiniature | KbsMiniature]]
    settings: Mapping[str, Any] = field(default_factory=dict)

    def serve(self, place: Place) -> None:
        """Answers until it is killed; `ca.pem` and `url` in its folder say where and who."""
        authority = WebAuthority(place.folder, "ca")
        miniature = self.miniature(authority)
        for name, value in self.settings.items():
            setattr(miniature, name, value)
        miniature.clock = WallClock()
        miniature.vendors = _vendors(place.folder.parent)
        miniature.respond = _Stage(miniature, place, self.keys_path).respond  # type: ignore[method-assign]
        with miniature:
            (place.folder / "url").write_text(miniature.url)
            place.ready()
            threading.Event().wait()


class Maa(Service):
    """Azure Attestation."""

    name = "maa"
    keys_path = "/certs"
    miniature = MaaMiniature


class Ita(Service):
    """Intel Trust Authority."""

    name = "ita"
    keys_path = "/certs"
    miniature = ItaMiniature


class Nras(Service):
    """NVIDIA's Remote Attestation Service."""

    name = "nras"
    keys_path = "/.well-known/jwks.json"
    miniature = NrasMiniature


class Trustee(Service):
    """Confidential Containers' Trustee."""

    name = "trustee"
    keys_path = "/jwks"
    miniature = KbsMiniature


class _Stage:
    """Where a miniature plays its acts."""

    def __init__(self, miniature: Miniature, place: Place, keys_path: str) -> None:
        self._miniature = miniature
        self._real = miniature.respond
        self._usual = dict(vars(miniature))
        self._place = place
        self._keys = WebRequest("GET", keys_path, {}, b"")
        self._told = ""
        self._played: list[Reply] = []
        self._lock = threading.Lock()

    def respond(self, request: WebRequest) -> Reply:
        """Answers, and notes what it answered to evidence."""
        if request.method != "POST" or not request.target.startswith(_EVIDENCE):
            return self._real(request)
        with self._lock:
            act = self._next()
            for name in acts.CHANGED & self._usual.keys():
                setattr(self._miniature, name, self._usual[name])
            self._miniature.clock = WallClock()
            acts.ACTS[act](self._miniature)
            reply = self._reply(request, act)
            self._note(act, reply)
            return reply

    def _next(self) -> str:
        told = self._place.told()
        if told != self._told:
            self._told, self._played = told, []
        play = json.loads(told)["play"] if told else [acts.TRUTH]
        return str(play[min(len(self._played), len(play) - 1)])

    def _reply(self, request: WebRequest, act: str) -> Reply:
        """Repeats the first answer where that is the act."""
        reply = self._real(request)
        self._played.append(reply)
        return self._played[0] if act == acts.AGAIN else reply

    def _note(self, act: str, reply: Reply) -> None:
        body, keys = (_text(each[1]) for each in (reply, self._real(self._keys)))
        note = {"act": act, "status": reply[0], "body": body, "keys": keys}
        self._place.note(json.dumps(note))


def _text(body: object) -> str:
    return body.decode() if isinstance(body, bytes) else json.dumps(body)


def _vendors(home: Path) -> Vendors:
    """Returns the vendors of the hardware in this namespace."""
    folders = [home / name for name in _HARDWARE if (home / name).exists()]
    roots = [load_pem_certificate(p.read_bytes()) for f in folders for p in f.glob("*root.pem")]
    files = [file for folder in folders for file in hardware.endorsements(folder)]
    return Vendors(
        Anchors(()).trusting(map(spki_sha256, roots)),
        Endorsements.from_files((file.name, file.read_bytes()) for file in files),
        lambda: datetime.now(UTC),
        _device_root(home / "nvml" / "root.pem"),
    )


def _device_root(file: Path) -> x509.Certificate | None:
    return load_pem_certificate(file.read_bytes()) if file.exists() else None
