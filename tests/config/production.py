"""The configurations of docs/production.md, and miniature hosts and services to run them with."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wasmtime_attestation import wit
from wasmtime_attestation.attesters.machine import Machine
from wasmtime_attestation.config import Configuration, read
from wasmtime_attestation.config.file import layer
from wasmtime_attestation.embedding import files, starting
from wasmtime_attestation.evidence.envelope import Evidence
from wasmtime_attestation.service import AttestationService, Settings

from tests.fakes import amd, intel
from tests.fakes.host import Clock
from tests.services.asking import Attested

PAGE = Path(__file__).resolve().parents[2] / "docs" / "production.md"


def documented(name: str) -> str:
    """Returns a configuration of the page."""
    [text] = re.findall(rf"<!-- {name} -->\n```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert isinstance(text, str)
    return text


def written(folder: Path, name: str, changes: Mapping[str, str]) -> Configuration:
    """Writes a configuration of the page with other addresses, and reads it."""
    text = documented(name)
    for before, after in changes.items():
        assert before in text
        text = text.replace(before, after)
    file = folder / "host.toml"
    file.write_text(text)
    file.chmod(0o600)
    return read([layer(file)]).configuration


@dataclass
class Vm:
    """A miniature machine as the host collects from it."""

    attested: Attested

    def info(self) -> wit.TeeInfo:
        """Says what it is."""
        return self.attested.info()

    def collect(self, report_data: bytes) -> Evidence:
        """Collects evidence."""
        return self.attested.vm(report_data, None)


@dataclass
class Devices:
    """Its GPUs."""

    attested: Attested

    def gpus(self) -> tuple[wit.GpuInfo, ...]:
        """Lists them."""
        return tuple(
            wit.GpuInfo(n, f"GPU-{n}", "NVIDIA H100", confidential=True)
            for n in range(len(self.attested.devices))
        )

    def collect(self, index: int, nonce: bytes) -> Evidence:
        """Collects evidence of one."""
        return self.attested.gpu(index, nonce)

    def collect_all(self, nonce: bytes) -> tuple[Evidence, ...]:
        """Collects evidence of all."""
        return self.attested.all_devices(nonce)


@dataclass
class Witness:
    """A guest's world that keeps the tokens that the guest got, and what it was told of them."""

    world: wit.World
    tokens: list[str] = field(default_factory=list)
    answers: list[bool] = field(default_factory=list)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method: Callable[..., Any] = getattr(self.world, name)
        return method

    def attest_vm(self) -> wit.AttestationResult:
        """Keeps the token."""
        result = self.world.attest_vm()
        self.tokens.append(result.token)
        return result

    def attest_gpu(self, gpu_index: int) -> wit.AttestationResult:
        """Keeps the token."""
        result = self.world.attest_gpu(gpu_index)
        self.tokens.append(result.token)
        return result

    def verify_token(self, token: str) -> bool:
        """Keeps the answer."""
        self.answers.append(self.world.verify_token(token))
        return self.answers[-1]


def host(configuration: Configuration, attested: Attested) -> AttestationService:
    """Starts a host on a miniature machine, whose vendors count as real."""
    gpus = configuration.host.gpus
    machine = Machine(Vm(attested), Devices(attested), gpus)
    vendor = intel if isinstance(attested.hardware, intel.Platform) else amd
    base = Settings(
        vendor.real_anchors(),
        endorsements=files.endorsements(configuration.host.endorsements),
    )
    settings = starting.settings(configuration, base)
    return starting.service(machine, settings, configuration, Clock())
