"""/dev/sev-guest: reports and certificates, and no error of the firmware is met by another try."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from wasmtime_attestation.endorsements import amd_table

from tests.attesters.collecting import SEV_GUEST, Collected, Collector, in_order
from tests.emulation.namespace import Namespace
from tests.emulation.sev_guest import SevGuest

REPORT_DATA = bytes(range(64))
IN_REPORT, VMPL = slice(0x50, 0x90), slice(0x30, 0x34)
GET_REPORT, GET_EXT_REPORT = "ioctl 0xc0205300", "ioctl 0xc0205302"


@pytest.fixture(scope="module")
def machine() -> Iterator[Namespace]:
    with Namespace([SevGuest()]) as machine:
        yield machine


def collect(machine: Namespace, **arguments: object) -> Collected:
    with Collector(machine, SEV_GUEST, **arguments) as collector:
        return collector.collect(REPORT_DATA)


def table(collected: Collected) -> tuple[amd_table.TableEntry, ...]:
    ((kind, data),) = collected.endorsements
    assert kind == "amd-certificate-table"
    return amd_table.decode(data)


def test_a_report_with_its_certificates(machine: Namespace) -> None:
    collected = collect(machine)
    assert (collected.error, collected.type, len(collected.data)) == ("", "amd-sev-snp", 1184)
    assert collected.data[IN_REPORT] == REPORT_DATA
    assert [entry.is_certificate for entry in table(collected)] == [True] * 3
    assert sum(len(entry.data) for entry in table(collected)) + 96 == len(
        collected.endorsements[0][1]
    )
    assert machine.notes("sev-guest")[-1] == f"{GET_EXT_REPORT} 16384"
    with Collector(machine, SEV_GUEST) as collector:
        assert collector.info() == ("amd-sev-snp", True, "sev-guest")


def test_a_report_alone(machine: Namespace) -> None:
    collected = collect(machine, certificates=False)
    assert (collected.error, collected.endorsements) == ("", ())
    assert collected.data[IN_REPORT] == REPORT_DATA
    assert machine.notes("sev-guest")[-1] == f"{GET_REPORT} 0"


def test_a_host_without_certificates() -> None:
    with Namespace([SevGuest(certificates=False)]) as machine:
        collected = collect(machine)
        assert (collected.error, collected.endorsements) == ("", ())
        assert collected.data[IN_REPORT] == REPORT_DATA


@pytest.mark.parametrize(
    ("pages", "kernel_pages", "sizes", "message"),
    [
        (4, 4, [16384], ""),
        (5, 8, [16384, 20480], ""),
        (16, 16, [16384, 65536], ""),
        (17, 32, [16384], "asks for a buffer of 69632 bytes"),
        (8, 4, [16384, 32768], "EINVAL: the kernel refused the request"),
    ],
)
def test_the_size_of_the_table(
    pages: int, kernel_pages: int, sizes: list[int], message: str
) -> None:
    with Namespace([SevGuest(pages=pages, kernel_pages=kernel_pages)]) as machine:
        collected = collect(machine)
        assert message in collected.message
        assert bool(collected.error) == bool(message)
        assert machine.notes("sev-guest") == [f"{GET_EXT_REPORT} {size}" for size in sizes]
        assert message or len(table(collected)) == 3


def test_privilege_levels() -> None:
    with Namespace([SevGuest(vmpl=2)]) as machine:
        assert collect(machine).data[VMPL] == (2).to_bytes(4, "little")
        assert collect(machine, privlevel=3).data[VMPL] == (3).to_bytes(4, "little")
        assert "status 0x16: INVALID_PARAM" in collect(machine, privlevel=0).message
    with Namespace([SevGuest(vmpl=2, says_vmpl=False)]) as machine:
        collected = collect(machine)
        assert collected.error == "UnavailableError"
        assert "configfs-tsm knows" in collected.message
        assert len(machine.notes("sev-guest")) == 1


@pytest.mark.parametrize(
    ("faults", "message"),
    [
        ("refused", "status 0x16: INVALID_PARAM"),
        ("larger", "a report of 1200 bytes, not of 1184"),
        ("other", "does not carry the REPORT_DATA"),
        ("ENOTTY", "ENOTTY: the guest's key to the firmware was wiped"),
        ("ETIMEDOUT", "ETIMEDOUT: the host throttled the request for a minute"),
        ("EBADMSG", "EBADMSG: the firmware's answer was not authentic"),
        ("EIO", "EIO: the request failed"),
        ("ENODEV", "ENODEV: the device went away"),
        ("EINTR", "EINTR: signals interrupted it"),
        ("EBUSY", "EBUSY: it is busy"),
    ],
)
def test_no_error_is_met_by_another_try(machine: Namespace, faults: str, message: str) -> None:
    before = len(machine.notes("sev-guest"))
    machine.tell("sev-guest", faults)
    with Collector(machine, SEV_GUEST) as collector:
        collected = collector.collect(REPORT_DATA)
        assert (collected.error, collected.data) == ("UnavailableError", b"")
        assert message in collected.message
        assert collected.seconds < 1
        assert len(machine.notes("sev-guest")) - before == 1
        assert collector.collect(REPORT_DATA).error == ""


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("throttled", "host error 0x2, BUSY: the host throttles requests): EIO"),
        ("failed", "firmware error 0x11, unknown): EIO: the request failed, and the kernel wiped"),
    ],
)
def test_after_an_error_the_key_is_gone(fault: str, message: str) -> None:
    with Namespace([SevGuest()]) as machine, Collector(machine, SEV_GUEST) as collector:
        machine.tell("sev-guest", fault)
        assert message in collector.collect(REPORT_DATA).message
        assert "ENOTTY" in collector.collect(REPORT_DATA).message
        assert len(machine.notes("sev-guest")) == 2


def test_a_broken_table_is_left_out(machine: Namespace) -> None:
    machine.tell("sev-guest", "broken")
    collected = collect(machine)
    assert (collected.error, collected.endorsements) == ("", ())
    assert collected.data[IN_REPORT] == REPORT_DATA


def test_no_device_and_no_right_to_it() -> None:
    with Namespace() as machine:
        with Collector(machine, SEV_GUEST) as collector:
            assert collector.info() == ("none", False, "")
            collected = collector.collect(REPORT_DATA)
        assert collected.error == "UnsupportedError"
        assert "modprobe sev-guest" in collected.message
        assert "--device /dev/sev-guest" in collected.message


def test_without_the_right_to_it(machine: Namespace) -> None:
    outcome = machine.run(
        *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-c"),
        "from wasmtime_attestation.attesters.sev_guest import *\n"
        "try: SevGuestAttester().collect(bytes(64))\n"
        "except UnavailableError as error: print(error)",
    )
    assert "EACCES: this user may not use the device: run as root" in outcome.out, outcome.err


def test_32_at_once(machine: Namespace) -> None:
    with Collector(machine, SEV_GUEST) as collector:
        collected = collector.collect_at_once(REPORT_DATA, 32)
    assert {one.error for one in collected} == {""}
    assert [one.data[IN_REPORT][-1] for one in collected] == list(range(32))
    assert in_order(collected)
    # A limit of our own: twenty a second.
    assert max(one.seconds for one in collected) > 31 * 0.05 - 0.2
