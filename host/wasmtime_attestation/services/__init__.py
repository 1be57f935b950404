"""Services: remote Verifiers that take evidence and answer with a token.

Each one binds what a guest asks for (D) in its own way, so it is the service that has evidence
collected. Its token is verified at once; nobody sees one that is not about what was asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from wasmtime_attestation import wit
from wasmtime_attestation.attesters import collect_quoting

if TYPE_CHECKING:
    # Settings are read where no service is asked.
    from wasmtime_attestation.claims.verdict import TokenKind
    from wasmtime_attestation.evidence.envelope import Evidence
    from wasmtime_attestation.verifier.issuers import Issuer


class VmAttester(Protocol):
    """Collects evidence about a virtual machine."""

    def info(self) -> wit.TeeInfo:
        """Says what it is."""

    def collect(self, report_data: bytes) -> Evidence:
        """Collects fresh evidence that carries 64 bytes."""


class DeviceAttester(Protocol):
    """Collects evidence about devices."""

    def collect(self, index: int, nonce: bytes) -> Evidence:
        """Collects fresh evidence of one GPU that carries a nonce of 32 bytes."""

    def collect_all(self, nonce: bytes) -> tuple[Evidence, ...]:
        """Collects fresh evidence of every GPU, and then of every switch."""


class Machine(Protocol):
    """What `attesters.machine.Machine` is, as far as it matters here."""

    @property
    def vm(self) -> VmAttester:
        """Collects evidence about the virtual machine."""

    @property
    def devices(self) -> DeviceAttester:
        """Collects evidence about the GPUs and the switches between them."""


@dataclass(frozen=True, slots=True)
class Collector:
    """How a service has evidence collected, with the values that it wants in it.

    Attributes:
        info: says what the virtual machine is.
        vm: about the virtual machine. The first argument is 64 bytes of report data (on Azure:
            the user data); the second is what a vTPM's quote must answer, None for what follows
            from the first.
        gpu: about one GPU, by its index, with a nonce of 32 bytes.
        devices: about every GPU, and then every switch, with a nonce of 32 bytes.
    """

    info: Callable[[], wit.TeeInfo]
    vm: Callable[[bytes, bytes | None], Evidence]
    gpu: Callable[[int, bytes], Evidence]
    devices: Callable[[bytes], tuple[Evidence, ...]]

    @classmethod
    def of(cls, machine: Machine) -> Collector:
        """Returns the collector of a machine."""

        def vm(report_data: bytes, nonce: bytes | None) -> Evidence:
            if nonce is None:
                return machine.vm.collect(report_data)
            return collect_quoting(machine.vm, report_data, nonce)

        return cls(machine.vm.info, vm, machine.devices.collect, machine.devices.collect_all)


@dataclass(frozen=True, slots=True)
class Request:
    """What a guest wants a token for.

    Attributes:
        target: what the evidence is to be about.
        bound: D, 64 bytes, which stand for nonce, user data, audience and guest together
            (`docs/binding.md`).
        nonce: the challenge, 8 to 64 bytes; services that can repeat it in the token.
        clock: the time, in seconds since the Unix epoch; tokens are verified by it.
        user_data: what the guest wants bound; it is in D.
        audience: whom the token is for; it is in D, since no service states one.
    """

    target: wit.Target
    bound: bytes
    nonce: bytes
    clock: Callable[[], float]
    user_data: bytes | None = None
    audience: str | None = None


class TokenService(Protocol):
    """A remote Verifier that a host is configured to use; its methods may be used by threads."""

    @property
    def kind(self) -> TokenKind:
        """What its tokens are."""

    @property
    def issuer(self) -> Issuer:
        """Whose tokens they are, with the keys that are known by now; it does no IO."""

    def learn_keys(self) -> None:
        """Fetches the keys of the issuer, where none are known that are fresh.

        Raises:
            UnavailableError: they cannot be fetched.
        """

    def issue(self, collector: Collector, request: Request) -> str:
        """Has evidence collected, and returns the service's token about it, verified.

        Args:
            collector: collects the evidence.
            request: what the token is for.

        Raises:
            UnsupportedError: the service takes no such evidence, or no such target.
            UnavailableError: the service or a device did not answer as it should.
            RejectedError: the service does not take the evidence, or its token is not about it.
            PolicyError: the service's answer is no.
        """
