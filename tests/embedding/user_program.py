"""A program of somebody who embeds: type checkers must find nothing to say about it."""

# ruff: noqa: T201

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import wasmtime
import wasmtime.component
from wasmtime_attestation import (
    AttestationError,
    AttestationHost,
    Challenge,
    Configuration,
    Directory,
    Ended,
    Guest,
    Limits,
    NotRun,
    Outcome,
    PolicyError,
    Run,
    Runtime,
    TargetVm,
    TeeType,
    Verified,
    appraise,
    call_guest,
    collect,
    fetch_endorsements,
    verify,
)


def serve(configuration: Configuration | Path) -> None:
    with AttestationHost(configuration) as host:
        engine = wasmtime.Engine()
        component = wasmtime.component.Component(engine, b"")
        guest = Guest("mine", b"")
        with wasmtime.component.Linker(engine) as linker:
            host.link_component(linker, guest, component)
            instance = linker.instantiate(wasmtime.Store(engine), component)
            call_guest(print, instance)
        host.link_core(wasmtime.Linker(engine), None)
        is_tee: bool = host.detect_tee().tee_type is not TeeType.NONE
        token: str = host.attest(TargetVm(), Challenge(bytes(32))).token
        print(is_tee, token)


def run(host: AttestationHost) -> tuple[int, bytes, list[int | None]]:
    outcome: Outcome = Runtime(host).run(
        Guest.from_file("guest.wasm"),
        ["--fast"],
        dirs=[Directory(Path("data"), "/data")],
        env={"A": "b"},
        limits=Limits(seconds=5, memory_bytes=1 << 26),
        require="strict",
        recheck_seconds=60,
    )
    if outcome.ended is Ended.LIMIT:
        print(outcome.limit, outcome.reason)
    return outcome.check().exit_code, outcome.stdout, [t.expires_at for t in outcome.tokens]


def run_all(runtime: Runtime, guests: Iterator[Guest]) -> list[str]:
    found: list[str] = []
    for outcome in runtime.run_many(Run(guest=guest) for guest in guests):
        if isinstance(outcome, NotRun):
            found.append(f"{outcome.run.guest.name}: {outcome.error}")
        else:
            found.append(outcome.reason)
    return found


def rely(token: str, nonce: bytes) -> Verified:
    now = datetime.now(UTC)
    try:
        return verify(token, nonce=nonce, at=now, endorsements=fetch_endorsements(token, at=now))
    except PolicyError as error:
        print([finding.check for finding in error.findings])
        raise
    except AttestationError as error:
        print(error.case, error.message)
        raise


def collected() -> str:
    now = datetime.now(UTC)
    verified = verify(collect(bytes(64)), nonce=None, report_data=bytes(64), at=now)
    return appraise(verified, Path("policy.toml"), at=now).status


if __name__ == "__main__":
    with Runtime() as runtime:
        print(asyncio.run(runtime.arun(Guest.from_file("guest.wasm"))).stdout)
