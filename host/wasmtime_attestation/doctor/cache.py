"""The folder in which services' answers are kept."""

from __future__ import annotations

import os
import secrets

from wasmtime_attestation.doctor.diagnosis import Finding, ok, warning
from wasmtime_attestation.doctor.facts import Facts
from wasmtime_attestation.endorsers.cache_folder import CacheFolder, default_folder
from wasmtime_attestation.errors import UnavailableError

MIN_FREE = 64 << 20
"""Bytes; the endorsements of a fleet have less."""
_REMEDY = "without it everything is fetched each time; name another folder in XDG_CACHE_HOME"


def folder(facts: Facts) -> Finding:
    """The cache's folder is private and writable, and there is room."""
    del facts
    path = default_folder()
    if path is None:
        return warning("this user has no home folder, so nothing is kept", _REMEDY)
    name = f"doctor-{secrets.token_hex(8)}"
    try:
        with CacheFolder.open(path) as cache:
            cache.write(name, b"x")
            cache.remove(name)
        free = os.statvfs(path)
    except UnavailableError as error:
        return warning(error.message, _REMEDY)
    except OSError as error:
        return warning(f"{path} cannot be written: {error.strerror}", _REMEDY)
    room = free.f_bavail * free.f_frsize
    if room < MIN_FREE:
        return warning(f"{path} has room for {room >> 20} MiB more", "make room, or see there")
    return ok(f"{path}, private and writable")
