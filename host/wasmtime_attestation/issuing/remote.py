"""Tokens of services: a remote Verifier takes the evidence, and its token is verified at once."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from wasmtime_attestation import wit
from wasmtime_attestation.attesters.machine import Machine
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.errors import UnsupportedError
from wasmtime_attestation.evidence.envelope import Evidence
from wasmtime_attestation.evidence.token import Binding
from wasmtime_attestation.issuer import NONCE_SIZE
from wasmtime_attestation.issuing import Issued, Order
from wasmtime_attestation.services import Collector, Request, TokenService
from wasmtime_attestation.verifier import tokens
from wasmtime_attestation.verifier.binding import digest
from wasmtime_attestation.verifier.expectations import Expected
from wasmtime_attestation.verifier.issuers import Issuer
from wasmtime_attestation.verifier.tokens import Trust

PROFILE = "tag:wasmtime-attestation,2026:service-token#1"
"""Stands in D in place of an evidence token's profile, so that neither can pass for the other."""


def bound_of(order: Order, nonce: bytes) -> bytes:
    """Returns D of a service's token, which no key of this host signs (`docs/binding.md`)."""
    return digest(
        Binding(
            profile=PROFILE,
            nonce=nonce,
            key_thumbprint=b"",
            guest_digest=order.guest_digest,
            user_data=order.user_data,
            audience=order.audience,
        )
    )


class ServiceSource:
    """Issues tokens of one service.

    Args:
        name: of the service in the configuration.
        service: is asked.
        machine: where evidence comes from.
        clock: the time, in seconds since the Unix epoch.
    """

    def __init__(
        self, name: str, service: TokenService, machine: Machine, clock: Callable[[], float]
    ) -> None:
        self._name = name
        self._service = service
        self._machine = machine
        self._clock = clock

    @property
    def kind(self) -> str:
        """The name of the service."""
        return self._name

    @property
    def issuers(self) -> tuple[Issuer, ...]:
        """The service, with the keys that are known by now."""
        return (self._service.issuer,)

    def learn_keys(self) -> None:
        """Has the service's keys fetched; see `Source.learn_keys`."""
        self._service.learn_keys()

    def issue(self, order: Order) -> Issued:
        """Returns a token of the service; see `Source.issue`."""
        nonce = secrets.token_bytes(NONCE_SIZE) if order.nonce is None else order.nonce
        shown: list[Evidence] = []
        request = Request(
            target=order.target,
            bound=bound_of(order, nonce),
            nonce=nonce,
            clock=self._clock,
            user_data=order.user_data,
            audience=order.audience,
        )
        if not isinstance(order.target, wit.TargetVm):
            # There must be as many GPUs as are expected, whichever is asked for.
            self._machine.gpu(order.target.value if isinstance(order.target, wit.TargetGpu) else 0)
        text = self._service.issue(_noting(Collector.of(self._machine), shown), request)
        if not shown:
            raise UnsupportedError(f"{self._name} gave a token and was shown no evidence")
        issued_at, expires_at = self._times(text)
        return Issued(text, issued_at, expires_at, shown[0], self._name)

    def _times(self, text: str) -> tuple[int, int]:
        trust = Trust(Anchors(()), self.issuers)
        at = datetime.fromtimestamp(self._clock(), UTC)
        verdict = tokens.verify(text, Expected(), trust, at=at, ledger=Ledger())
        return verdict.issued_at, verdict.expires_at


def _noting(collector: Collector, shown: list[Evidence]) -> Collector:
    """Keeps what a service is shown, for the summary that the guest gets."""

    def vm(report_data: bytes, nonce: bytes | None) -> Evidence:
        shown.append(collector.vm(report_data, nonce))
        return shown[-1]

    def gpu(index: int, nonce: bytes) -> Evidence:
        shown.append(collector.gpu(index, nonce))
        return shown[-1]

    def devices(nonce: bytes) -> tuple[Evidence, ...]:
        found = collector.devices(nonce)
        shown.extend(found)
        return found

    return replace(collector, vm=vm, gpu=gpu, devices=devices)
