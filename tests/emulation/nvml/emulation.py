"""NVML in a namespace: the library, and miniature GPUs that are valid today.

`root.pem` and `rim-root.pem` in the emulation's folder are what a verifier trusts, and the files
`endorsement*` what it needs besides. A test tells how the machine differs from its settings, as
JSON: members are attributes of `NvmlMachine`, `of_gpu` has errors by place on the PCI bus, and
`altered` lists the places of those whose firmware is another than NVIDIA's.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from wasmtime_attestation.endorsements.x509 import pem

from tests.emulation.emulation import Emulation, Place
from tests.emulation.nvml import library
from tests.emulation.nvml.machine import SCRAMBLED, SOCKET, NvmlMachine, board
from tests.fakes import nvidia, nvidia_rim


@dataclass
class Nvml(Emulation):
    """A machine with GPUs.

    Attributes:
        slots: of the GPUs, in NVML's order.
        settings: attributes of `NvmlMachine` that are different from the default.
    """

    name: ClassVar[str] = "nvml"
    slots: tuple[int, ...] = SCRAMBLED
    settings: Mapping[str, Any] = field(default_factory=dict)

    def environment(self, folder: Path) -> Mapping[str, str]:
        """Points to the library, and the library to the machine."""
        return {"LD_LIBRARY_PATH": str(library.folder()), SOCKET: str(folder / "socket")}

    def serve(self, place: Place) -> None:
        """Answers the library's calls."""
        now = datetime.now(UTC).replace(microsecond=0)
        nvidia.issue_for(now - timedelta(days=1), now + timedelta(days=2))
        machine = _Told([board(slot) for slot in self.slots])
        machine.place, machine.settings = place, {"enabled": 1, **self.settings}
        _write_endorsements(place.folder)
        with machine.listening(place.folder / "socket"):
            place.ready()
            threading.Event().wait()


class _Told(NvmlMachine):
    """A machine that a test changes from another process."""

    place: Place
    settings: Mapping[str, Any]

    def answer(self, name: str, number: int, data: bytes) -> tuple[int, bytes]:
        """Answers a call as the test told last."""
        self.place.note(name)
        told = json.loads(self.place.told() or "{}")
        of_gpu, altered = told.pop("of_gpu", {}), told.pop("altered", [])
        for index, gpu in enumerate(sorted(self.gpus, key=lambda gpu: gpu.pci)):
            gpu.errors = of_gpu.get(str(index), {})
            gpu.report = partial(_altered, gpu.device) if index in altered else None
        for member, value in {"errors": {}, "hangs": [], **self.settings, **told}.items():
            setattr(self, member, value)
        return super().answer(name, number, data)


def _altered(device: nvidia.Device, nonce: bytes) -> bytes:
    return device.report(nonce=nonce, changes={7: bytes(48)})


def _write_endorsements(folder: Path) -> None:
    roots = {
        "root.pem": nvidia.HOPPER.chain()[-1],
        "rim-root.pem": nvidia_rim.DRIVER.path()[-1],
    }
    for file, certificate in roots.items():
        (folder / file).write_bytes(pem(certificate))
    (folder / "endorsement-driver.xml").write_bytes(nvidia_rim.DRIVER.xml())
    (folder / "endorsement-vbios.xml").write_bytes(nvidia_rim.VBIOS.xml())
