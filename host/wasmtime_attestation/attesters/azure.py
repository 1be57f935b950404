"""Collects evidence on a confidential VM of Azure, whose hardware is reached through the paravisor.

The paravisor keeps the hardware for itself and offers a vTPM: a report of the hardware with user
data, quotes by a key that the report names, and, over HTTP, what endorses the hardware.

Source: Microsoft, "Azure confidential VMs guest attestation design".
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from wasmtime_attestation.attesters import tpm_client_codes as codes
from wasmtime_attestation.attesters import tpm_client_device
from wasmtime_attestation.attesters.azure_certificate import certificate_of
from wasmtime_attestation.attesters.azure_report import (
    PACE,
    USER_DATA_SIZE,
    FreshReport,
    Pace,
    fresh_report,
    hardware_type,
)
from wasmtime_attestation.attesters.azure_turn import SharedTurns
from wasmtime_attestation.attesters.tpm_client import Tpm
from wasmtime_attestation.attesters.tpm_client_codes import TpmError
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.errors import RejectedError, UnavailableError, UnsupportedError
from wasmtime_attestation.evidence.azure import AzureEvidence
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType, RawEndorsement
from wasmtime_attestation.evidence.hcl import ReportType, RsaKey
from wasmtime_attestation.evidence.tpm import PCR_COUNT, TpmQuote
from wasmtime_attestation.verifier import tpm as quotes
from wasmtime_attestation.verifier.binding import nonce_of
from wasmtime_attestation.wit import TeeInfo, TeeType

log = logging.getLogger(__name__)

PROVIDER = "azure-vtpm"
ATTESTATION_KEY = 0x81000003
"""Handle of the vTPM's attestation key, which the paravisor makes."""

_PCRS = range(PCR_COUNT)
_turns = SharedTurns(tpm_client_device.PATH)
_QUOTES = 8
_TEE_TYPES = {ReportType.SNP: TeeType.AMD_SEV_SNP, ReportType.TDX: TeeType.INTEL_TDX}
_EVIDENCE_TYPES = {ReportType.SNP: EvidenceType.AZURE_SNP, ReportType.TDX: EvidenceType.AZURE_TDX}


class Device(Protocol):
    """An open vTPM with an advisory lock."""

    def exchange(self, command: bytes) -> bytes:
        """Sends one command and returns the whole response."""

    def try_lock(self) -> bool:
        """Takes the lock; False if another has it."""

    def unlock(self) -> None:
        """Gives the lock back."""


class AzureAttester:
    """The attester of a confidential VM of Azure; an instance may be used by threads at once.

    Args:
        opened: opens the vTPM.
        pace: how patiently the paravisor is asked.
    """

    def __init__(
        self,
        opened: Callable[[], AbstractContextManager[Device]] = tpm_client_device.opened,
        pace: Pace = PACE,
    ) -> None:
        self._opened = opened
        self._pace = pace

    def info(self) -> TeeInfo:
        """Says which hardware is below the paravisor.

        Raises:
            UnsupportedError: this is no confidential VM of Azure.
            UnavailableError: the vTPM may not be opened, or did not answer.
        """
        with self._opened() as device:
            tee_type = _TEE_TYPES[hardware_type(Tpm(device))]
        return TeeInfo(tee_type, supports_attestation=True, provider=PROVIDER, gpu_count=0)

    def collect(self, report_data: bytes) -> Evidence:
        """Collects fresh evidence that carries `report_data` (D, 64 bytes).

        User data is D; the vTPM's quote answers the nonce that `nonce_of` derives from D. On
        SEV-SNP the VCEK comes with it where Azure's metadata service has it; on TDX the TD quote
        is a part of it. The certificate of the vTPM's key comes along where the vTPM has one.

        Raises:
            UnsupportedError: this is no confidential VM of Azure.
            UnavailableError: vTPM, paravisor or (TDX) metadata service did not answer as they
                should.
        """
        return self._collect(report_data, lambda kind: _nonce_of(kind, report_data))

    def collect_quoting(self, report_data: bytes, nonce: bytes) -> Evidence:
        """Collects as `collect` does, with a nonce of the caller's in the quote."""
        return self._collect(report_data, lambda _: nonce)

    def _collect(self, report_data: bytes, nonce: Callable[[EvidenceType], bytes]) -> Evidence:
        if len(report_data) != USER_DATA_SIZE:
            raise ValueError(f"report data has {USER_DATA_SIZE} bytes, not {len(report_data)}")
        with self._opened() as device:
            tpm = Tpm(device)
            with _turns.turn(device):
                report = fresh_report(tpm, report_data, self._pace)
            kind = _EVIDENCE_TYPES[report.decoded.type]
            key = report.decoded.claims.attestation_key
            quote = _quote(tpm, nonce(kind), key)
            certificate = certificate_of(tpm, key)
        return _evidence(kind, report, quote, certificate)


