"""`attest vm` and guests on emulated hardware, by the real tool at the real paths, end to end."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.cli.tool import Outcome
from tests.emulation import hardware
from tests.emulation.emulation import Emulation
from tests.emulation.namespace import Namespace
from tests.emulation.qgs import QuoteGenerationService
from tests.emulation.sev_guest import SevGuest
from tests.emulation.tdx_guest import TdxGuest
from tests.emulation.tsm import ConfigfsTsm
from tests.example_guests import cpp_reporter, python_reporter
from tests.fakes import boot_log

NONCE = "000102030405060708090a0b0c0d0e0f"
CCEL = "/sys/firmware/acpi/tables/data/CCEL"


@dataclass(frozen=True)
class Platform:
    """A kind of machine.

    Attributes:
        name: for test ids.
        emulations: what stands in it; the last one signs.
        tee_type: what it must be called.
        provider: how its evidence must be reached.
    """

    name: str
    emulations: Sequence[Emulation] = field(repr=False)
    tee_type: str
    provider: str

    def __str__(self) -> str:
        return self.name


PLATFORMS = (
    Platform("tdx-configfs", [ConfigfsTsm("tdx_guest")], "intel-tdx", "configfs-tsm"),
    Platform("snp-configfs", [ConfigfsTsm("sev_guest")], "amd-sev-snp", "configfs-tsm"),
    Platform(
        "snp-configfs-without-certificates",
        [ConfigfsTsm("sev_guest", certificates=False)],
        "amd-sev-snp",
        "configfs-tsm",
    ),
    Platform("snp-ioctl", [SevGuest()], "amd-sev-snp", "sev-guest"),
    Platform(
        "snp-ioctl-without-certificates",
        [SevGuest(certificates=False)],
        "amd-sev-snp",
        "sev-guest",
    ),
    Platform("tdx-qgs", [TdxGuest(), QuoteGenerationService()], "intel-tdx", "tdx-guest"),
)
# In the others, a verifier needs more than the root and the token.
SELF_CONTAINED = {"snp-configfs", "snp-ioctl"}


@dataclass
class Running:
    """A machine of a kind that runs."""

    platform: Platform
    machine: Namespace

    @property
    def folder(self) -> Path:
        """Where root and endorsements are."""
        return self.machine.folder(self.platform.emulations[-1].name)

    def verify(self, token: str, *options: str | Path, endorsed: bool = True) -> Outcome:
        """Verifies a token on the same machine, which proves nothing less."""
        given = hardware.endorsements(self.folder) if endorsed else []
        files = [word for file in given for word in ("--endorsements", file)]
        trust = ("--trust", hardware.root(self.folder))
        return self.machine.cli("verify", "-", *trust, *files, *options, stdin=token.encode())


@pytest.fixture(scope="module", params=PLATFORMS, ids=str)
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    platform: Platform = request.param
    with Namespace(platform.emulations) as machine:
        yield Running(platform, machine)


def evidence(token: str) -> Any:  # noqa: ANN401  JSON
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["evidence"]


def test_a_token_that_verifies(running: Running) -> None:
    attested = running.machine.cli("attest", "vm", "--nonce", NONCE)
    assert (attested.code, attested.err) == (0, "")
    verified = running.verify(attested.out, "--nonce", NONCE, "--json")
    assert verified.code == 0, verified.out + verified.err
    report = json.loads(verified.out)
    assert report["outcome"] == "verified"
    # Whose root is not a vendor's is called a simulation, whatever it says of itself.
    assert report["claims"]["evidence"][0]["tee_type"] == "simulated"
    checks = {check["id"]: check["outcome"] for check in report["checks"]}
    assert checks["evidence.binding"] == "passed"
    assert [piece["type"] for piece in evidence(attested.out)] == [running.platform.tee_type]


def test_a_token_for_another_nonce_does_not(running: Running) -> None:
    attested = running.machine.cli("attest", "vm", "--nonce", NONCE)
    assert running.verify(attested.out, "--nonce", "ff" * 16).code == 4
    folder = running.folder
    files = [word for file in hardware.endorsements(folder) for word in ("--endorsements", file)]
    untrusting = running.machine.cli("verify", "-", *files, stdin=attested.out.encode())
    assert untrusting.code == 4, untrusting.err


def test_what_the_token_lacks_is_asked_for(running: Running) -> None:
    attested = running.machine.cli("attest", "vm", "--nonce", NONCE)
    verified = running.verify(attested.out, endorsed=False)
    assert verified.code == (0 if running.platform.name in SELF_CONTAINED else 6), verified.err


def test_detection_and_doctor_name_it(running: Running) -> None:
    detected = running.machine.cli("detect", "--json")
    found = json.loads(detected.out)
    assert (found["tee_type"], found["provider"], found["supports_attestation"]) == (
        *(running.platform.tee_type, running.platform.provider),
        True,
    )


@pytest.mark.parametrize(
    ("guest", "detected"),
    [
        pytest.param(python_reporter, "amd-sev-snp", marks=pytest.mark.slow, id="component"),
        pytest.param(cpp_reporter, "AMD SEV-SNP", id="legacy"),
    ],
)
def test_example_guests_of_both_abis(guest: Callable[[], Path], detected: str) -> None:
    with Namespace([ConfigfsTsm("sev_guest")]) as machine:
        outcome = machine.cli("run", "--tee", "auto", guest(), timeout=300)
    assert outcome.code == 0, outcome.err
    lines = outcome.out.splitlines()
    assert lines[0] == f"detected: {detected}"
    assert lines[1].endswith("characters")
    # The host pins the vendors' roots, and this is none: it must not accept its own token.
    assert "the host does not accept its own token" in lines[2]


def test_32_guests_at_once(running: Running) -> None:
    outcome = running.machine.run(sys.executable, "-m", "tests.emulation.guests_at_once", "32")
    assert outcome.code == 0, outcome.err
    assert json.loads(outcome.out)["codes"] == [0] * 32


def test_under_an_svsm(tmp_path: Path) -> None:
    platform = Platform("snp-svsm", [ConfigfsTsm("sev_guest", floor=2)], "amd-sev-snp", "")
    with Namespace(platform.emulations) as machine:
        running = Running(platform, machine)
        token = machine.cli("attest", "vm", "--nonce", NONCE).out
        assert machine.notes("tsm")[-1].endswith("at level 2")
        verified = running.verify(token, "--nonce", NONCE)
        assert verified.code == 5
        assert "policy.vmpl: VMPL is 2; accepted: 0" in verified.err
        policy = tmp_path / "policy.toml"
        policy.write_text('schema = 1\naccept = ["simulated"]\n[snp]\nvmpl = [2]\n')
        assert running.verify(token, "--nonce", NONCE, "--policy", policy).code == 0


def test_the_boot_log_goes_along() -> None:
    log = boot_log.log([boot_log.Measurement(1, 4, b"measured")], (0x0C,), b"\xff" * 64)
    with Namespace([ConfigfsTsm("tdx_guest")], files={CCEL: log}) as machine:
        attested = machine.cli("attest", "vm", "--nonce", NONCE, "--boot-log")
        assert attested.code == 0, attested.err
        kept = base64.urlsafe_b64decode(evidence(attested.out)[0]["boot_log"] + "==")
        assert kept.startswith(log.rstrip(b"\xff"))
        # The miniature platform measured nothing: the replay must not lead to its registers.
        running = Running(PLATFORMS[0], machine)
        verified = running.verify(attested.out, "--nonce", NONCE)
        assert verified.code == 4
        assert "boot-log" in verified.err
    with Namespace([ConfigfsTsm("tdx_guest")]) as machine:
        attested = machine.cli("attest", "vm", "--boot-log")
        assert attested.code == 6
        assert "no boot log at /sys/firmware/acpi/tables/data/CCEL" in attested.err


@pytest.mark.parametrize(
    ("faults", "code", "words"),
    [
        ("EBUSY EBUSY", 0, ""),
        ("ETIMEDOUT", 6, "the host did not answer in the kernel's time"),
        ("ENOTTY", 6, "only a reboot"),
        ("empty", 6, "an empty report"),
    ],
)
def test_failures_have_their_codes(faults: str, code: int, words: str) -> None:
    with Namespace([ConfigfsTsm("sev_guest")]) as machine:
        machine.tell("tsm", faults)
        attested = machine.cli("attest", "vm")
        assert attested.code == code
        assert words in attested.err
        assert machine.cli("attest", "vm").code == 0
