"""What can go wrong on Azure: each failure is explained, ends in time, and the next call works."""

from __future__ import annotations

import grp
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.tool import COMMAND
from tests.emulation.azure import AzureVm
from tests.emulation.namespace import Namespace
from tests.emulation.swtpm import Swtpm
from tests.tools import missing

QUICK = 0.1
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534")


class Collector:
    """An attester in a process within a namespace, which goes on after each failure."""

    def __init__(self, machine: Namespace) -> None:
        self.machine = machine
        self._process = machine.start(sys.executable, "-m", "tests.attesters.azure_collect", "each")

    def collect(self, fault: str = "", *, within: float = 8) -> dict[str, Any]:
        """Tells the emulation what to do wrong and collects."""
        self.machine.tell("azure", fault)
        begin = time.monotonic()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(os.urandom(64).hex().encode() + b"\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert time.monotonic() - begin < within
        return answer

    def failure(self, message: str, fault: str = "", *, within: float = 8) -> None:
        """Checks how it fails."""
        answer = self.collect(fault, within=within)
        assert answer.get("error") == "unavailable", answer
        assert re.search(message, answer["message"]), answer["message"]


@pytest.fixture(scope="module", name="snp")
def _snp() -> Iterator[Collector]:
    with Namespace([AzureVm("snp", period=QUICK)]) as machine:
        yield Collector(machine)


@pytest.fixture(scope="module", name="tdx")
def _tdx() -> Iterator[Collector]:
    with Namespace([AzureVm("tdx", period=QUICK)]) as machine:
        yield Collector(machine)


@pytest.fixture(autouse=True)
def _healed(request: pytest.FixtureRequest) -> Iterator[None]:
    """The next call works, whatever was told before."""
    yield
    for name in {"snp", "tdx"} & set(request.fixturenames):
        answer = request.getfixturevalue(name).collect()
        assert ("data" in answer, answer["log"]) == (True, ""), answer


IMDS_FAULTS = {
    "imds 400": "HTTP 400.*TDREPORT is not of this machine",
    "imds 404": "HTTP 404.*not confidential, or the region lacks it",
    "imds 415": "HTTP 415.*content type",
    "imds 429": "HTTP 429.*asked too often",
    "imds 500": "HTTP 500.*try again",
    "imds 503": "HTTP 503",
    "imds redirect": "HTTP 302|not a host that may be asked",
    "imds huge": "larger|too large|more than",
    "imds {}": "without (vcekCert|quote)",
    "imds [1]": "no JSON object",
    "imds not JSON": "gave no",
}


@pytest.mark.parametrize("fault", IMDS_FAULTS)
def test_a_failing_metadata_service_costs_snp_its_vcek_alone(snp: Collector, fault: str) -> None:
    answer = snp.collect(fault)
    assert answer["type"] == "azure-snp"
    assert answer["certificates"] == []
    assert "goes without its VCEK, to be fetched from AMD: " in answer["log"]
    assert re.search(IMDS_FAULTS[fault], answer["log"]), answer["log"]


@pytest.mark.parametrize("fault", IMDS_FAULTS)
def test_a_failing_metadata_service_is_explained_on_tdx(tdx: Collector, fault: str) -> None:
    tdx.failure(IMDS_FAULTS[fault], fault)


@pytest.mark.slow
def test_a_metadata_service_that_hangs_is_given_up(tdx: Collector) -> None:
    tdx.failure("acc/tdquote.* 10 seconds", "imds hang", within=18)


@pytest.mark.parametrize("fault", ["imds padded", "code 0x922 5", "code 0x908 2", "code 0x920 3"])
def test_what_passes_goes_unnoticed(tdx: Collector, fault: str) -> None:
    answer = tdx.collect(fault)
    assert ("data" in answer, answer["log"]) == (True, "")


def test_no_proxy_and_no_authority_stands_before_the_metadata_service(tdx: Collector) -> None:
    environment = dict.fromkeys(("http_proxy", "ALL_PROXY"), "http://127.0.0.1:9")
    environment["SSL_CERT_FILE"] = "/absent"
    tdx.machine.tell("azure", "")
    command = ("env", *(f"{name}={value}" for name, value in environment.items()), *COMMAND)
    outcome = tdx.machine.run(*command, "attest", "vm")
    assert (outcome.code, outcome.err) == (0, "")


TPM_FAULTS = {
    "errno EIO": r"/dev/tpmrm0 failed \(EIO\): .* the kernel's log says more",
    "errno ENODEV": r"ENODEV\): the TPM was removed",
    "errno ETIME": r"ETIME\): the TPM did not answer in time",
    "errno EPIPE": r"EPIPE\): the TPM was shut down",
    "cut 1": "gave .* bytes of a response and no more",
    "cut 4000": "gave 0 bytes of a response and no more",
    "code 0x921": "LOCKOUT.*tpm2_dictionarylockout",
    "code 0x101": "FAILURE.*reset of the machine",
    "foreign-key": "not the one that the paravisor vouches for",
}


@pytest.mark.parametrize("fault", TPM_FAULTS)
def test_a_failing_tpm_is_explained(snp: Collector, fault: str) -> None:
    snp.failure(TPM_FAULTS[fault], fault)


def test_detection_does_not_take_a_failure_for_another_machine(snp: Collector) -> None:
    snp.machine.tell("azure", "errno EIO")
    outcome = snp.machine.cli("attest", "vm")
    assert (outcome.code, "/dev/tpmrm0 failed (EIO)" in outcome.err) == (6, True), outcome.err


@pytest.mark.slow
def test_a_busy_device_is_waited_for_and_then_given_up(snp: Collector) -> None:
    snp.failure(r"EBUSY\): another program", "busy", within=18)


def test_what_somebody_did_to_the_tpm_is_explained() -> None:
    with Namespace([AzureVm("snp", period=QUICK)]) as machine:
        collector = Collector(machine)
        swtpm = Swtpm(machine.folder("azure") / "swtpm.sock")
        swtpm.tool("tpm2_evictcontrol", "-Q", "-C", "o", "-c", "0x81000003")
        collector.failure("no attestation key at 0x81000003: somebody evicted it")
        swtpm.tool("tpm2_changeauth", "-c", "owner", "secret")
        collector.failure("owner hierarchy has a password.*tpm2_changeauth -c owner")


def test_a_machine_whose_device_is_gone_is_unsupported() -> None:
    with Namespace(hidden=["/dev/tpmrm0"]) as machine:
        outcome = machine.cli("attest", "vm", "--tee", "azure-vtpm")
    assert (outcome.code, "there is no /dev/tpmrm0" in outcome.err) == (3, True), outcome.err


def _tss() -> int:
    try:
        return grp.getgrnam("tss").gr_gid
    except KeyError:
        missing("there is no group tss; the package tpm-udev makes it")


def test_the_group_of_the_device_is_enough_and_is_named_where_it_is_missing() -> None:
    group = _tss()
    with Namespace([AzureVm("snp", group=group, period=QUICK)]) as machine:
        tool = (*COMMAND, "attest", "vm", "--tee", "azure-vtpm")
        allowed = machine.run(*NOBODY, f"--groups={group}", *tool)
        assert allowed.code == 0, allowed.err
        denied = machine.run(*NOBODY, "--clear-groups", *tool)
        assert denied.code == 6, denied.err
        assert "belongs to group tss; add the user to it (`usermod -aG tss" in denied.err


def test_a_device_of_root_alone_is_explained() -> None:
    with Namespace([AzureVm("snp", mode=0o600, period=QUICK)]) as machine:
        tool = (*COMMAND, "attest", "vm", "--tee", "azure-vtpm")
        denied = machine.run(*NOBODY, "--clear-groups", *tool)
        assert denied.code == 6, denied.err
        assert "may not be opened (EACCES): run as root, or open it to a group" in denied.err


def test_swtpm_dies_with_the_machine() -> None:
    with Namespace([AzureVm("snp")]) as machine:
        folder = str(machine.folder("azure"))
        assert folder in _processes()
    deadline = time.monotonic() + 10
    while folder in _processes() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert folder not in _processes()


def _processes() -> str:
    return subprocess.run(["ps", "-eo", "args"], check=True, capture_output=True, text=True).stdout
