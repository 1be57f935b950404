"""Where a guest's token comes from: this host's own key, this host as Verifier, or a service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from wasmtime_attestation import wit
from wasmtime_attestation.evidence.envelope import Evidence
from wasmtime_attestation.verifier.issuers import Issuer


@dataclass(frozen=True, slots=True)
class Order:
    """What a guest wants a token for.

    Attributes:
        target: what the evidence is about.
        nonce: the challenge, 8 to 64 bytes; None where the guest gave none.
        guest_digest: SHA-256 of the guest; None where the host does not know it.
        user_data: what the guest wants bound.
        audience: whom the token is for.
    """

    target: wit.Target
    nonce: bytes | None = None
    guest_digest: bytes | None = None
    user_data: bytes | None = None
    audience: str | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """A token.

    Attributes:
        text: as it is handed out.
        issued_at: seconds since the Unix epoch.
        expires_at: likewise; from when on it is no longer valid.
        evidence: the first piece that it is about.
        kind: what it is, as the configuration calls it.
    """

    text: str
    issued_at: int
    expires_at: int
    evidence: Evidence
    kind: str


class Source(Protocol):
    """Turns orders into tokens; its methods may be used by threads."""

    @property
    def kind(self) -> str:
        """What its tokens are, as the configuration calls it."""

    @property
    def issuers(self) -> tuple[Issuer, ...]:
        """Whose tokens these are, with the keys that are known by now; it does no IO."""

    def learn_keys(self) -> None:
        """Makes sure that the keys of its issuers are known; it may ask them.

        Raises:
            UnavailableError: an issuer does not say them.
        """

    def issue(self, order: Order) -> Issued:
        """Collects evidence and returns a token about it.

        Raises:
            UnsupportedError: there is no such target here, or no such token about it.
            UnavailableError: a device or a service did not answer as it should.
            RejectedError: the evidence or the token is not what it should be.
            PolicyError: a policy's answer is no.
        """
