"""A TPM 2.0 in software, swtpm, set up as Azure's paravisor leaves its vTPM to the guest.

It is set up by tpm2-tools, so that no code of ours is needed to test our own.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

REPORT_INDEX = "0x01400001"
ATTESTATION_KEY = "0x81000003"
# libtpms has no larger index; Azure's has 2600 bytes, which the paravisor's emulation adds.
_LARGEST_INDEX = 2048
_PATIENCE = 10
Spawn = Callable[[Sequence[str]], object]


@dataclass(frozen=True)
class Swtpm:
    """A running swtpm.

    Attributes:
        socket: the path of its socket; each connection may be another program's.
    """

    socket: Path

    @classmethod
    def start(cls, folder: Path, spawn: Spawn) -> Swtpm:
        """Starts one in a folder of its own.

        Args:
            folder: where its state is.
            spawn: starts a program that dies with its parent.
        """
        path = folder / "swtpm.sock"
        spawn(
            [
                "swtpm",
                "socket",
                "--tpm2",
                f"--tpmstate=dir={folder}",
                f"--server=type=unixio,path={path}",
                f"--ctrl=type=unixio,path={path}.ctrl",
                "--flags=not-need-init,startup-clear",
                f"--log=file={folder / 'swtpm.log'}",
            ]
        )
        deadline = time.monotonic() + _PATIENCE
        while not _is_listening(path):
            if time.monotonic() > deadline:
                raise RuntimeError("swtpm did not start")
            time.sleep(0.005)
        return cls(path)

    def exchange(self, command: bytes) -> bytes:
        """Sends a command over a connection of its own, so that others get theirs."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(30)
            connection.connect(str(self.socket))
            connection.sendall(command)
            response = b""
            while len(response) < 10 or len(response) < int.from_bytes(response[2:6], "big"):
                part = connection.recv(8192)
                if not part:
                    raise OSError("swtpm closed the connection")
                response += part
            return response

    @property
    def environment(self) -> dict[str, str]:
        """What leads tpm2-tools to it."""
        return {"TPM2TOOLS_TCTI": f"swtpm:path={self.socket}"}

    def tool(self, *command: str | Path) -> bytes:
        """Runs one of tpm2-tools on it and returns its output."""
        done = subprocess.run(
            [*map(str, command)],
            check=True,
            capture_output=True,
            env=os.environ | self.environment,
            timeout=30,
        )
        return done.stdout

    def set_up(self, folder: Path) -> None:
        """Makes the attestation key and the index of the report, as the paravisor does."""
        context, attributes = folder / "ak.ctx", "fixedtpm|fixedparent|sensitivedataorigin"
        attributes += "|userwithauth|noda|restricted|sign"
        self.tool(
            *("tpm2_createprimary", "-Q", "-C", "e", "-G", "rsa2048:rsassa-sha256:null"),
            *("-a", attributes, "-c", context),
        )
        self.tool("tpm2_evictcontrol", "-Q", "-C", "o", "-c", context, ATTESTATION_KEY)
        self.tool("tpm2_flushcontext", "-t")
        self.tool(
            *("tpm2_nvdefine", "-Q", "-C", "p", "-s", str(_LARGEST_INDEX), "-p", "paravisor"),
            *("-a", "authread|authwrite|ownerread|no_da|platformcreate", REPORT_INDEX),
        )
        first = folder / "first"
        first.write_bytes(bytes(_LARGEST_INDEX))
        self.tool("tpm2_nvwrite", "-C", REPORT_INDEX, "-P", "paravisor", "-i", first, REPORT_INDEX)


def _is_listening(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
    return True
