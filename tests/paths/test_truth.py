"""Every service that attests a platform, for guests of each ABI: from the device to `verify`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.emulation.namespace import Namespace
from tests.fakes import amd, intel
from tests.paths.guests import ABIS
from tests.paths.hosts import (
    AZURE_SNP,
    AZURE_TDX,
    GPUS,
    SNP,
    TDX,
    Host,
    Machine,
    RelyingParty,
    expecting,
)

REJECTED = 4
MEASUREMENTS = {
    name: body[offset : offset + size].hex()
    for name, body, (offset, size) in (
        ("mrtd", intel.PLATFORM.body(), intel.LAYOUT["mrtd"]),
        ("measurement", amd.MILAN.body(), amd.LAYOUT["measurement"]),
    )
}
NVIDIA_3 = 'api-version = "3"'
NVIDIA_4_2 = 'api-version = "4"\nclaims-version = "2.0"'


@dataclass(frozen=True)
class Way:
    """A way to a token.

    Attributes:
        machine, service: where it begins, and who issues it.
        targets: what is attested.
        more: further settings of the service.
        says_measurement: whether the token states the launch measurement.
        too_long: targets whose tokens the legacy ABI has no room for.
    """

    machine: Machine
    service: str
    targets: tuple[str, ...] = ("vm",)
    more: str = ""
    says_measurement: bool = True
    too_long: frozenset[str] = frozenset()

    def __str__(self) -> str:
        words = (self.service, *(word.strip('"') for word in self.more.split() if '"' in word))
        return f"{self.machine}-{'-'.join(words)}"


WAYS = (
    Way(TDX, "maa"),
    Way(TDX, "ita", ("vm", "all", "gpu:7")),
    Way(TDX, "ita", more='api-version = "1"\ntoken-signing-alg = "RS256"'),
    Way(TDX, "nras", ("gpu:0", "gpu:7", "all")),
    Way(TDX, "nras", ("gpu:7", "all"), NVIDIA_3),
    Way(TDX, "nras", ("gpu:7", "all"), NVIDIA_4_2),
    Way(TDX, "trustee", ("vm", "all", "gpu:7"), too_long=frozenset({"all"})),
    Way(SNP, "trustee"),
    Way(AZURE_SNP, "maa"),
    Way(AZURE_SNP, "trustee", says_measurement=False),
    Way(AZURE_TDX, "maa"),
    Way(AZURE_TDX, "ita"),
    Way(AZURE_TDX, "trustee", says_measurement=False),
)


QUICK = tuple(
    way for way in WAYS if not way.more and way.machine is not AZURE_TDX and way.says_measurement
)
"""Those that are tried in every run; the others where there is time."""


@pytest.fixture(scope="module")
def machine(request: pytest.FixtureRequest) -> Iterator[Namespace]:
    if request.param is TDX:
        yield request.getfixturevalue("tdx")
        return
    with request.param.start() as started:
        yield started


every = pytest.mark.parametrize(
    ("machine", "way"),
    [
        pytest.param(way.machine, way, id=str(way), marks=[pytest.mark.slow] * (way not in QUICK))
        for way in WAYS
    ],
    indirect=["machine"],
    scope="module",
)


def asked(way: Way) -> list[str]:
    """Returns what a guest asks for: twice what may come from the cache, and for a challenge."""
    words = []
    for target in way.targets:
        # There is no call for everything that the host may answer from its cache.
        kept = [] if target == "all" else [f"kept:{target}"] * 2
        words += [*kept, f"fresh:{target}"]
    return words


@pytest.mark.parametrize("abi", ABIS)
@every
def test_way(machine: Namespace, way: Way, abi: str, tmp_path: Path) -> None:
    host = Host(machine, way.service, abi, tmp_path, way.more)
    before, words = len(host.answers), asked(way)
    if abi == "core" and way.too_long:
        (line,) = host.run([f"fresh:{target}" for target in way.too_long])
        assert line.case == "unsupported"
        assert "carries at most 50000" in line.text
        before, words = before + 1, [w for w in words if w.partition(":")[2] not in way.too_long]
    *obtained, read = host.run([*words, "read:0"])
    for line, word in zip(obtained, words, strict=True):
        assert (line.word, line.case, line.also) == (word, "ok", "true"), line.text
    assert read.case == "affirming", read.text
    tokens = {line.text for line in obtained}
    # Each was shown evidence once, but for what came from the cache.
    cached = sum(word.startswith("kept:") for word in words) // 2
    assert len(host.answers) - before == len(tokens) == len(words) - cached
    relying = RelyingParty(host, host.answers[-1].keys)
    for line in obtained:
        demands = expecting(host) if line.word.startswith("fresh:") else []
        code, report = relying.verify(line.text, *demands)
        assert code == 0, report
        check(way, line.word, report["claims"])
        if demands:
            others = expecting(host, bytes(16))
            assert relying.verify(line.text, *others)[0] == REJECTED


def check(way: Way, word: str, claims: dict[str, Any]) -> None:
    """Checks what a relying party is told: of which machines, and what they measured."""
    environments = claims["environments"]
    devices = [e for e in environments if e["tee_type"] == "nvidia-gpu"]
    machines = [e for e in environments if e not in devices]
    assert claims["status"] == "affirming"
    is_about_machine = way.service != "nras" and "gpu" not in word
    assert len(machines) == is_about_machine
    assert len(devices) == (GPUS if word.endswith("all") else "gpu" in word)
    for each in machines:
        is_amd = "snp" in str(way.machine)
        assert each["tee_type"] == ("amd-sev-snp" if is_amd else "intel-tdx")
        name = "measurement" if is_amd else "mrtd"
        right = MEASUREMENTS[name] if way.says_measurement else None
        assert each["measurements"].get(name) == right


@pytest.mark.parametrize("abi", ABIS)
@pytest.mark.parametrize("machine", [SNP], indirect=True, ids=str, scope="module")
def test_evidence_that_a_service_does_not_take(
    machine: Namespace, abi: str, tmp_path: Path
) -> None:
    """Azure's and Intel's services are shown no report of another cloud's SEV-SNP."""
    for service, why in (("maa", "Azure's machines alone"), ("ita", "it takes trust domains")):
        host = Host(machine, service, abi, tmp_path)
        kept, fresh = host.run(["kept:vm", "fresh:vm"])
        assert {kept.case, fresh.case} == {"unsupported"}
        assert why in kept.text
        assert host.answers == []
