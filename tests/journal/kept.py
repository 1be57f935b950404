"""Journals for tests, and a forger who writes them by hand after `docs/journal.md`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384
from wasmtime_attestation.errors import Finding
from wasmtime_attestation.issuer import TokenIssuer
from wasmtime_attestation.journal.decision import Decision, Function, Verdict
from wasmtime_attestation.journal.files import listing
from wasmtime_attestation.journal.settings import Fsync, Settings
from wasmtime_attestation.journal.verification import Expected, Findings, verify
from wasmtime_attestation.journal.writer import Journal, Signer

from tests.fakes.host import Clock
from tests.fakes.token import encode, recipe

Members = dict[str, Any]
TAG = b"wasmtime:attestation journal checkpoint\0"
DECISION = Decision(
    function=Function.ATTEST,
    verdict=Verdict.OK,
    guest="guest.wasm",
    guest_digest=hashlib.sha256(b"guest").digest(),
    target="vm",
    nonce_sha256=hashlib.sha256(b"nonce").digest(),
    audience="für dich",
    evidence_sha256=(hashlib.sha256(b"evidence").digest(),),
    token_sha256=hashlib.sha256(b"token").digest(),
    service="evidence",
    policy="production",
    duration=1234,
)
DENIED = replace(
    DECISION,
    verdict=Verdict.DENIED,
    audience=None,
    evidence_sha256=(),
    findings=(Finding("capability.rate", "more than 60 calls a minute"),),
)


def settings(directory: Path, **changes: Any) -> Settings:  # noqa: ANN401
    """Returns settings for tests: nothing is forced to the disk."""
    return replace(Settings(directory, fsync=Fsync.NEVER), **changes)


def open_journal(directory: Path, signer: Signer | None = None, **changes: Any) -> Journal:  # noqa: ANN401
    """Opens a journal with a clock that stands still."""
    return Journal(settings(directory, **changes), signer or TokenIssuer(), Clock())


def keep(
    directory: Path,
    decisions: int = 3,
    signer: Signer | None = None,
    **changes: Any,  # noqa: ANN401
) -> list[Path]:
    """Keeps a journal and returns its files."""
    with open_journal(directory, signer, **changes) as journal:
        for number in range(decisions):
            journal.record(replace(DECISION if number % 3 else DENIED, duration=number))
    return listing(directory)


def lines_of(path: Path) -> list[bytes]:
    """Returns the lines of a file, with their ends."""
    return path.read_bytes().splitlines(keepends=True)


def check(files: Sequence[Path], **expected: Any) -> Findings:  # noqa: ANN401
    """Verifies files."""
    return verify(files, Expected(**expected))


def problem(files: Sequence[Path], **expected: Any) -> tuple[str, int, str]:  # noqa: ANN401
    """Returns the file's name, the line and the check of the first wrong record."""
    found = check(files, **expected).problem
    assert found is not None, "nothing was found"
    place, reason = found
    return place.file.name, place.line, reason.finding.check


def sealed(members: Members, prev: str, signature: str | None = None) -> tuple[bytes, str]:
    """Writes a record by hand; returns the line and its hash."""
    whole = {**members, "prev": prev}
    if signature is not None:
        whole["signature"] = signature
    body = json.dumps(whole, separators=(",", ":"))[:-1].encode()
    digest = hashlib.sha256(body).hexdigest()
    return body + f',"hash":"{digest}"}}\n'.encode(), digest


@dataclass
class Forger:
    """Who can write the files anew, with a key of its own."""

    key: ec.EllipticCurvePrivateKey

    @classmethod
    def new(cls) -> Forger:
        """Returns one with a new key."""
        return cls(ec.generate_private_key(ec.SECP384R1()))

    @property
    def jwk(self) -> dict[str, str]:
        """The public key."""
        numbers = self.key.public_key().public_numbers()
        x, y = (encode(part.to_bytes(48, "big")) for part in (numbers.x, numbers.y))
        return {"crv": "P-384", "kty": "EC", "x": x, "y": y}

    @property
    def thumbprint(self) -> str:
        """The thumbprint of the key, in hex."""
        return recipe("P-384", self.jwk["x"], self.jwk["y"]).hex()

    def sign(self, data: bytes) -> str:
        """Returns a signature as checkpoints have it."""
        pair = decode_dss_signature(self.key.sign(data, ec.ECDSA(SHA384())))
        return encode(b"".join(part.to_bytes(48, "big") for part in pair))

    def rewrite(
        self,
        lines: Sequence[bytes],
        edit: Callable[[Members], Members | None] = lambda members: members,
        *,
        sign: bool = True,
    ) -> bytes:
        """Writes a journal anew: numbers, hashes and signatures are right again.

        Args:
            lines: the journal.
            edit: changes a record, or drops it.
            sign: with the forger's key; otherwise old signatures stay.
        """
        written, prev, number = b"", "0" * 64, 0
        for line in lines:
            members = edit(json.loads(line))
            if members is None:
                continue
            number += 1
            del members["prev"], members["hash"]
            members["seq"] = number
            signature = members.pop("signature", None)
            if sign and members["kind"] == "open":
                members["key_thumbprint"] = self.thumbprint
            if signature is not None and sign:
                members["key"] = self.jwk
                body = json.dumps({**members, "prev": prev}, separators=(",", ":"))[:-1]
                signature = self.sign(TAG + body.encode())
            text, prev = sealed(members, prev, signature)
            written += text
        return written
