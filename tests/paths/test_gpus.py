"""Eight GPUs of which one has other firmware than NVIDIA's: every service says no, and of which."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.emulation.namespace import Namespace
from tests.paths.guests import ABIS
from tests.paths.hosts import Host, RelyingParty

ALTERED = 5
REPORT = "nvmlDeviceGetConfComputeGpuAttestationReport"


@pytest.fixture
def gpus(tdx: Namespace) -> Iterator[Callable[[object], None]]:
    """Tells how the GPUs are, which are as they should be afterwards."""

    def tell(told: object) -> None:
        tdx.tell("nvml", json.dumps(told))

    yield tell
    tell({})


@pytest.mark.parametrize("abi", ABIS)
@pytest.mark.parametrize("service", ["nras", "ita", "trustee"])
def test_one_of_eight(
    tdx: Namespace, gpus: Callable[[object], None], service: str, abi: str, tmp_path: Path
) -> None:
    gpus({"altered": [ALTERED]})
    host = Host(tdx, service, abi, tmp_path)
    before = len(host.answers)
    words = ["fresh:all", f"fresh:gpu:{ALTERED}", f"fresh:gpu:{ALTERED - 1}"]
    everything, bad, good = host.run(words)
    for line in (everything, bad):
        assert line.case == "policy", line.text
    assert str(ALTERED) in everything.text
    assert f"GPU-{ALTERED - 1}" not in everything.text
    assert (good.case, good.also) == ("ok", "true")
    for answer, code in zip(host.answers[before:], (5, 5, 0), strict=True):
        assert RelyingParty(host, answer.keys).verify(answer.token)[0] == code


@pytest.mark.slow
@pytest.mark.parametrize("service", ["nras", "ita", "trustee"])
def test_seven_of_eight(
    tdx: Namespace, gpus: Callable[[object], None], service: str, tmp_path: Path
) -> None:
    """A GPU that does not answer is no reason for a token about the others."""
    gpus({"of_gpu": {"3": {REPORT: 999}}})
    host = Host(tdx, service, "component", tmp_path)
    before = len(host.answers)
    everything, bad, good = host.run(["fresh:all", "fresh:gpu:3", "fresh:gpu:4"])
    assert {everything.case, bad.case} == {"unavailable"}
    assert "3" in everything.text
    assert good.case == "ok"
    assert len(host.answers) - before == 1
