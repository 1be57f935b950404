"""Machines with services beside them, hosts that ask these for tokens, and relying parties."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cli.tool import COMMAND, run
from tests.collecting.platforms import AMD, INTEL
from tests.emulation.azure import AzureVm
from tests.emulation.emulation import Emulation
from tests.emulation.ita_service import KEY as ITA_KEY
from tests.emulation.namespace import Namespace
from tests.emulation.nras_service import SERVICE_KEY as NRAS_KEY
from tests.emulation.nvml.emulation import Nvml
from tests.emulation.tsm import ConfigfsTsm
from tests.fakes.ita import POLICY
from tests.paths import guests
from tests.paths.acts import TRUTH
from tests.paths.services import Answered, Ita, Maa, Nras, Service, Trustee

NONCE = bytes(range(16))
"""The challenge of `guest.cpp`, beside the user data `key` and the audience `them`."""
QUICK = 0.2
"""Seconds after which the paravisor looks at the user data again."""
GPUS = 8


@dataclass(frozen=True, eq=False)
class Machine:
    """A machine, and the services that attest it.

    Attributes:
        name: for test ids.
        hardware: what is emulated.
        services: beside it.
        cpu: /proc/cpuinfo.
    """

    name: str
    hardware: Sequence[Emulation]
    services: Sequence[Service]
    cpu: bytes

    def __str__(self) -> str:
        return self.name

    def start(self) -> Namespace:
        """Returns the machine."""
        return Namespace([*self.hardware, *self.services], files={"/proc/cpuinfo": self.cpu})


TDX = Machine(
    "tdx-and-8-gpus",
    [ConfigfsTsm("tdx_guest"), Nvml()],
    [Maa(), Ita(), Nras({"wants_key": True}), Trustee()],
    INTEL,
)
SNP = Machine("snp", [ConfigfsTsm("sev_guest")], [Trustee(), Maa(), Ita()], AMD)
AZURE_SNP = Machine("azure-snp", [AzureVm("snp", period=QUICK)], [Maa(), Trustee()], AMD)
AZURE_TDX = Machine(
    "azure-tdx",
    [AzureVm("tdx", period=QUICK)],
    [Maa(), Ita(), Trustee()],
    # The paravisor hides from the guest that it is a trust domain.
    INTEL.replace(b" tdx_guest", b""),
)

_SETTINGS = {
    "maa": 'url = "{url}"',
    "ita": 'url = "{url}"\nportal-url = "{url}"\napi-key-file = "ita.key"\n'
    f'policy-ids = ["{POLICY}"]',
    "nras": 'url = "{url}"\napi-key-env = "NRAS_KEY"\nunsafe-devices-only = true',
    "trustee": 'url = "{url}"\njwks-url = "{url}/jwks"',
}
_ISSUERS = {
    "maa": 'kind = "maa"\niss = ["{url}"]\njwks = "keys.json"',
    "ita": 'kind = "ita"\niss = ["Intel Trust Authority"]\njwks = "keys.json"\n'
    f'required-policies = ["{POLICY}"]',
    "nras": 'kind = "nras"\niss = ["{url}"]\njwks = "keys.json"',
    "trustee": 'kind = "ear"\njwks = "keys.json"',
}


@dataclass(frozen=True)
class Line:
    """What the guest printed about one call.

    Attributes:
        word: what it was to do.
        case: `ok`, `yes`, `no`, a status, or the error's case.
        text: the token, the issuer, or the error's message.
        also: what `verify-token` said of the token, or the TEE's name.
    """

    word: str
    case: str
    text: str
    also: str


@dataclass
class Host:
    """A host that is configured to ask one service, and runs guests of one ABI.

    Attributes:
        machine: where it runs.
        service: its name.
        abi: of its guests.
        folder: for its files.
        more: further settings of the service.
    """

    machine: Namespace
    service: str
    abi: str
    folder: Path
    more: str = ""

    def __post_init__(self) -> None:
        """Writes what an administrator would."""
        settings = _SETTINGS[self.service].format(url=self.url)
        (self.folder / "ita.key").write_text(ITA_KEY)
        self._config.write_text(
            f'schema = 1\n[host]\ntokens = ["{self.service}"]\n'
            f'[cache]\ndirectory = "{self.cache}"\n'
            "[guests.default]\nattest-per-minute = 0\n"
            f"[services.{self.service}]\n{settings}\n{self.more}\n"
        )

    @property
    def url(self) -> str:
        """The service's address."""
        return (self.machine.folder(self.service) / "url").read_text()

    @property
    def cache(self) -> Path:
        """Where tokens are kept."""
        return self.folder / "cache"

    @property
    def answers(self) -> list[Answered]:
        """What the service answered to evidence."""
        return Answered.of(self.machine.notes(self.service))

    def run(self, words: Sequence[str], acts: Sequence[str] = (TRUTH,)) -> list[Line]:
        """Runs the guest while the service plays its acts."""
        # The time makes it news to the service even if it is the same.
        self.machine.tell(self.service, json.dumps({"play": acts, "told": time.time()}))
        authority = str(self.machine.folder(self.service) / "ca.pem")
        command: list[str | Path] = [
            *COMMAND,
            "run",
            "--config",
            self._config,
            guests.ABIS[self.abi](),
            *words,
        ]
        outcome = self.machine.run(
            *command, timeout=120, SSL_CERT_FILE=authority, NRAS_KEY=NRAS_KEY
        )
        assert (outcome.code, "Traceback" in outcome.err) == (0, False), outcome.err
        return [Line(*line.split("\t")) for line in outcome.out.splitlines()]

    @property
    def _config(self) -> Path:
        return self.folder / "host.toml"


@dataclass(frozen=True)
class RelyingParty:
    """Somebody who trusts a service and has its keys, and nothing of the host's.

    Attributes:
        host: whose token it gets.
        keys: the service's.
    """

    host: Host
    keys: str

    def verify(self, token: str, *options: str) -> tuple[int, dict[str, Any]]:
        """Returns the exit code and the report of `verify`."""
        folder = self.host.folder
        (folder / "keys.json").write_text(self.keys)
        issuer = folder / "issuer.toml"
        issuer.write_text(_ISSUERS[self.host.service].format(url=self.host.url))
        outcome = run("verify", "-", "--issuer", issuer, *options, "--json", stdin=token.encode())
        report = json.loads(outcome.out)
        assert isinstance(report, dict)
        return outcome.code, report


def expecting(host: Host, nonce: bytes = NONCE) -> list[str]:
    """Returns the options with which a relying party demands the answer to its challenge."""
    bound = _bound(nonce, hashlib.sha256(guests.ABIS[host.abi]().read_bytes()).digest())
    if host.service == "nras":
        return ["--nonce", _device_nonce(bound).hex()]
    also = ["--nonce", nonce.hex()] if host.service == "maa" else []
    return [*also, "--report-data", bound.hex()]


def _bound(nonce: bytes, guest: bytes) -> bytes:
    """Computes D as docs/binding.md and docs/production.md have it."""
    profile = b"tag:wasmtime-attestation,2026:service-token#1"
    data = b"wasmtime:attestation binding\0"
    for value in (profile, nonce, b"", guest, b"key", b"them"):
        data += b"\1" + len(value).to_bytes(4, "big") + value
    return hashlib.sha512(data).digest()


def _device_nonce(bound: bytes) -> bytes:
    return hashlib.sha256(b"wasmtime:attestation device nonce\0" + bound).digest()
