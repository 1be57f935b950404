"""A real Redis server on a socket of its own, which dies with the test."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.tools import require


@contextmanager
def redis_server(folder: Path, *options: str) -> Iterator[str]:
    """Starts a server; gives its address."""
    program, setpriv = require("redis-server"), require("setpriv")
    path = folder / "redis.sock"
    process = subprocess.Popen(
        [
            *(setpriv, "--pdeathsig", "KILL", "--", program, "--port", "0", "--save", ""),
            *("--unixsocket", str(path), "--unixsocketperm", "700", "--dir", str(folder)),
            *options,
        ],
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait(path, process)
        yield f"unix://{path}"
    finally:
        process.kill()
        process.wait()


def _wait(path: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(str(path))
            except OSError:
                time.sleep(0.02)
            else:
                return
    raise AssertionError(f"the server did not start: {process.poll()}")