def _nonce_of(kind: EvidenceType, report_data: bytes) -> bytes:
    nonce = nonce_of(kind, report_data)
    if nonce is None:
        raise AssertionError(f"{kind} has a nonce")
    return nonce


def _quote(tpm: Tpm, nonce: bytes, key: RsaKey) -> TpmQuote:
    """Has the vTPM quote all PCRs, again if one was extended after it was read."""
    _check_key(tpm, key)
    for _ in range(_QUOTES):
        pcrs = tpm.pcr_read(_PCRS)
        quote = TpmQuote(*tpm.quote(ATTESTATION_KEY, nonce, _PCRS), pcrs)
        try:
            quotes.verify(quote, key, nonce=nonce, ledger=Ledger())
        except RejectedError as error:
            if error.findings[0].check != "tpm.pcrs":
                raise UnavailableError(f"the vTPM made a quote that is none: {error}") from error
        else:
            return quote
    raise UnavailableError(
        f"a PCR was extended while the vTPM quoted them, {_QUOTES} times over: try again when "
        "what extends it is done"
    )


def _check_key(tpm: Tpm, key: RsaKey) -> None:
    try:
        found = tpm.read_public(ATTESTATION_KEY)
    except TpmError as error:
        if error.code != codes.HANDLE:
            raise
        raise UnavailableError(
            f"the vTPM has no attestation key at 0x{ATTESTATION_KEY:08x}: somebody evicted it; "
            "the paravisor makes it again when the VM is deallocated and started"
        ) from error
    if (found.modulus, found.exponent) != (key.modulus, key.exponent):
        raise UnavailableError(
            f"the key at 0x{ATTESTATION_KEY:08x} of the vTPM is not the one that the paravisor "
            "vouches for: somebody replaced it; deallocate and start the VM"
        )


def _evidence(
    kind: EvidenceType,
    report: FreshReport,
    quote: TpmQuote,
    certificate: tuple[RawEndorsement, ...],
) -> Evidence:
    # It brings an HTTP client along, which guests that never attest need not wait for.
    from wasmtime_attestation.attesters import imds

    hardware = report.decoded.hardware_report
    td_quote = imds.td_quote(hardware) if kind is EvidenceType.AZURE_TDX else None
    endorsements = _vcek(hardware) if kind is EvidenceType.AZURE_SNP else ()
    data = AzureEvidence(report.data, quote, td_quote).encode()
    return Evidence(kind, data, endorsements + certificate)


def _vcek(report: bytes) -> tuple[RawEndorsement, ...]:
    """The VCEK and its chain; who verifies can get them from AMD too, so they may be missing."""
    from wasmtime_attestation.attesters import imds

    try:
        return imds.vcek(report)
    except (UnavailableError, UnsupportedError) as error:
        log.warning("the evidence goes without its VCEK, to be fetched from AMD: %s", error)
        return ()
