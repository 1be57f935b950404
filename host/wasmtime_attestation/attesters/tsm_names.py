"""Names of our entries in configfs-tsm say whose they are, so that what the dead left is removed.

A process that SIGKILL ends cannot remove its entry, and configfs keeps it until the next boot. A
number of a process means nothing in another PID namespace, and may be given again: so names have
the namespace and the instant of the start too, and what is of another namespace is left alone.

Source: Linux, proc(5): /proc/PID/stat, field 22 (starttime); namespaces(7); configfs.rst.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
from itertools import islice
from pathlib import Path

log = logging.getLogger(__name__)

PREFIX = "wasmtime-attestation-"
"""How the names of our entries begin."""
MOST = 4096
"""Entries that are looked at."""
_NAME = re.compile(PREFIX + r"([0-9]{1,9})-([0-9]{1,20})-([0-9]{1,20})-[0-9a-f]{32}")


def new() -> str:
    """Returns a name that nobody else has, of this process."""
    pid = os.getpid()
    start = _start(pid) or 0
    return f"{PREFIX}{pid}-{start}-{_namespace()}-{secrets.token_hex(16)}"


def remove_leftovers(folder: Path) -> None:
    """Removes entries whose process is no more; it never fails, nor touches what others made."""
    try:
        with os.scandir(folder) as found:
            names = [each.name for each in islice(found, MOST)]
    except OSError:
        return  # making an entry says why
    namespace = _namespace()
    for name in names:
        match = _NAME.fullmatch(name)
        if match is None or not namespace or int(match[3]) != namespace:
            continue
        if _is_gone(int(match[1]), int(match[2])):
            _remove(folder / name)


def _remove(entry: Path) -> None:
    try:
        entry.rmdir()
        log.info("removed an entry of configfs-tsm that a killed process left: %s", entry.name)
    except OSError as error:
        log.info("a killed process left %s in configfs-tsm: %s", entry.name, error.strerror)


def _is_gone(pid: int, start: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False  # it is another user's
    now = _start(pid)
    # 0: whoever made it could not say.
    return bool(start) and now is not None and now != start


def _start(pid: int) -> int | None:
    """Returns when a process began, in ticks since the boot; None where the kernel does not say."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
        # The program's name, in parentheses, may have anything in it.
        return int(text.rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None


def _namespace() -> int:
    """Returns the number of this process's PID namespace; 0 where the kernel does not say."""
    try:
        return Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return 0
