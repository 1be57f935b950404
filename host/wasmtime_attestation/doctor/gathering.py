"""Gathers the facts, all at once and in bounded time."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from wasmtime_attestation.attesters.detect import Detection, detect
from wasmtime_attestation.attesters.detect.files import Files
from wasmtime_attestation.attesters.nvml import Nvml
from wasmtime_attestation.attesters.select import detect_here
from wasmtime_attestation.doctor.facts import Facts, Gpus
from wasmtime_attestation.doctor.question import (
    ask_metadata_service,
    ask_service,
    is_synchronised,
)
from wasmtime_attestation.endorsers.service_urls import ServiceUrls
from wasmtime_attestation.errors import AttestationError, UnavailableError

SECONDS = 30.0
"""How long everything may take together."""


def gather(urls: ServiceUrls, *, offline: bool, seconds: float) -> Facts:
    """Gathers what can be gathered in time."""
    files, first = Files(), detect()
    tasks: dict[str, Callable[[], Any]] = {"detection": detect_here, "gpus": _gpus}
    if not offline:
        for name, url in _addresses(urls).items():
            tasks[name] = partial(ask_service, url)
    if first.surroundings.cloud == "azure":
        tasks["metadata_service"] = ask_metadata_service
    found = _at_once(tasks, seconds)
    detection = found.pop("detection")
    return Facts(
        files=files,
        # A device that does not answer leaves what the files say.
        detection=detection if isinstance(detection, Detection) else first,
        gpus=found.pop("gpus"),
        offline=offline,
        metadata_service=found.pop("metadata_service", None),
        services=found,
        synchronised=is_synchronised(),
    )


def _addresses(urls: ServiceUrls) -> Mapping[str, str]:
    return {
        "amd_kds": urls.amd_kds,
        "intel_pcs": urls.intel_pcs,
        "nvidia_rim": urls.nvidia_rim,
        "nvidia_ocsp": urls.nvidia_ocsp,
    }


def _gpus() -> Gpus:
    nvml = Nvml()
    system = nvml.system()
    return Gpus(system, nvml.state())


def _at_once(tasks: Mapping[str, Callable[[], Any]], seconds: float) -> dict[str, Any]:
    """Runs every task in a thread of its own; one that hangs is left behind."""
    done: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
    for name, task in tasks.items():
        thread = threading.Thread(target=_run, args=(name, task, done), daemon=True)
        thread.start()
    found: dict[str, Any] = {}
    deadline = time.monotonic() + seconds
    while len(found) < len(tasks) and (left := deadline - time.monotonic()) > 0:
        try:
            name, result = done.get(timeout=left)
        except queue.Empty:
            break
        found[name] = result
    late = UnavailableError(f"there was no answer within {seconds:g} seconds")
    return {name: found.get(name, late) for name in tasks}


def _run(name: str, task: Callable[[], Any], done: queue.SimpleQueue[tuple[str, Any]]) -> None:
    try:
        done.put((name, task()))
    except AttestationError as error:
        done.put((name, error))
