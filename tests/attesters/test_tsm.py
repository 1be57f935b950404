"""configfs-tsm: what is collected, and what each failure of kernel, host and rivals leads to."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attesters.collecting import TSM, Collector, in_order
from tests.emulation.namespace import Namespace
from tests.emulation.tsm import REPORTS, ConfigfsTsm

REPORT_DATA = bytes(range(64))
# Where AMD and Intel have REPORT_DATA: 56860, table ATTESTATION_REPORT; TD quote body of version 4.
IN_REPORT, IN_QUOTE = slice(0x50, 0x90), slice(48 + 520, 48 + 584)
VMPL = slice(0x30, 0x34)


@pytest.fixture(scope="module")
def machine() -> Iterator[Namespace]:
    with Namespace([ConfigfsTsm("sev_guest")]) as machine:
        yield machine


@pytest.fixture(scope="module")
def collector(machine: Namespace) -> Iterator[Collector]:
    with Collector(machine, TSM, patience=0.5) as collector:
        yield collector


@pytest.fixture(autouse=True)
def _nothing_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "machine" in request.fixturenames:
        machine: Namespace = request.getfixturevalue("machine")
        machine.tell("tsm", "")
        assert entries(machine) == []


def entries(machine: Namespace) -> list[str]:
    return machine.run("ls", REPORTS).out.split()


def test_a_report_with_its_certificates(collector: Collector) -> None:
    collected = collector.collect(REPORT_DATA)
    assert (collected.error, collected.type, len(collected.data)) == ("", "amd-sev-snp", 1184)
    assert collected.data[IN_REPORT] == REPORT_DATA
    assert collected.data[VMPL] == bytes(4)
    ((kind, table),) = collected.endorsements
    assert kind == "amd-certificate-table"
    assert table.startswith(bytes.fromhex("63da758de6644564adc5f4b93be8accd"))
    assert collector.info() == ("amd-sev-snp", True, "configfs-tsm")


def test_a_host_without_certificates() -> None:
    tsm = ConfigfsTsm("sev_guest", certificates=False)
    with Namespace([tsm]) as machine, Collector(machine, TSM) as collector:
        collected = collector.collect(REPORT_DATA)
        assert (collected.error, collected.endorsements) == ("", ())


def test_a_quote() -> None:
    with Namespace([ConfigfsTsm("tdx_guest")]) as machine, Collector(machine, TSM) as collector:
        collected = collector.collect(REPORT_DATA)
        assert (collected.error, collected.type) == ("", "intel-tdx")
        assert collected.data[IN_QUOTE] == REPORT_DATA
        assert collected.endorsements == ()
        assert collector.info() == ("intel-tdx", True, "configfs-tsm")
        with Collector(machine, TSM, privlevel=1) as asking:
            collected = asking.collect(REPORT_DATA)
            assert collected.error == "UnsupportedError"
            assert "has no privilege levels" in collected.message


def test_under_an_svsm() -> None:
    with Namespace([ConfigfsTsm("sev_guest", floor=2)]) as machine:
        for privlevel, expected in ((None, 2), (2, 2), (3, 3)):
            with Collector(machine, TSM, privlevel=privlevel) as collector:
                collected = collector.collect(REPORT_DATA)
                assert int.from_bytes(collected.data[VMPL], "little") == expected
                assert len(collected.endorsements) == 1
        with Collector(machine, TSM, privlevel=1) as collector:
            collected = collector.collect(REPORT_DATA)
            assert collected.error == "UnavailableError"
            assert "ask for 2 or above" in collected.message
        assert entries(machine) == []


def test_a_privilege_level_may_be_chosen(machine: Namespace) -> None:
    with Collector(machine, TSM, privlevel=3) as collector:
        assert collector.collect(REPORT_DATA).data[VMPL] == (3).to_bytes(4, "little")


@pytest.mark.parametrize(
    ("faults", "requests"),
    [("EBUSY EBUSY EBUSY", 4), ("EINTR EINTR", 3), ("rival", 2), ("rival rival", 3), ("short", 1)],
)
def test_what_passes_is_borne(
    machine: Namespace, collector: Collector, faults: str, requests: int
) -> None:
    before = len(machine.notes("tsm"))
    machine.tell("tsm", faults)
    collected = collector.collect(REPORT_DATA)
    assert (collected.error, collected.data[IN_REPORT]) == ("", REPORT_DATA)
    assert len(machine.notes("tsm")) - before == requests


@pytest.mark.parametrize(
    ("faults", "requests", "error", "message"),
    [
        ("EBUSY*", None, "UnavailableError", "EBUSY: a former request is still in flight"),
        ("EINTR*", None, "UnavailableError", "EINTR: signals interrupted it"),
        ("rival*", None, "UnavailableError", "somebody else writes to the entries"),
        ("ETIMEDOUT", 1, "UnavailableError", "ETIMEDOUT: the host did not answer"),
        ("EIO", 1, "UnavailableError", "EIO: the host or its firmware failed"),
        ("ENOTTY", 1, "UnavailableError", "ENOTTY: the guest's key to the firmware was wiped"),
        ("EINVAL", 1, "UnavailableError", "EINVAL: the provider refused the request"),
        ("ENXIO", 1, "UnavailableError", "ENXIO: the device went away"),
        ("ENOMEM", 1, "UnavailableError", "ENOMEM: the kernel has no memory left"),
        ("EOVERFLOW", 1, "UnavailableError", "EOVERFLOW: Value too large"),
        ("empty", 1, "UnavailableError", "an empty report"),
        ("other", 1, "UnavailableError", "does not carry the REPORT_DATA"),
        ("gone", 0, "UnsupportedError", "no provider of reports (ENXIO)"),
    ],
)
def test_what_does_not_pass_is_said(
    machine: Namespace,
    collector: Collector,
    faults: str,
    requests: int | None,
    error: str,
    message: str,
) -> None:
    before = len(machine.notes("tsm"))
    machine.tell("tsm", faults)
    collected = collector.collect(REPORT_DATA)
    assert (collected.error, collected.data) == (error, b"")
    assert message in collected.message
    assert collected.seconds < 2
    if requests is not None:
        assert len(machine.notes("tsm")) - before == requests
    assert entries(machine) == []
    machine.tell("tsm", "")
    assert collector.collect(REPORT_DATA).error == ""


def test_no_provider_and_unknown_ones() -> None:
    for name, error, message in (
        (None, "UnsupportedError", "modprobe"),
        ("arm_cca_guest", "UnsupportedError", "'arm_cca_guest', whose evidence"),
    ):
        with Namespace([ConfigfsTsm(name)]) as machine, Collector(machine, TSM) as collector:
            collected = collector.collect(REPORT_DATA)
            assert collected.error == error
            assert message in collected.message
            assert not collector.info()[1]
            assert entries(machine) == []


def test_no_configfs_and_no_right_to_it() -> None:
    with Namespace() as machine, Collector(machine, TSM) as collector:
        collected = collector.collect(REPORT_DATA)
        assert collected.error == "UnavailableError"
        assert "ENOENT: configfs-tsm is not there: mount configfs" in collected.message
        assert collector.info() == ("none", False, "")
    with Namespace([ConfigfsTsm("sev_guest")]) as machine:
        outcome = machine.run(
            *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-c"),
            "from wasmtime_attestation.attesters.tsm import *\n"
            "try: TsmAttester().collect(bytes(64))\n"
            "except UnavailableError as error: print(error)",
        )
        assert "EACCES: only root may ask for reports: run as root" in outcome.out, outcome.err


def test_a_rival_that_writes_all_the_time(machine: Namespace) -> None:
    """What is read is ours, or an error: never a report over the rival's data."""
    program = (
        "import contextlib, os, time\n"
        f"reports = {REPORTS!r}\n"
        "while True:\n"
        "    time.sleep(0.004)\n"
        "    for name in os.listdir(reports):\n"
        "        with contextlib.suppress(OSError):\n"
        "            f = os.open(f'{reports}/{name}/inblob', os.O_WRONLY)\n"
        "            os.write(f, b'r' * 64)\n"
        "            os.close(f)\n"
    )
    rival = machine.start(sys.executable, "-c", program)
    outcomes = set()
    with Collector(machine, TSM, patience=5) as collector:
        for index in range(4):
            report_data = bytes([index]) * 64
            collected = collector.collect(report_data)
            outcomes.add(collected.error)
            assert collected.error == "UnavailableError" or collected.data[IN_REPORT] == report_data
    rival.kill()
    rival.wait()
    assert outcomes <= {"", "UnavailableError"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_interrupted(machine: Namespace, number: int) -> None:
    machine.tell("tsm", "slow*")
    before = len(machine.notes("tsm"))
    process = machine.start(
        *(sys.executable, "-c"),
        "from wasmtime_attestation.attesters.tsm import *; TsmAttester().collect(bytes(64))",
    )
    deadline = time.monotonic() + 10
    while len(machine.notes("tsm")) == before and time.monotonic() < deadline:
        time.sleep(0.01)
    (entry,) = entries(machine)
    process.send_signal(number)
    begin = time.monotonic()
    process.wait(10)
    assert time.monotonic() - begin < 3
    if number == signal.SIGINT:
        assert entries(machine) == []
        return
    # It cannot clean up then; whoever comes next does.
    assert entries(machine) == [entry]
    assert entry.startswith(f"wasmtime-attestation-{process.pid}-")
    machine.tell("tsm", "")
    with Collector(machine, TSM) as collector:
        assert collector.collect(REPORT_DATA).error == ""
    assert entries(machine) == []


def test_only_what_the_dead_left_is_removed(machine: Namespace) -> None:
    """A number of a process may be given again, and means nothing in another namespace."""
    namespace = Path("/proc/self/ns/pid").stat().st_ino
    own = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
    dead, living = 2**22 + 1, os.getpid()  # beyond PID_MAX_LIMIT there is nobody
    token = "0" * 32
    gone = [f"{dead}-1-{namespace}-{token}", f"{living}-1-{namespace}-{token}"]
    stay = [
        f"{living}-{own}-{namespace}-{token}",
        f"{living}-0-{namespace}-{token}",
        f"{dead}-1-{namespace + 1}-{token}",
        f"{dead}-1-{namespace}",
        f"{dead}-{token}",
    ]
    for name in (*gone, *stay):
        assert machine.run("mkdir", f"{REPORTS}/wasmtime-attestation-{name}").code == 0
    assert machine.run("mkdir", f"{REPORTS}/somebody").code == 0
    try:
        with Collector(machine, TSM) as collector:
            assert collector.collect(REPORT_DATA).error == ""
        left = {f"wasmtime-attestation-{name}" for name in stay} | {"somebody"}
        assert set(entries(machine)) == left
    finally:
        for name in entries(machine):
            machine.run("rmdir", f"{REPORTS}/{name}")


def test_the_tool_is_terminated(machine: Namespace) -> None:
    """As services and containers are stopped."""
    machine.tell("tsm", "slow*")
    before = len(machine.notes("tsm"))
    tool = (sys.executable, "-m", "wasmtime_attestation", "attest", "vm", "--tee", "configfs-tsm")
    process = machine.start(*tool)
    deadline = time.monotonic() + 10
    while len(machine.notes("tsm")) == before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(entries(machine)) == 1
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 128 + signal.SIGTERM
    assert entries(machine) == []
    machine.tell("tsm", "")


def test_32_at_once() -> None:
    tsm = ConfigfsTsm("tdx_guest", seconds=0.02)
    with Namespace([tsm]) as machine, Collector(machine, TSM) as collector:
        collected = collector.collect_at_once(REPORT_DATA, 32)
        assert {one.error for one in collected} == {""}
        for index, one in enumerate(collected):
            assert one.data[IN_QUOTE] == REPORT_DATA[:-1] + bytes([index])
        # First come, first served.
        assert in_order(collected)
        assert len(machine.notes("tsm")) == 32
        assert entries(machine) == []


def test_many_processes_at_once(machine: Namespace) -> None:
    """The kernel keeps the entries of different processes apart; nobody fails."""
    program = (
        "from wasmtime_attestation.attesters.tsm import *\n"
        "import os\n"
        "for i in range(4):\n"
        "    data = os.urandom(64)\n"
        "    assert TsmAttester().collect(data).data[0x50:0x90] == data\n"
    )
    processes = [machine.start(sys.executable, "-c", program) for _ in range(6)]
    assert [process.wait(30) for process in processes] == [0] * 6


def test_a_probe_asks_for_no_report(machine: Namespace) -> None:
    before = len(machine.notes("tsm"))
    outcome = machine.run(
        *(sys.executable, "-c"),
        "from wasmtime_attestation.attesters import tsm; print(tsm.provider())",
    )
    assert (outcome.code, outcome.out) == (0, "sev_guest\n")
    assert len(machine.notes("tsm")) == before


def test_a_wrong_size_is_the_callers_fault(machine: Namespace) -> None:
    with Collector(machine, TSM) as collector:
        assert collector.collect(os.urandom(63)).error == "InvalidArgumentError"
