"""`wasmtime-attestation detect`."""

from __future__ import annotations

import json

import click

from wasmtime_attestation.attesters.detect import DetectedAttester, Detection, detect
from wasmtime_attestation.cli import options


@click.command("detect")
@options.as_json
@options.verbose
def command(*, as_json: bool) -> None:
    """Say which trusted execution environment this machine has.

    It exits 0 also where there is none.
    """
    detection = detect()
    if as_json:
        click.echo(json.dumps(_json(detection), indent=2))
    else:
        _print(detection)


def _json(detection: Detection) -> dict[str, object]:
    info = DetectedAttester(detection).info()
    return {
        "schema": 1,
        "tee_type": info.tee_type,
        "supports_attestation": info.supports_attestation,
        "provider": info.provider,
        "gpu_count": info.gpu_count,
        "looked_for": [
            {
                "path": probe.source.path,
                "tee_type": probe.source.tee_type,
                "found": probe.found,
            }
            for probe in detection.probes
        ],
    }


def _print(detection: Detection) -> None:
    info = DetectedAttester(detection).info()
    click.echo(f"TEE          {info.tee_type}")
    click.echo(f"provider     {info.provider or '-'}")
    click.echo(f"attestation  {'supported' if info.supports_attestation else 'not supported'}")
    click.echo("looked for")
    for probe in detection.probes:
        found = "found" if probe.found else "not there"
        click.echo(f"  {probe.source.path:<20} {probe.source.tee_type:<12} {found}")
