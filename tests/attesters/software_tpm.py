"""A software TPM for tests that need no device: swtpm by its socket, and who listens in between."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.emulation.swtpm import Swtpm
from tests.tools import require


@contextmanager
def software_tpm(*, is_set_up: bool = True) -> Iterator[Swtpm]:
    """Runs swtpm for a while; it dies with the test.

    Args:
        is_set_up: whether it is Azure's vTPM, with attestation key and report index.
    """
    for tool in ("swtpm", "setpriv", "tpm2_nvread"):
        require(tool)
    folder = Path(tempfile.mkdtemp(prefix="swtpm-"))  # a socket's path is short
    started: list[subprocess.Popen[bytes]] = []
    try:
        tpm = Swtpm.start(folder, lambda command: started.append(_spawn(*command)))
        if is_set_up:
            tpm.set_up(folder)
        yield tpm
    finally:
        for process in started:
            process.kill()
            process.wait()
        shutil.rmtree(folder)


def _spawn(*command: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", *command])


class Between:
    """A transport that counts the commands and lets a test act before each.

    Args:
        exchange: what answers.
        before: called with a command's code; what it returns, if anything, is the answer.
    """

    def __init__(
        self,
        exchange: Callable[[bytes], bytes],
        before: Callable[[int], bytes | None] = lambda _: None,
    ) -> None:
        self._exchange, self._before = exchange, before
        self.commands: list[bytes] = []

    def exchange(self, command: bytes) -> bytes:
        """Passes a command on."""
        self.commands.append(command)
        answer = self._before(int.from_bytes(command[6:10], "big"))
        return self._exchange(command) if answer is None else answer
