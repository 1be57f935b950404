"""Machines that lack something: what `detect`, `doctor` and `attest` say of them, and to whom."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.tool import COMMAND, Outcome
from tests.collecting.platforms import AMD, INTEL
from tests.emulation.azure import AzureVm
from tests.emulation.namespace import Namespace
from tests.emulation.nvml.emulation import Nvml
from tests.emulation.sev_guest import SevGuest
from tests.emulation.tsm import ConfigfsTsm

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--")
H100 = "NVIDIA H100 80GB HBM3, driver 550.90.07"


def examined(outcome: Outcome) -> dict[str, dict[str, Any]]:
    return {c["id"].removeprefix("doctor."): c for c in json.loads(outcome.out)["checks"]}


def as_nobody(machine: Namespace, *arguments: str) -> Outcome:
    return machine.run(*NOBODY, *COMMAND, *arguments)


@pytest.fixture(scope="module")
def gpus() -> Iterator[Namespace]:
    with Namespace([Nvml(slots=(0,))], files={"/proc/cpuinfo": INTEL.split(b"tdx_guest")[0]}) as m:
        yield m


def test_a_gpu_alone(gpus: Namespace) -> None:
    gpus.tell("nvml", "")
    members = json.loads(gpus.cli("detect", "--json").out)
    assert (members["tee_type"], members["gpu_count"]) == ("none", 1)
    assert members["gpus"][0]["confidential"] is True
    outcome = gpus.cli("doctor", "--json")
    found = examined(outcome)
    assert outcome.code == 0
    names = ("nvml", "gpu-driver", "gpu-cc-mode", "gpu-devtools")
    assert {found[name]["outcome"] for name in names} == {"ok"}
    assert found["gpu-host"]["outcome"] == "warning"
    # The only GPU needs no number.
    assert gpus.cli("attest", "gpu", "--nonce", "00" * 8).code == 0


def test_a_gpu_with_cc_mode_off(gpus: Namespace) -> None:
    gpus.tell("nvml", json.dumps({"enabled": 0}))
    members = json.loads(gpus.cli("detect", "--json").out)
    assert members["gpus"][0]["confidential"] is False
    assert "NOT confidential" in gpus.cli("detect").out
    outcome = gpus.cli("doctor", "--json")
    assert outcome.code == 6
    found = examined(outcome)
    assert found["gpu-cc-mode"]["outcome"] == "failed"
    says = f"GPU 0 ({H100}) is CC capable but CC mode is off"
    assert found["gpu-cc-mode"]["detail"].startswith(says)
    assert "nvidia_gpu_tools.py --set-cc-mode=on" in found["gpu-cc-mode"]["detail"]
    assert [c for c, check in found.items() if check["outcome"] == "failed"] == ["gpu-cc-mode"]
    attested = gpus.cli("attest", "gpu")
    assert attested.code == 3
    assert says in attested.err


def test_a_gpu_in_the_developers_mode(gpus: Namespace) -> None:
    gpus.tell("nvml", json.dumps({"devtools": 1}))
    outcome = gpus.cli("doctor", "--json")
    assert outcome.code == 6
    assert examined(outcome)["gpu-devtools"]["outcome"] == "failed"


def test_of_eight_gpus_one_has_to_be_named() -> None:
    with Namespace([Nvml()]) as machine:
        outcome = machine.cli("attest", "gpu")
    assert outcome.code == 2
    assert "8 GPUs: name one, from gpu:0 to gpu:7" in outcome.err


def test_encryption_only() -> None:
    files = {"/proc/cpuinfo": AMD.replace(b"hypervisor", b"hypervisor sev sev_es")}
    with Namespace(files=files) as machine:
        members = json.loads(machine.cli("detect", "--json").out)
        outcome = machine.cli("doctor", "--json")
        attested = machine.cli("attest", "vm")
    assert (members["tee_type"], members["supports_attestation"]) == ("amd-sev", False)
    assert outcome.code == 6
    assert examined(outcome)["tee"]["outcome"] == "failed"
    assert attested.code == 3
    assert "AMD SEV detected (memory encrypted) but SEV-SNP not available" in attested.err


def test_configfs_tsm_is_for_root() -> None:
    with Namespace([ConfigfsTsm("sev_guest")], files={"/proc/cpuinfo": AMD}) as machine:
        members = json.loads(as_nobody(machine, "detect", "--json").out)
        assert members["supports_attestation"] is False
        assert "run as root" in members["obstacle"]
        attested = as_nobody(machine, "attest", "vm")
        assert attested.code == 6
        assert "run as root" in attested.err
        # Looking left nothing behind.
        assert machine.run("ls", "/sys/kernel/config/tsm/report").out == ""
        machine.cli("detect")
        assert machine.run("ls", "/sys/kernel/config/tsm/report").out == ""


def test_a_device_for_root() -> None:
    with Namespace([SevGuest()], files={"/proc/cpuinfo": AMD}) as machine:
        outcome = as_nobody(machine, "doctor", "--json")
        found = examined(outcome)
        assert outcome.code == 6
        assert found["sev-guest"]["outcome"] == found["tee"]["outcome"] == "failed"
        assert "this user may not use it" in found["sev-guest"]["detail"]
        assert as_nobody(machine, "attest", "vm").code == 6


def test_a_vtpm_for_a_group() -> None:
    with Namespace([AzureVm("snp", group=12345, mode=0o660)]) as machine:
        outcome = as_nobody(machine, "doctor", "--json")
        assert outcome.code == 6
        assert examined(outcome)["tpm"]["outcome"] == "failed"
        assert "tss" in examined(outcome)["tpm"]["remedy"]
        member = tuple("--groups=12345" if w == "--clear-groups" else w for w in NOBODY)
        outcome = machine.run(*member, *COMMAND, "doctor", "--json")
        assert (outcome.code, examined(outcome)["paravisor"]["outcome"]) == (0, "ok")


def test_a_provider_that_is_gone() -> None:
    with Namespace([ConfigfsTsm(None)], files={"/proc/cpuinfo": INTEL}) as machine:
        members = json.loads(machine.cli("detect", "--json").out)
        assert (members["tee_type"], members["supports_attestation"]) == ("intel-tdx", False)
        outcome = machine.cli("doctor", "--json")
        assert outcome.code == 6
        found = examined(outcome)
        assert found["tsm"]["outcome"] == "failed"
        assert "modprobe tdx-guest" in found["tsm"]["remedy"]
