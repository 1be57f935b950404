"""Evidence tokens: the evidence itself, signed by this host's own key."""

from __future__ import annotations

from collections.abc import Callable

from wasmtime_attestation.attesters.machine import Machine
from wasmtime_attestation.claims.verdict import TokenKind
from wasmtime_attestation.issuer import TokenIssuer
from wasmtime_attestation.issuing import Issued, Order
from wasmtime_attestation.verifier.issuers import Issuer


class EvidenceSource:
    """Issues evidence tokens.

    Args:
        machine: where evidence comes from.
        issuer: signs.
        clock: the time, in seconds since the Unix epoch.
    """

    def __init__(self, machine: Machine, issuer: TokenIssuer, clock: Callable[[], float]) -> None:
        self._machine = machine
        self._issuer = issuer
        self._clock = clock

    @property
    def kind(self) -> str:
        """What its tokens are."""
        return TokenKind.EVIDENCE.value

    @property
    def issuers(self) -> tuple[Issuer, ...]:
        """Nobody: an evidence token has its key in it."""
        return ()

    def learn_keys(self) -> None:
        """There are none to learn."""

    def issue(self, order: Order) -> Issued:
        """Returns a token that carries its evidence; see `Source.issue`."""
        text, token = self._issuer.issue(
            lambda bound: self._machine.collect(order.target, bound),
            nonce=order.nonce,
            audience=order.audience,
            guest_digest=order.guest_digest,
            user_data=order.user_data,
            now=int(self._clock()),
        )
        return Issued(text, token.issued_at, token.expires_at, token.evidence[0], self.kind)
