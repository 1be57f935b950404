"""Guests' requests to services: what is bound, and machines that answer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from wasmtime_attestation import wit
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims.verdict import Verdict
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.x509 import der
from wasmtime_attestation.evidence.envelope import (
    EndorsementType,
    Evidence,
    EvidenceType,
    RawEndorsement,
)
from wasmtime_attestation.evidence.nvidia import type_of
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
        return Collector(self.info, self.vm, self.gpu, self.all_devices)

    def info(self) -> wit.TeeInfo:
        """Says what the machine is."""
        hardware = self.hardware
        is_azure = isinstance(hardware, azure.ConfidentialVm)
        below = hardware.hardware if isinstance(hardware, azure.ConfidentialVm) else hardware
        kind = wit.TeeType.AMD_SEV_SNP
        if isinstance(below, intel.Platform):
            kind = wit.TeeType.INTEL_TDX
        provider = "azure-vtpm" if is_azure else "configfs-tsm"
        return wit.TeeInfo(kind, supports_attestation=True, provider=provider, gpu_count=0)

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


@dataclass(frozen=True)
class Gpu(nvidia.Device):
    """One of several GPUs of a kind: its certificate has a serial number of its own.

    Attributes:
        number: which one.
        is_altered: whether its firmware is another than NVIDIA's.
    """

    number: int = 0
    is_altered: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names in its chain."""
        own, *others = super().names
        return f"{own} {self.number}", *others


def of_device(device: nvidia.Device, nonce: bytes) -> Evidence:
    """Returns a device's report with its certificates."""
    is_altered = isinstance(device, Gpu) and device.is_altered
    report = device.report(nonce=nonce, changes={7: bytes(48)} if is_altered else None)
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
        submodules=None,
    )
