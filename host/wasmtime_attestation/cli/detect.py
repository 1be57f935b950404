"""`wasmtime-attestation detect`."""

from __future__ import annotations

import json
from collections.abc import Iterator

import click

from wasmtime_attestation.attesters.detect import Detection
from wasmtime_attestation.attesters.detect.files import Outcome
from wasmtime_attestation.attesters.nvidia_devices import NvidiaDevices
from wasmtime_attestation.attesters.select import DetectedAttester
from wasmtime_attestation.cli import options
from wasmtime_attestation.cli.terminal import printable, slow
from wasmtime_attestation.errors import AttestationError, UnsupportedError
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.wit import GpuInfo, TeeType

_WORDS = {
    Outcome.FOUND: "found",
    Outcome.ABSENT: "not there",
    Outcome.DENIED: "not permitted",
    Outcome.FAILED: "no answer",
}


@click.command("detect")
@options.as_json
@options.verbose
def command(*, as_json: bool) -> None:
    """Say which trusted execution environment this machine has, and why.

    It exits 0 also where there is none.
    """
    vm, devices = DetectedAttester(), NvidiaDevices()
    with slow("asking the devices …"):
        detection = vm.detection
        gpus, remark = _gpus(devices)
    if as_json:
        click.echo(json.dumps(_json(detection, gpus, remark), indent=2))
    else:
        click.echo("\n".join(map(printable, _lines(detection, gpus, remark))))


def _gpus(devices: NvidiaDevices) -> tuple[tuple[GpuInfo, ...], str]:
    """Returns the GPUs, and what went wrong where they could not be listed."""
    try:
        return devices.gpus(), ""
    except UnsupportedError:
        return (), ""
    except AttestationError as error:
        return (), error.message


def _json(detection: Detection, gpus: tuple[GpuInfo, ...], remark: str) -> dict[str, Json]:
    info, surroundings = detection.info, detection.surroundings
    return {
        "schema": 1,
        "tee_type": info.tee_type,
        "supports_attestation": info.supports_attestation,
        "provider": info.provider,
        "gpu_count": len(gpus),
        "fall_backs": list(detection.providers[1:]),
        "obstacle": "" if info.supports_attestation else detection.refusal.message,
        "cloud": surroundings.cloud,
        "container": surroundings.container,
        "kernel": surroundings.kernel,
        "cpu": {"vendor": detection.processor.vendor, "model": detection.processor.model},
        "gpus": [
            {"index": g.index, "uuid": g.uuid, "name": g.name, "confidential": g.confidential}
            for g in gpus
        ],
        "gpu_obstacle": remark,
        "looked_for": [
            {
                "id": probe.sign.id,
                "path": probe.sign.path,
                "tee_type": probe.tee_type,
                "found": probe.found,
                "outcome": probe.outcome,
                "detail": probe.detail,
            }
            for probe in detection.probes
        ],
    }


def _lines(detection: Detection, gpus: tuple[GpuInfo, ...], remark: str) -> Iterator[str]:
    info, surroundings = detection.info, detection.surroundings
    yield f"TEE          {info.tee_type}"
    yield f"provider     {', then '.join(detection.providers) or '-'}"
    yield f"attestation  {'supported' if info.supports_attestation else 'not supported'}"
    if not info.supports_attestation:
        yield f"why          {detection.refusal.message}"
    yield f"cloud        {surroundings.cloud_name or '-'}"
    yield f"container    {surroundings.container or '-'}"
    yield f"kernel       {surroundings.kernel or '-'}"
    yield f"CPU          {detection.processor.model or '-'}"
    yield f"GPUs         {remark or len(gpus)}"
    for gpu in gpus:
        mode = "confidential" if gpu.confidential else "NOT confidential"
        yield f"  {gpu.index:>2}  {gpu.name}  {gpu.uuid}  {mode}"
    yield "looked for"
    for probe in detection.probes:
        means = "" if probe.tee_type is TeeType.NONE else f"  {probe.tee_type}"
        detail = f"  {probe.detail}" if probe.detail else ""
        yield f"  {probe.sign.path:<36} {_WORDS[probe.outcome]:<13}{means}{detail}".rstrip()
