"""The paravisor is asked until its report is ours: stale and torn reports, and rivals."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import pytest
from wasmtime_attestation.attesters.azure_report import Pace, fresh_report, hardware_type
from wasmtime_attestation.attesters.tpm_client import Tpm
from wasmtime_attestation.errors import UnavailableError, UnsupportedError
from wasmtime_attestation.evidence.hcl import ReportType

from tests.attesters.software_tpm import Between, software_tpm
from tests.emulation.paravisor import PERIOD, Paravisor
from tests.emulation.swtpm import Swtpm
from tests.fakes import amd, azure, intel

NV_READ, NV_WRITE = 0x14E, 0x137
USER_DATA = "0x1400002"
OURS, RIVALS = b"\x0a" * 64, b"\x0b" * 64
QUICK = Pace(patience=4.0, courtesy=0.2)


@pytest.fixture(scope="module", name="swtpm")
def _swtpm() -> Iterator[Swtpm]:
    with software_tpm() as tpm:
        yield tpm


def snp(report_data: bytes) -> bytes:
    return amd.MILAN.report(report_data=report_data)


def paravisor(swtpm: Swtpm, said: str = "", period: float = 0.2) -> Paravisor:
    return Paravisor(swtpm, snp, 2, lambda: said, period)


def write(swtpm: Swtpm, data: bytes) -> None:
    """What another program does, with tpm2-tools."""
    file = swtpm.socket.parent / "user-data"
    file.write_bytes(data)
    swtpm.tool("tpm2_nvwrite", "-C", "o", "-i", file, USER_DATA)


def reads_from_the_start(between: Between) -> int:
    start = bytes.fromhex("01400001")
    return sum(
        command[6:10] == NV_READ.to_bytes(4, "big")
        and command[14:18] == start
        and command[-2:] == b"\0\0"
        for command in between.commands
    )


def test_a_report_with_our_user_data(swtpm: Swtpm) -> None:
    for _ in range(2):
        data = os.urandom(64)
        report = fresh_report(Tpm(paravisor(swtpm)), data)
        assert report.decoded.claims.user_data == data
        assert len(report.data) == azure.SIZE
        assert report.decoded.type is ReportType.SNP


def test_the_paravisors_two_seconds_are_waited_for_and_no_more(swtpm: Swtpm) -> None:
    between = Between(paravisor(swtpm, period=PERIOD).exchange)
    tpm = Tpm(between)
    fresh_report(tpm, os.urandom(64))
    between.commands.clear()
    begin = time.monotonic()
    data = os.urandom(64)
    assert fresh_report(tpm, data).decoded.claims.user_data == data
    assert PERIOD - 0.5 < time.monotonic() - begin < PERIOD + 5
    assert 2 <= reads_from_the_start(between) <= 12


def test_the_guests_index_is_made_as_microsofts_own_client_makes_it(swtpm: Swtpm) -> None:
    full = "ownerwrite|authwrite|ownerread|authread"
    for size, attributes in ((0, full), (32, full), (64, full), (64, "ownerread|authwrite")):
        if USER_DATA in swtpm.tool("tpm2_nvreadpublic").decode():
            swtpm.tool("tpm2_nvundefine", "-Q", "-C", "o", USER_DATA)
        if size:
            options = ("-Q", "-C", "o", "-s", str(size), "-a", attributes)
            swtpm.tool("tpm2_nvdefine", *options, USER_DATA)
        fresh_report(Tpm(paravisor(swtpm)), OURS)
        public = swtpm.tool("tpm2_nvreadpublic", USER_DATA).decode()
        assert f"friendly: {full}|written" in public
        assert "size: 64" in public


def test_torn_reports_are_read_again(swtpm: Swtpm) -> None:
    torn = paravisor(swtpm, "tear 2", period=0.0)
    assert fresh_report(Tpm(torn), OURS, QUICK).decoded.claims.user_data == OURS
    begin = time.monotonic()
    with pytest.raises(UnavailableError, match=r"in 1 seconds: what it serves is torn"):
        fresh_report(Tpm(paravisor(swtpm, "tear", period=0.0)), OURS, Pace(patience=1.0))
    assert time.monotonic() - begin < 5


def test_a_paravisor_that_renews_nothing_is_given_up(swtpm: Swtpm) -> None:
    fresh_report(Tpm(paravisor(swtpm)), RIVALS)
    begin = time.monotonic()
    with pytest.raises(UnavailableError, match=f"serving one with {RIVALS.hex()}; either it"):
        fresh_report(Tpm(paravisor(swtpm, "stale", period=0.0)), OURS, Pace(patience=1.0))
    assert time.monotonic() - begin < 5


def redefine(swtpm: Swtpm) -> None:
    """What a client does whose user data has another size."""
    swtpm.tool("tpm2_nvundefine", "-Q", "-C", "o", USER_DATA)
    swtpm.tool("tpm2_nvdefine", "-Q", "-C", "o", "-s", "32", USER_DATA)


def remove(swtpm: Swtpm) -> None:
    """The same client, half way."""
    swtpm.tool("tpm2_nvundefine", "-Q", "-C", "o", USER_DATA)


@pytest.mark.parametrize("act", [lambda tpm: write(tpm, RIVALS), redefine, remove])
def test_a_rival_is_noticed_left_alone_for_a_while_and_followed(
    swtpm: Swtpm, act: Callable[[Swtpm], None]
) -> None:
    """It comes between our write and our first read, twice."""
    left = [act, act]

    def before(code: int) -> None:
        if code == NV_READ and left and OURS in between.commands[-2]:
            left.pop()(swtpm)

    between = Between(paravisor(swtpm, period=0.0).exchange, before)
    begin = time.monotonic()
    report = fresh_report(Tpm(between), OURS, QUICK)
    assert report.decoded.claims.user_data == OURS
    assert not left
    assert time.monotonic() - begin > 2 * QUICK.courtesy


def test_a_rival_that_never_ends_is_named(swtpm: Swtpm) -> None:
    def before(code: int) -> None:
        if code == NV_READ and OURS in between.commands[-2]:
            write(swtpm, RIVALS)

    between = Between(paravisor(swtpm, period=0.0).exchange, before)
    with pytest.raises(UnavailableError, match="another program keeps writing user data"):
        fresh_report(Tpm(between), OURS, Pace(patience=1.0, courtesy=0.1))


def test_an_index_that_changes_while_it_is_written_is_written_again(swtpm: Swtpm) -> None:
    left = [remove, redefine]

    def before(code: int) -> None:
        if code == NV_WRITE and left:
            left.pop()(swtpm)

    between = Between(paravisor(swtpm).exchange, before)
    assert fresh_report(Tpm(between), OURS, QUICK).decoded.claims.user_data == OURS
    assert not left


def test_the_hardware_is_named_without_asking_for_a_report(swtpm: Swtpm) -> None:
    def tdx(report_data: bytes) -> bytes:
        return azure.td_report(intel.PLATFORM, report_data=report_data)

    for hardware, kind in ((snp, ReportType.SNP), (tdx, ReportType.TDX)):
        between = Between(Paravisor(swtpm, hardware, kind).exchange)
        assert hardware_type(Tpm(between)) is kind
        assert reads_from_the_start(between) == 0
    with pytest.raises(UnsupportedError, match=r"hardware 9; 2 \(SEV-SNP\) and 4"):
        hardware_type(Tpm(Paravisor(swtpm, snp, 9)))


def test_a_tpm_without_a_paravisor_is_none_of_azures() -> None:
    with software_tpm(is_set_up=False) as swtpm:
        tpm = Tpm(swtpm)
        for call in (hardware_type, lambda tpm: fresh_report(tpm, OURS)):
            with pytest.raises(UnsupportedError, match=r"no HCL report .* no confidential VM"):
                call(tpm)
        # Nothing was left in somebody else's TPM.
        assert swtpm.tool("tpm2_nvreadpublic") == b""
