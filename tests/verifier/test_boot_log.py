"""Boot logs, replayed against the registers of quotes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from wasmtime_attestation.checks import Ledger, Outcome
from wasmtime_attestation.claims.boot_log import BootLogClaims
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.verifier import verify as verify_evidence

from tests import vectors
from tests.fakes import amd, intel
from tests.fakes.azure import SNP, attest
from tests.fakes.boot_log import PC, TD, Measurement, log, replay, variable
from tests.verifier import azure_verification as azure
from tests.verifier.tdx_verification import INTEL
from tests.verifier.test_tdx_real import AT_E1, SOLANA

ALL = (0x04, 0x0B, 0x0C)
PC_LOG, TD_LOG = log(PC), log(TD, (0x0C,))
INITIAL = {index: (b"\xff" if 17 <= index <= 22 else b"\0") * 32 for index in range(24)}


def registers(measured: tuple[Measurement, ...] = TD) -> dict[str, Any]:
    """Returns the RTMRs after a boot."""
    found = replay(measured, 0x0C)
    return {f"rtmr{index - 1}": value for index, value in found.items()}


def td(
    data: bytes = TD_LOG,
    ledger: Ledger | None = None,
    **fields: Any,  # noqa: ANN401
) -> BootLogClaims | None:
    quoted: dict[str, Any] = {**registers(), **fields}
    evidence = Evidence(EvidenceType.INTEL_TDX, intel.PLATFORM.quote(**quoted), boot_log=data)
    claims = verify_evidence(
        evidence,
        intel.Collateral(intel.PLATFORM).endorsements(),
        report_data=None,
        nonce=None,
        at=intel.AT,
        anchors=intel.real_anchors(),
        ledger=ledger or Ledger(),
    )
    return claims.boot_log


def refused(data: bytes, **fields: Any) -> tuple[str, str]:  # noqa: ANN401
    with pytest.raises(RejectedError) as caught:
        td(data, **fields)
    (finding,) = caught.value.findings
    return finding.check, finding.detail


def pc(
    data: bytes = PC_LOG,
    measured: tuple[Measurement, ...] = PC,
    start: bytes = bytes(32),
    **pcrs: bytes,
) -> azure.Verified:
    """Verifies a confidential VM of Azure with a log; `pcrs` are named p0 to p23."""
    values = replay(measured, 0x0B, INITIAL | {0: start})
    values |= {int(name[1:]): value for name, value in pcrs.items()}
    evidence = SNP.evidence(message=attest(pcrs=values), pcrs=values)
    return azure.verify(evidence, boot_log=data)


def outcomes(ledger: Ledger) -> dict[str, Outcome]:
    return {c.id: c.outcome for c in ledger.checks if c.id.startswith("boot-log.")}


def test_a_td() -> None:
    ledger = Ledger()
    claims = td(ledger=ledger)

    assert claims is not None
    assert claims.registers == ("RTMR0", "RTMR1", "RTMR2")
    assert claims.uncovered == ()
    assert [(e.index, e.register) for e in claims.events] == [
        (i, f"RTMR{m.register - 1}") for i, m in enumerate(TD)
    ]
    assert [e.digest for e in claims.events] == [m.digest(0x0C) for m in TD]
    # The kernel's and the image's digests are those of files, which the log does not have.
    parts = [str(e.measured) for e in claims.events]
    assert parts == ["all", "all", "all", "all", "none", "value", "value", "none"]
    assert claims.events[1].description == (
        "SecureBoot (8be4df61-93ca-11d2-aa0d-00e098032b8c) = 01"
    )
    assert set(outcomes(ledger).values()) == {Outcome.PASSED}


def test_pcrs_of_azure() -> None:
    verified = pc()
    claims = verified.claims.boot_log
    assert claims is not None
    assert claims.registers == ("PCR0", "PCR1", "PCR4", "PCR7", "PCR8", "PCR9")
    assert claims.uncovered == ()
    members: Any = json.loads(json.dumps(verified.claims.to_json()))
    assert members["boot_log"]["events"][4]["description"] == "\\EFI\\BOOT\\BOOTX64.EFI"


@pytest.mark.parametrize("algorithms", [ALL, (0x0C, 0x0B)])
def test_a_log_with_more_algorithms(algorithms: tuple[int, ...]) -> None:
    assert pc(log(PC, algorithms)).claims.boot_log is not None
    assert td(log(TD, algorithms)) is not None


def test_a_log_without_the_quotes_algorithm() -> None:
    check, detail = refused(log(TD, (0x0B,)))
    assert check == "boot-log.format"
    assert "0xc" in detail
    with pytest.raises(RejectedError, match="0xb"):
        pc(log(PC, (0x04, 0x0C)))


@pytest.mark.parametrize("locality", [3, 4])
def test_a_tpm_that_was_started_from_another_locality(locality: int) -> None:
    told = Measurement(0, 3, b"StartupLocality\0" + bytes([locality]), b"")
    data = log((told, *PC))
    start = bytes(31) + bytes([locality])
    assert pc(data, start=start).claims.boot_log is not None
    with pytest.raises(RejectedError, match="PCR0"):
        pc(data)
    with pytest.raises(RejectedError, match="PCR0"):
        pc(start=start)


@pytest.mark.parametrize("left_out", range(len(TD)))
def test_a_measurement_that_is_missing(left_out: int) -> None:
    kept = (*TD[:left_out], *TD[left_out + 1 :])
    ledger = Ledger()
    if all(m.register != TD[left_out].register for m in kept):
        claims = td(log(kept, (0x0C,)), ledger)
        assert claims is not None
        assert claims.uncovered
        assert outcomes(ledger)["boot-log.coverage"] is Outcome.NOT_CHECKED
        return
    check, detail = refused(log(kept, (0x0C,)))
    name = f"RTMR{TD[left_out].register - 1}"
    assert check == "boot-log.replay"
    assert f"the log leads {name} to {registers(kept)[name.lower()].hex()}" in detail
    assert f"the quote has {registers()[name.lower()].hex()}" in detail


def test_measurements_in_another_order_or_twice() -> None:
    for changed in ((TD[1], TD[0], *TD[2:]), (TD[0], *TD)):
        assert refused(log(changed, (0x0C,)))[0] == "boot-log.replay"


def test_a_register_that_was_extended_after_the_log_ended() -> None:
    later = Measurement(1, 0x0D, b"later")
    check, detail = refused(TD_LOG, rtmr0=registers((*TD, later))["rtmr0"])
    assert check == "boot-log.replay"
    assert "extended after the log ended" in detail


def test_registers_without_events_are_named() -> None:
    ledger = Ledger()
    claims = td(ledger=ledger, rtmr3=b"\1" * 48)
    assert claims is not None
    assert claims.uncovered == ("RTMR3",)
    (coverage,) = (c for c in ledger.checks if c.id == "boot-log.coverage")
    assert coverage.outcome is Outcome.NOT_CHECKED
    assert "RTMR3" in coverage.detail
    assert pc(p14=b"\1" * 32).claims.boot_log == replace(
        pc().claims.boot_log or BootLogClaims((), (), ()), uncovered=("PCR14",)
    )


def test_pcrs_that_were_not_quoted_are_not_claimed() -> None:
    values = {i: v for i, v in replay(PC, 0x0B, INITIAL).items() if i in (0, 4)}
    evidence = SNP.evidence(message=attest(pcrs=values), pcrs=values)
    claims = azure.verify(evidence, boot_log=PC_LOG).claims.boot_log
    assert claims is not None
    assert {e.register for e in claims.events} == {"PCR0", "PCR4"}


@pytest.mark.parametrize("register", [0, 5, 7, 23])
def test_a_register_that_a_td_does_not_have(register: int) -> None:
    data = log((*TD, Measurement(register, 4, bytes(4))), (0x0C,))
    assert refused(data)[0] == "boot-log.format"


def test_a_pcr_that_does_not_exist() -> None:
    with pytest.raises(RejectedError, match="register 24"):
        pc(log((*PC, Measurement(24, 4, bytes(4)))))


def test_what_was_not_measured_counts_for_nothing() -> None:
    remark = Measurement(99, 3, b"remark", b"")
    claims = td(log((remark, *TD, remark), (0x0C,)))
    assert claims is not None
    assert "EV_NO_ACTION" not in {e.type for e in claims.events}


LIES = {
    "separator": Measurement(1, 0x04, b"\xff\xff\xff\xff", bytes(4)),
    "separator that hides an error": Measurement(1, 0x04, bytes(4), b"\1\0\0\0"),
    "version": Measurement(1, 0x08, b"2.0", b"1.0"),
    "secure boot": Measurement(
        1, 0x80000001, variable("SecureBoot", b"\1"), variable("SecureBoot", b"\0")
    ),
    "variable's value alone": Measurement(1, 0x80000001, variable("SecureBoot", b"\1"), b"\1"),
    "boot variable": Measurement(1, 0x80000002, variable("BootOrder", b"\1"), b"\2"),
    "boot variable 2": Measurement(1, 0x8000000C, variable("BootOrder", b"\1"), b"\1"),
    "authority": Measurement(1, 0x800000E0, variable("db", b"\1"), b"\2"),
    "partitions": Measurement(2, 0x80000006, b"EFI PART", b"other"),
    "action": Measurement(2, 0x80000007, b"Returning", b"Calling"),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_an_event_that_says_something_else_than_was_measured(lie: Measurement) -> None:
    """The replay is right: only what is told of the digest is not."""
    measured = (*TD, lie)
    check, detail = refused(log(measured, (0x0C,)), **registers(measured))
    assert check == "boot-log.events"
    assert f"event {len(TD)} " in detail


TRUTHS = [
    (Measurement(1, 0x04, b"why", b"\1\0\0\0"), "none"),
    (Measurement(1, 0x04, b"\xff\xff\xff\xff"), "all"),
    (Measurement(1, 0x80000002, variable("BootOrder", b"\1")), "all"),
    (Measurement(1, 0x80000002, variable("BootOrder", b"\1"), b"\1"), "value"),
    (Measurement(1, 0x800000E0, variable("Shim", b"\1"), b"\1"), "value"),
    (Measurement(3, 0x0D, b"kernel_cmdline: ro\0", b"ro"), "value"),
    (Measurement(3, 0x0D, b"text\0", b"text"), "all"),
    (Measurement(3, 0x06, b"tagged", b"something"), "none"),
]


@pytest.mark.parametrize(("truth", "part"), TRUTHS)
def test_what_of_an_event_was_measured(truth: Measurement, part: str) -> None:
    measured = (*TD, truth)
    claims = td(log(measured, (0x0C,)), **registers(measured))
    assert claims is not None
    assert claims.events[-1].measured == part


def test_evidence_without_registers() -> None:
    for evidence, vm in (
        (SNP.evidence(message=None), SNP),
        (amd.MILAN.collect(bytes(64)), SNP),
    ):
        ledger = Ledger()
        verified = azure.verify(
            evidence, vm, nonce=None, report_data=None, boot_log=PC_LOG, ledger=ledger
        )
        assert verified.claims.boot_log is None
        assert set(outcomes(ledger).values()) == {Outcome.NOT_CHECKED}


def test_a_log_of_nothing_that_was_quoted() -> None:
    ledger = Ledger()
    claims = td(log((), (0x0C,)), ledger)
    assert claims is not None
    assert claims.events == ()
    assert outcomes(ledger)["boot-log.replay"] is Outcome.NOT_CHECKED
    assert claims.uncovered == ("RTMR0", "RTMR1", "RTMR2")


def real(data: bytes) -> BootLogClaims | None:
    evidence = Evidence(
        EvidenceType.INTEL_TDX, vectors.read("tdx/gotdx_cos113_quote_v4_8000.dat"), boot_log=data
    )
    return verify_evidence(
        evidence,
        vectors.endorsements(*SOLANA),
        report_data=vectors.read("tdx/gotdx_cos113_nonce.dat"),
        nonce=None,
        at=AT_E1,
        anchors=INTEL,
        ledger=Ledger(),
    ).boot_log


CCEL = "tdx/gotdx_cos113_ccel_data.dat"


def test_a_real_log_and_its_quote() -> None:
    claims = real(vectors.read(CCEL))
    assert claims is not None
    assert claims.registers == ("RTMR0", "RTMR1", "RTMR2")
    assert claims.uncovered == ()
    assert len(claims.events) == 43
    (command_line,) = (e for e in claims.events if (e.description or "").startswith("kernel_cmd"))
    text = (command_line.description or "").removeprefix("kernel_cmdline: ")
    assert hashlib.sha384(text.encode()).digest() == command_line.digest


def test_flipped_bits_of_a_real_log() -> None:
    """A bit is refused, or it stands in a description that is the log's word alone."""
    check_flips(range(0, 8 * 18101, 1511))


@pytest.mark.weekly
def test_many_flipped_bits_of_a_real_log() -> None:
    check_flips(range(0, 8 * 18101, 37))


def check_flips(bits: range) -> None:
    data = vectors.read(CCEL)
    original = real(data)
    assert original is not None
    for bit in bits:
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            claims = real(bytes(changed))
        except RejectedError:
            continue
        assert claims is not None
        for before, after in zip(original.events, claims.events, strict=True):
            # The type is the log's word, and how the data is read depends on it.
            if after.measured == "all" and after.type == before.type:
                assert before == after
            assert before.digest == after.digest
            assert before.register == after.register
