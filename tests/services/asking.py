"""Guests' requests to services: what is bound, and machines that answer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from wasmtime_attestation import wit
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims.verdict import Verdict
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.evidence.recognise import Token, recognise
from wasmtime_attestation.services import Collector, Request, TokenService
from wasmtime_attestation.verifier import tokens
from wasmtime_attestation.verifier.expectations import Expected
from wasmtime_attestation.verifier.tokens import Trust

from tests.fakes import amd, azure, intel, nvidia
from tests.fakes.amd import AT
from tests.fakes.host import Clock

NONCE = bytes(range(16))
BOUND = hashlib.sha512(b"everything that a guest binds").digest()
VM, ALL = wit.TargetVm(), wit.TargetAll()


def request(target: wit.Target = VM, bound: bytes = BOUND, **changes: object) -> Request:
    """Returns a request; its clock is where everything is valid."""
    right = Request(target, bound, NONCE, Clock())
    return replace(right, **changes)  # type: ignore[arg-type]


@dataclass
class Attested:
    """A machine, and what it was asked to put into its evidence.

    Attributes:
        hardware: a miniature machine: bare, or on Azure.
        devices: its GPUs and switches.
        reports: the report data that it was asked for.
        nonces: the nonces that its devices were asked for.
    """

    hardware: amd.Machine | intel.Platform | azure.ConfidentialVm = amd.MILAN
    devices: Sequence[nvidia.Device] = ()
    reports: list[bytes] = field(default_factory=list)
    nonces: list[bytes] = field(default_factory=list)

    @property
    def collector(self) -> Collector:
        """What services collect with."""
        return Collector(self.vm, self.gpu, self.all_devices)

    def vm(self, report_data: bytes, nonce: bytes | None) -> Evidence:
        """Makes evidence of the virtual machine."""
        self.reports.append(report_data)
        if isinstance(self.hardware, intel.Platform):
            return Evidence(EvidenceType.INTEL_TDX, self.hardware.quote(report_data=report_data))
        if isinstance(self.hardware, azure.ConfidentialVm):
            vm = replace(self.hardware, user_data=report_data)
            answered = (
                hashlib.sha256(b"wasmtime:attestation tpm quote\0" + report_data).digest()
                if nonce is None
                else nonce
            )
            return vm.evidence(message=azure.attest(answered))
        return self.hardware.collect(report_data)

    def gpu(self, index: int, nonce: bytes) -> Evidence:
        """Makes evidence of one device."""
        self.nonces.append(nonce)
        return of_device(self.devices[index], nonce)

    def all_devices(self, nonce: bytes) -> tuple[Evidence, ...]:
        """Makes evidence of every device."""
        return tuple(self.gpu(index, nonce) for index in range(len(self.devices)))


def of_device(device: nvidia.Device, nonce: bytes) -> Evidence:
    """Returns a device's report with its certificates."""
    from wasmtime_attestation.endorsements.x509 import der
    from wasmtime_attestation.evidence.envelope import EndorsementType, RawEndorsement
    from wasmtime_attestation.evidence.nvidia import type_of

    report = device.report(nonce=nonce)
    chain = tuple(RawEndorsement(EndorsementType.CERTIFICATE, der(c)) for c in device.chain())
    return Evidence(type_of(report), report, chain)


def relying_party(token: str, service: TokenService, expected: Expected) -> Verdict:
    """Verifies a token as somebody does who configured the service as an issuer, at `AT`."""
    subject = recognise(token.encode())
    assert isinstance(subject, Token)
    return tokens.verify(
        token,
        expected,
        Trust(Anchors(()), (service.issuer,)),
        at=AT,
        ledger=Ledger(),
    )
