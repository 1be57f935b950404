"""Reports through configfs-tsm, the kernel's one interface to every kind of confidential guest.

A guest under an SVSM gets the ordinary report of its own privilege level. The attestation of the
SVSM's services (`service_provider` and what belongs to it) is not asked for: its REPORT_DATA is a
hash over the challenge and a manifest, which no binding of ours covers.

Source: Linux, Documentation/ABI/testing/configfs-tsm-report; drivers/virt/coco/guest/report.c,
tdx-guest/tdx-guest.c and sev-guest/sev-guest.c.
"""

from __future__ import annotations

import logging
import time

from wasmtime_attestation.attesters.host_table import endorsements_of
from wasmtime_attestation.attesters.report_data import carries
from wasmtime_attestation.attesters.tsm_entry import REPORTS, Entry, entry
from wasmtime_attestation.attesters.turns import Turns
from wasmtime_attestation.errors import (
    AttestationError,
    InvalidArgumentError,
    UnavailableError,
    UnsupportedError,
)
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.wit import TeeInfo, TeeType

log = logging.getLogger(__name__)

PROVIDER = "configfs-tsm"
REPORT_DATA_SIZE = 64
PRIVLEVELS = range(4)
PATIENCE = 30.0
"""Seconds for which a busy provider or a rival is met by another try."""
ATTEMPTS = 5
"""Entries that are tried, where rivals write to ours."""

_KINDS = {
    "tdx_guest": (TeeType.INTEL_TDX, EvidenceType.INTEL_TDX),
    "sev_guest": (TeeType.AMD_SEV_SNP, EvidenceType.AMD_SEV_SNP),
}
_turns = Turns(str(REPORTS))


class _RivalError(Exception):
    """Somebody else wrote to our entry, so what was read may be theirs."""


def provider() -> str:
    """Returns the name of the kernel's provider of reports.

    No report is asked for, and nothing is left behind.

    Returns:
        `tdx_guest`, `sev_guest`, or another that this release does not know.

    Raises:
        UnsupportedError: there is none.
        UnavailableError: configfs-tsm is not there or may not be used.
    """
    with entry() as report:
        return report.text("provider")


class TsmAttester:
    """Collects TDX quotes and SEV-SNP reports.

    Args:
        privlevel: the VMPL that a SEV-SNP report is asked for, 0 to 3; by default 0, or under an
            SVSM the most privileged one that this guest may have.
        patience: seconds for which a busy provider or a rival is met by another try.
    """

    def __init__(self, privlevel: int | None = None, *, patience: float = PATIENCE) -> None:
        if privlevel is not None and privlevel not in PRIVLEVELS:
            raise InvalidArgumentError("a privilege level (VMPL) is a number from 0 to 3")
        self._privlevel = privlevel
        self._patience = patience

    def info(self) -> TeeInfo:
        """Says which TEE the kernel has a provider for; none where there is no way to it."""
        try:
            name = provider()
        except AttestationError as error:
            log.warning("no evidence through configfs-tsm: %s", error)
            return TeeInfo(TeeType.NONE, supports_attestation=False, provider="", gpu_count=0)
        known = _KINDS.get(name)
        tee_type = known[0] if known else TeeType.OTHER
        return TeeInfo(tee_type, known is not None, PROVIDER, gpu_count=0)

    def collect(self, report_data: bytes) -> Evidence:
        """Collects a fresh report.

        Args:
            report_data: 64 bytes.

        Raises:
            UnsupportedError: there is no provider, or none that this release knows.
            UnavailableError: the kernel, the host or its firmware did not make a report.
        """
        if len(report_data) != REPORT_DATA_SIZE:
            raise InvalidArgumentError(f"REPORT_DATA has {REPORT_DATA_SIZE} bytes")
        with _turns.turn():
            return self._without_rivals(report_data, time.monotonic() + self._patience)

    def _without_rivals(self, report_data: bytes, deadline: float) -> Evidence:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with entry() as report:
                    return self._report(report, report_data, deadline)
            except _RivalError as error:
                log.warning("try %d of %d: %s", attempt, ATTEMPTS, error)
            if time.monotonic() > deadline:
                break
        raise UnavailableError(
            "somebody else writes to the entries of this process in configfs-tsm again and again: "
            "find the process that does, and try again"
        )

    def _report(self, report: Entry, report_data: bytes, deadline: float) -> Evidence:
        kind = _kind(report.text("provider"))
        begin = report.number("generation")
        self._set_privlevel(report)
        report.write("inblob", report_data)
        data = report.blob("outblob", deadline)
        table = report.blob("auxblob", deadline) if report.has("auxblob") else b""
        generation = report.number("generation")
        if generation != begin + report.writes:
            raise _RivalError(
                f"generation of configfs-tsm went from {begin} to {generation} while "
                f"{report.writes} attributes were written: somebody else wrote to the entry"
            )
        _check(kind, data, report_data)
        return Evidence(kind, data, endorsements_of(table))

    def _set_privlevel(self, report: Entry) -> None:
        if not report.has("privlevel"):
            if self._privlevel is not None:
                raise UnsupportedError(
                    "this kernel's provider of reports has no privilege levels: leave it out"
                )
            return
        floor = report.number("privlevel_floor")
        wanted = floor if self._privlevel is None else self._privlevel
        if wanted < floor:
            raise UnavailableError(
                f"this guest runs under an SVSM at privilege level (VMPL) {floor}, and gets no "
                f"report of level {wanted}: ask for {floor} or above"
            )
        if wanted or self._privlevel is not None:
            report.write("privlevel", str(wanted).encode())


def _kind(name: str) -> EvidenceType:
    known = _KINDS.get(name)
    if known is None:
        raise UnsupportedError(
            f"the kernel's provider of reports is {name[:40]!r}, whose evidence this release does "
            f"not know; it knows {', '.join(_KINDS)}"
        )
    return known[1]


def _check(kind: EvidenceType, data: bytes, report_data: bytes) -> None:
    if not data:
        raise UnavailableError(
            "configfs-tsm gave an empty report: the host's service for quotes failed or is too "
            "old; ask who operates the host"
        )
    if not carries(kind, data, report_data):
        raise UnavailableError(
            "the report of configfs-tsm does not carry the REPORT_DATA that was asked for; "
            "try again"
        )
