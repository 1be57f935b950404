"""Azure confidential VMs end to end: the emulated vTPM, paravisor and metadata service stand at
their production paths, the real tool collects and verifies there.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from wasmtime_attestation.evidence import azure, base64url, hcl, jwt, tpm

from tests.emulation import hardware
from tests.emulation.azure import AzureVm
from tests.emulation.namespace import Namespace
from tests.emulation.paravisor import PERIOD
from tests.emulation.swtpm import Swtpm
from tests.fakes.boot_log import PC

KINDS = ("snp", "tdx")
NONCE = "5c" * 16
QUICK = 0.2
"""A period that costs less than Azure's two seconds."""


@pytest.fixture(scope="module", name="machine", params=KINDS)
def _machine(request: pytest.FixtureRequest) -> Iterator[Namespace]:
    with Namespace([AzureVm(request.param, period=QUICK)]) as machine:
        yield machine


@pytest.fixture(scope="module", name="snp")
def _snp() -> Iterator[Namespace]:
    with Namespace([AzureVm("snp", period=QUICK)]) as machine:
        yield machine


@pytest.fixture(autouse=True)
def _healed(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test told an emulation ends with the test."""
    yield
    for name in {"machine", "snp"} & set(request.fixturenames):
        request.getfixturevalue(name).tell("azure", "")


def verified(machine: Namespace, token: str, *, is_complete: bool = True) -> dict[str, Any]:
    """Verifies a token with the tool and returns its JSON."""
    folder = machine.folder("azure")
    file = folder / "token"
    file.write_text(token)
    arguments: list[str | Path] = ["verify", file, "--nonce", NONCE, "--json"]
    arguments += ["--trust", hardware.root(folder)]
    for endorsement in hardware.endorsements(folder) if is_complete else ():
        arguments += ["--endorsements", endorsement]
    outcome = machine.cli(*arguments)
    found: dict[str, Any] = json.loads(outcome.out)
    return found | {"code": outcome.code}


def evidence(token: str) -> dict[str, Any]:
    found = jwt.decode(token.strip()).claims()["evidence"]
    assert isinstance(found, list)
    assert isinstance(found[0], dict)
    return found[0]


def collect(machine: Namespace, *arguments: str) -> list[dict[str, Any]]:
    """Collects without the tool, in as many threads as the first argument says."""
    outcome = machine.run(sys.executable, "-m", "tests.attesters.azure_collect", *arguments)
    assert outcome.code == 0, outcome.err
    return [json.loads(line) for line in outcome.out.splitlines()]


def test_the_tool_attests_and_verifies(machine: Namespace) -> None:
    outcome = machine.cli("attest", "vm", "--nonce", NONCE)
    assert (outcome.code, outcome.err) == (0, "")
    report = verified(machine, outcome.out)
    assert (report["code"], report["outcome"]) == (0, "verified"), report
    passed = {check["id"] for check in report["checks"] if check["outcome"] == "passed"}
    expected = {"evidence.binding", "azure.runtime-claims", "tpm.signature", "tpm.nonce"}
    assert passed >= expected | {"tpm.pcrs", "azure.format"}
    kind = evidence(outcome.out)["type"]
    assert kind in ("azure-snp", "azure-tdx")
    assert ("azure.paravisor" if kind == "azure-snp" else "azure.td-report") in passed


def test_the_evidence_of_snp_needs_nothing_else(snp: Namespace) -> None:
    token = snp.cli("attest", "vm", "--nonce", NONCE).out
    assert verified(snp, token, is_complete=False)["outcome"] == "verified"
    assert len(evidence(token)["endorsements"]) == 3


def test_detect_names_the_hardware(machine: Namespace) -> None:
    report = json.loads(machine.cli("detect", "--json").out)
    (info,) = collect(machine, "info")
    assert info["provider"] == report["provider"] == "azure-vtpm"
    assert info["tee_type"] == report["tee_type"]
    assert info["tee_type"] in ("amd-sev-snp", "intel-tdx")
    assert report["supports_attestation"] is True


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_second_challenge_is_answered_within_the_paravisors_period(kind: str) -> None:
    data = [os.urandom(64).hex() for _ in range(3)]
    with Namespace([AzureVm(kind)]) as machine:
        for answer, challenge in zip(collect(machine, "1", *data), data, strict=True):
            assert user_data(answer) == challenge
            assert answer["seconds"] < PERIOD + 8


def test_threads_and_processes_at_once_each_get_their_own(machine: Namespace) -> None:
    data = [[os.urandom(64).hex() for _ in range(2)] for _ in range(2)]
    command = (sys.executable, "-m", "tests.attesters.azure_collect", "2")
    started = [machine.start(*command, *challenges) for challenges in data]
    for process, challenges in zip(started, data, strict=True):
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        answers = [json.loads(line) for line in out.splitlines()]
        assert [user_data(answer) for answer in answers] == challenges


def user_data(answer: dict[str, Any]) -> str:
    assert "data" in answer, answer
    report = hcl.decode(azure.decode(base64.b64decode(answer["data"])).hcl_report)
    assert report.claims.user_data is not None
    return report.claims.user_data.hex()


@pytest.mark.slow
def test_another_program_at_the_same_time() -> None:
    """A client of tpm2-tools writes its own user data over ours; both get theirs in the end."""
    with Namespace([AzureVm("snp")]) as machine:
        swtpm = Swtpm(machine.folder("azure") / "swtpm.sock")
        rival = machine.folder("azure") / "rival"
        rival.write_bytes(b"\xcc" * 64)
        process = machine.start(
            *(sys.executable, "-m", "tests.attesters.azure_collect", "1", "aa" * 64, "bb" * 64)
        )
        _wait_for(lambda: _user_data(swtpm) == b"\xbb" * 64)
        swtpm.tool("tpm2_nvwrite", "-C", "o", "-i", rival, "0x1400002")
        time.sleep(3)  # what known clients do before they read
        assert hcl.decode(sent(machine, 2600)).claims.user_data == b"\xcc" * 64
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        answers = [json.loads(line) for line in out.splitlines()]
    assert [user_data(answer) for answer in answers] == ["aa" * 64, "bb" * 64]
    assert answers[1]["seconds"] > 3, "the rival was given time to read its report"


def _user_data(swtpm: Swtpm) -> bytes:
    try:
        return swtpm.tool("tpm2_nvread", "-C", "o", "0x1400002")
    except subprocess.CalledProcessError:
        return b""


def _wait_for(condition: Any) -> None:  # noqa: ANN401
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_32_at_once(snp: Namespace) -> None:
    data = [os.urandom(64).hex() for _ in range(32)]
    answers = collect(snp, "32", *data)
    assert [user_data(answer) for answer in answers] == data
    # Who came first was served first, give or take threads that started late.
    seconds = [answer["seconds"] for answer in answers]
    assert sum(seconds[:8]) < sum(seconds[-8:])


@pytest.mark.parametrize("kind", KINDS)
def test_the_boot_log_leads_to_the_pcrs_that_are_quoted(kind: str) -> None:
    with Namespace([AzureVm(kind, period=QUICK, measured=tuple(PC))]) as machine:
        outcome = machine.cli("attest", "vm", "--boot-log", "--nonce", NONCE)
        assert outcome.code == 0, outcome.err
        report = verified(machine, outcome.out)
    outcomes = {check["id"]: check["outcome"] for check in report["checks"]}
    assert (report["outcome"], outcomes["boot-log.replay"]) == ("verified", "passed"), report


def test_a_pcr_that_is_extended_while_all_are_quoted(snp: Namespace) -> None:
    snp.tell("azure", "extend 2")
    outcome = snp.cli("attest", "vm", "--nonce", NONCE)
    assert outcome.code == 0, outcome.err
    assert verified(snp, outcome.out)["outcome"] == "verified"
    snp.tell("azure", "extend")
    outcome = snp.cli("attest", "vm")
    assert (outcome.code, "a PCR was extended while" in outcome.err) == (6, True), outcome.err


def test_tpm2_tools_read_the_same_from_the_device(machine: Namespace) -> None:
    """The emulated device serves other programs too, and they read what we read."""
    folder = machine.folder("azure")
    token = machine.cli("attest", "vm", "--nonce", NONCE).out
    parts = azure.decode(base64url.decode(evidence(token)["data"]))
    ours, theirs = hcl.decode(parts.hcl_report), hcl.decode(sent(machine, 2600))
    assert theirs.claims.user_data == ours.claims.user_data
    assert theirs.claims.attestation_key == ours.claims.attestation_key
    tool = tool_on_device(machine, "tpm2_nvread", "-C", "o", "-o", folder / "data", "0x1400002")
    assert (folder / "data").read_bytes() == ours.claims.user_data, tool
    selection = "sha256:" + ",".join(map(str, range(24)))
    tool_on_device(machine, "tpm2_pcrread", selection, "-o", folder / "pcrs", "-F", "values")
    assert parts.tpm_quote is not None
    values = b"".join(parts.tpm_quote.pcrs[index] for index in range(24))
    assert (folder / "pcrs").read_bytes() == values


def sent(machine: Namespace, size: int) -> bytes:
    """Reads the report's index by commands written by hand (part 3, TPM2_NV_Read).

    `tpm2_nvread` authorises by an HMAC session over the index's name, and libtpms, which knows no
    index of this size, has another name for it.
    """
    data = b""
    command, response = (machine.folder("azure") / name for name in ("command", "response"))
    while len(data) < size:
        piece = min(1024, size - len(data))
        text = "8002000000230000014e4000000101400001" + "000000094000000900000000" + "00"
        command.write_bytes(
            bytes.fromhex(text) + piece.to_bytes(2, "big") + len(data).to_bytes(2, "big")
        )
        tool_on_device(machine, "tpm2_send", "-o", response, command)
        answer = response.read_bytes()
        assert answer[:16].hex() == f"8002{21 + piece:08x}00000000{2 + piece:08x}{piece:04x}"
        data += answer[16 : 16 + piece]
    return data


def tool_on_device(machine: Namespace, tool: str, *arguments: str | Path) -> str:
    outcome = machine.run(tool, "-T", "device:/dev/tpmrm0", *arguments)
    assert outcome.code == 0, outcome.err
    return outcome.out


def test_a_quote_answers_a_nonce_that_a_service_wants(machine: Namespace) -> None:
    program = (
        "import sys\n"
        "from wasmtime_attestation.attesters.select import DetectedAttester\n"
        "found = DetectedAttester().collect_quoting(bytes(63) + b'D', bytes(range(48)))\n"
        "sys.stdout.write(found.data.decode())\n"
    )
    outcome = machine.run(sys.executable, "-c", program)
    assert outcome.code == 0, outcome.err

    parts = azure.decode(outcome.out.encode())
    assert parts.tpm_quote is not None
    assert tpm.decode(parts.tpm_quote.message).extra_data == bytes(range(48))
    assert hcl.decode(parts.hcl_report).claims.user_data == bytes(63) + b"D"
