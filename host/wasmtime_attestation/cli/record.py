"""`attest --record FILE`: what a machine showed, for `--tee replay:FILE`."""

from __future__ import annotations

import time
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from wasmtime_attestation.attesters import recording, recording_file
from wasmtime_attestation.attesters.detect import detect
from wasmtime_attestation.cli.endorsing import fetched_for
from wasmtime_attestation.config.endorser_settings import Settings
from wasmtime_attestation.embedding.starting import Started
from wasmtime_attestation.errors import UnsupportedError
from wasmtime_attestation.evidence import jwt
from wasmtime_attestation.evidence.token import EvidenceToken
from wasmtime_attestation.wit import GpuInfo, Target, TargetGpu


def save(
    path: Path,
    host: Started,
    token: str,
    target: Target,
    endorsers: Settings,
) -> None:
    """Writes the recording of a token that was issued just now, with what speaks for it.

    Args:
        path: where.
        host: that issued it.
        token: the token.
        target: what it is about.
        endorsers: where vendors' services are, or that the caches alone are asked.

    Raises:
        InvalidArgumentError: the file cannot be written.
    """
    made = recording.of_token(
        EvidenceToken.from_payload(jwt.decode(token).claims()),
        host.service.detect_tee(),
        _gpus(host),
        target.value if isinstance(target, TargetGpu) else 0,
        _context(),
    )
    if host.simulated_root is None:
        found = fetched_for(made.recorded.evidence, "recording", endorsers)
        made = replace(made, endorsements=found[: recording.MAX_ENDORSEMENTS])
    recording_file.write(path, made.simulated_by(host.simulated_root))


def _gpus(host: Started) -> tuple[GpuInfo, ...]:
    try:
        return host.service.gpus()
    except UnsupportedError:
        return ()


def _context() -> dict[str, str]:
    """What people want to know of a recording; no check depends on it."""
    found = detect()
    context = {
        "recorder": f"wasmtime-attestation {_version()}",
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "cloud": found.surroundings.cloud,
        "kernel": found.surroundings.kernel,
        "cpu": found.processor.model,
    }
    return {name: text[:200] for name, text in context.items() if text}


def _version() -> str:
    try:
        return version("wasmtime-attestation")
    except PackageNotFoundError:  # run from a checkout
        return "from source"
