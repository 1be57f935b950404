"""What the host decided about one call of a guest, as the journal keeps it.

Nothing here can hold a secret: of a nonce, a token and evidence there are only digests, and text
from outside is bounded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from wasmtime_attestation.errors import AttestationError, Finding
from wasmtime_attestation.evidence.strict_json import Json

MAX_TEXT = 128
"""Characters of a name, a target or a policy."""
MAX_AUDIENCE = 256
"""Characters of an audience."""
MAX_FINDINGS = 16
"""Findings of one decision; the last says how many were left out."""
MAX_DETAIL = 256
"""Characters of what a finding says."""
MAX_EVIDENCE = 64
"""Pieces of evidence whose digests are kept."""
_CUT = "..."


class Function(StrEnum):
    """What was asked for."""

    DETECT_TEE = "detect-tee"
    ATTEST_VM = "attest-vm"
    ATTEST_GPU = "attest-gpu"
    ATTEST = "attest"
    VERIFY_TOKEN = "verify-token"  # noqa: S105  no password
    VERIFY = "verify"
    CLEAR_CACHE = "clear-cache"
    GPUS = "gpus"
    START = "start"
    """The host starts a guest."""
    STOP = "stop"
    """The host stops a guest, or the guest ends."""


class Verdict(StrEnum):
    """How it was answered: `ok`, or the case of the error."""

    OK = "ok"
    UNSUPPORTED = "unsupported"
    UNAVAILABLE = "unavailable"
    REJECTED = "rejected"
    POLICY = "policy"
    DENIED = "denied"
    INVALID_ARGUMENT = "invalid-argument"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision.

    Attributes:
        function: what was asked for.
        verdict: how it was answered.
        guest: the name of who asked; None where the host itself did.
        guest_digest: SHA-256 of the guest's bytes.
        target: vm, gpu:N or all.
        nonce_sha256: SHA-256 of the nonce.
        audience: whom the token is for.
        evidence_sha256: SHA-256 of each piece of evidence.
        token_sha256: SHA-256 of the token that was issued or verified.
        service: who issued the token.
        policy: the name of the policy that was applied.
        findings: why it was refused.
        duration: microseconds.
    """

    function: Function
    verdict: Verdict
    guest: str | None = None
    guest_digest: bytes | None = None
    target: str | None = None
    nonce_sha256: bytes | None = None
    audience: str | None = None
    evidence_sha256: tuple[bytes, ...] = ()
    token_sha256: bytes | None = None
    service: str | None = None
    policy: str | None = None
    findings: tuple[Finding, ...] = ()
    duration: int = 0

    def members(self) -> dict[str, Json]:
        """Returns the members of its record, in their order."""
        return {
            "function": self.function,
            "verdict": self.verdict,
            "guest": _text(self.guest, MAX_TEXT),
            "guest_digest": _hex(self.guest_digest),
            "target": _text(self.target, MAX_TEXT),
            "nonce_sha256": _hex(self.nonce_sha256),
            "audience": _text(self.audience, MAX_AUDIENCE),
            "evidence_sha256": [piece.hex() for piece in self.evidence_sha256[:MAX_EVIDENCE]],
            "token_sha256": _hex(self.token_sha256),
            "service": _text(self.service, MAX_TEXT),
            "policy": _text(self.policy, MAX_TEXT),
            "findings": _findings(self.findings),
            "duration_us": max(0, self.duration),
        }


def verdict_of(error: AttestationError | None) -> Verdict:
    """Returns the verdict that an error stands for; `ok` for none."""
    return Verdict.OK if error is None else Verdict(error.case)


def findings_of(error: AttestationError | None) -> tuple[Finding, ...]:
    """Returns the findings of an error; of one without any, its case and message."""
    if error is None:
        return ()
    found: tuple[Finding, ...] | None = getattr(error, "findings", None)
    return (Finding(error.case, error.message),) if found is None else found


def sha256(data: bytes | None) -> bytes | None:
    """Returns the digest by which a nonce, a token or evidence is named; None for None."""
    return None if data is None else hashlib.sha256(data).digest()


def bounded(text: str, limit: int) -> str:
    """Returns a text of at most `limit` characters that UTF-8 can carry; `...` ends one cut."""
    text = text if len(text) <= limit else text[: limit - len(_CUT)] + _CUT
    # Half a surrogate pair is no character, and JSON with one in it is refused on reading.
    return text.encode("utf-8", "replace").decode("utf-8")


def _text(value: str | None, limit: int) -> str | None:
    return None if value is None else bounded(value, limit)


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()


def _findings(findings: Iterable[Finding]) -> list[Json]:
    every = list(findings)
    if len(every) > MAX_FINDINGS:
        left_out = len(every) - MAX_FINDINGS + 1
        every[MAX_FINDINGS - 1 :] = [Finding("more", f"{left_out} findings left out")]
    return [
        {"check": bounded(one.check, MAX_TEXT), "detail": bounded(one.detail, MAX_DETAIL)}
        for one in every
    ]
