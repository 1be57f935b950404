"""Replays a boot log against the registers of a verified quote.

Source: TCG, "PC Client Platform Firmware Profile Specification", sections "Event Logging" and
"Event Types"; TPM2_PCR_Extend; Intel, "TDX Module ABI Specification", TDG.MR.RTMR.EXTEND.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace

from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.claims.azure import AzureClaims
from wasmtime_attestation.claims.boot_log import BootEvent, BootLogClaims
from wasmtime_attestation.claims.tdx import TdxClaims
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence import boot_log, boot_log_events
from wasmtime_attestation.evidence.boot_log import EV_NO_ACTION, SHA256, SHA384, BootLog, Event
from wasmtime_attestation.verifier import boot_log_digests

CHECKS = ("boot-log.format", "boot-log.replay", "boot-log.events", "boot-log.coverage")

_HASHES = {SHA256: hashlib.sha256, SHA384: hashlib.sha384}
_DYNAMIC = range(17, 23)


@dataclass(frozen=True, slots=True)
class _Registers:
    """The registers of a quote.

    Attributes:
        algorithm: TPM_ALG_ID of the digests that extend them.
        names: by the index that events have.
        values: what was quoted, by the same index.
        initial: what they start from.
    """

    algorithm: int
    names: Mapping[int, str]
    values: Mapping[int, bytes]
    initial: Mapping[int, bytes]


def verify(data: bytes, claims: Claims, ledger: Ledger) -> Claims:
    """Verifies a boot log against the registers in claims, and adds what it says to them.

    Args:
        data: the log.
        claims: of the verified evidence.
        ledger: records each check.

    Raises:
        RejectedError: the log is ill-formed, does not lead to the registers, or says something
            else than what was measured.
    """
    ledger.plan(CHECKS)
    registers = _registers(claims)
    if registers is None:
        for check in CHECKS:
            ledger.not_checked(check, "the evidence has no registers that a boot log extends")
        return claims
    log = _decode(data, registers, ledger)
    registers = _started(registers, log)
    events = [(i, e) for i, e in enumerate(log.events) if e.type != EV_NO_ACTION]
    covered = _check_replay(events, registers, ledger)
    _check_events(events, registers, ledger)
    uncovered = _check_coverage(covered, registers, ledger)
    told = tuple(_event(i, e, registers) for i, e in events if e.register in covered)
    names = tuple(registers.names[index] for index in covered)
    return replace(claims, boot_log=BootLogClaims(names, uncovered, told))


def _registers(claims: Claims) -> _Registers | None:
    """A TD has RTMRs; where a paravisor is, the vTPM's PCRs are the guest's."""
    details = claims.details
    if isinstance(details, TdxClaims):
        report = details.report
        rtmrs = (report.rtmr0, report.rtmr1, report.rtmr2, report.rtmr3)
        values = dict(enumerate(rtmrs, 1))
        names = {index: f"RTMR{index - 1}" for index in values}
        return _Registers(SHA384, names, values, dict.fromkeys(values, bytes(48)))
    if isinstance(details, AzureClaims) and details.tpm is not None:
        pcrs = details.tpm.pcrs
        names = {index: f"PCR{index}" for index in range(24)}
        initial = {i: (b"\xff" if i in _DYNAMIC else b"\0") * 32 for i in names}
        return _Registers(SHA256, names, pcrs, initial)
    return None


def _decode(data: bytes, registers: _Registers, ledger: Ledger) -> BootLog:
    check = "boot-log.format"
    try:
        log = boot_log.decode(data)
    except RejectedError as error:
        ledger.record(error.findings[0])
        raise
    if registers.algorithm not in log.algorithms:
        ledger.reject(
            check, f"the log has no digests of algorithm 0x{registers.algorithm:x}, as the quote's"
        )
    for event in log.events:
        if event.type != EV_NO_ACTION and event.register not in registers.names:
            ledger.reject(check, f"an event is of register {event.register}, which does not exist")
    ledger.passed(check, f"{len(log.events)} events in {log.size} of {len(data)} bytes")
    return log


def _started(registers: _Registers, log: BootLog) -> _Registers:
    """PCR 0 starts with the locality that started the TPM in its last byte."""
    if registers.algorithm != SHA256 or not log.startup_locality:
        return registers
    start = log.startup_locality.to_bytes(32, "big")
    return replace(registers, initial={**registers.initial, 0: start})


def _check_replay(
    events: list[tuple[int, Event]], registers: _Registers, ledger: Ledger
) -> tuple[int, ...]:
    """Returns the registers to which the replay leads."""
    check = "boot-log.replay"
    replayed: dict[int, bytes] = {}
    for _, event in events:
        before = replayed.get(event.register, registers.initial[event.register])
        extended = before + event.digests[registers.algorithm]
        replayed[event.register] = _HASHES[registers.algorithm](extended).digest()
    covered = tuple(index for index in sorted(replayed) if index in registers.values)
    if not covered:
        ledger.not_checked(check, "the log has no events of registers that were quoted")
        return covered
    for index in covered:
        if not hmac.compare_digest(replayed[index], registers.values[index]):
            ledger.reject(
                check,
                f"the log leads {registers.names[index]} to {replayed[index].hex()}, and the "
                f"quote has {registers.values[index].hex()}: a measurement is missing, added or "
                "altered, or the register was extended after the log ended",
            )
    ledger.passed(check, f"{_list(covered, registers)} follow from {len(events)} events of the log")
    return covered


def _check_events(events: list[tuple[int, Event]], registers: _Registers, ledger: Ledger) -> None:
    check = "boot-log.events"
    for index, event in events:
        digest = event.digests[registers.algorithm]
        if not boot_log_digests.is_consistent(event, digest):
            ledger.reject(
                check,
                f"event {index} ({boot_log_events.name(event)}) of "
                f"{registers.names[event.register]} says something else than what was measured: "
                "by its type its digest is that of its data, and it is not",
            )
    ledger.passed(check, "the digests of all events are those of their data where they must be")


def _check_coverage(
    covered: tuple[int, ...], registers: _Registers, ledger: Ledger
) -> tuple[str, ...]:
    """Returns the registers that changed without an event."""
    check = "boot-log.coverage"
    silent = tuple(
        index
        for index, value in sorted(registers.values.items())
        if index not in covered and value != registers.initial[index]
    )
    if silent:
        ledger.not_checked(
            check, f"the log has no events of {_list(silent, registers)}: not checked"
        )
    else:
        ledger.passed(check, "every register that changed has events")
    return tuple(registers.names[index] for index in silent)


def _event(index: int, event: Event, registers: _Registers) -> BootEvent:
    digest = event.digests[registers.algorithm]
    return BootEvent(
        index=index,
        register=registers.names[event.register],
        type=boot_log_events.name(event),
        digest=digest,
        description=boot_log_events.describe(event),
        measured=boot_log_digests.measured(event, digest),
    )


def _list(indices: tuple[int, ...], registers: _Registers) -> str:
    return ", ".join(registers.names[index] for index in indices)
