"""Guests run by one call, awaited, and many at once; options of the tool for limits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest
from wasmtime_attestation import (
    AttestationHost,
    Ended,
    Guest,
    GuestError,
    InvalidArgumentError,
    LimitKind,
    Limits,
    NotRun,
    Outcome,
    PolicyError,
    Run,
    Runtime,
    StartError,
)

from tests.cli.tool import run as tool
from tests.world.commands import EXIT, core

ENDLESS = core("(loop (br 0))")
QUICK = Limits(seconds=0.2)


def exiting(code: int) -> Guest:
    return core(f"(call $exit (i32.const {code}))", EXIT)


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    return Runtime(AttestationHost(tee="simulated"))


def test_a_run(runtime: Runtime) -> None:
    outcome = runtime.run(exiting(3))
    assert (outcome.exit_code, outcome.ended) == (3, Ended.EXIT)
    with pytest.raises(GuestError):
        outcome.check()
    assert runtime.run(ENDLESS, limits=QUICK).limit is LimitKind.TIME
    assert runtime.run(ENDLESS, limits=Limits(fuel=100_000)).limit is LimitKind.FUEL


def test_a_host_that_does_not_satisfy_runs_nothing(runtime: Runtime, tmp_path: Path) -> None:
    with pytest.raises(PolicyError):
        runtime.run(exiting(0), require="strict")
    policy = tmp_path / "policy.toml"
    policy.write_text('schema = 1\naccept = ["simulated"]\n')
    assert runtime.run(exiting(4), require=policy, recheck_seconds=60).exit_code == 4
    with pytest.raises(InvalidArgumentError, match="recheck_seconds"):
        runtime.run(exiting(0), recheck_seconds=1)
    for seconds in (0, -1, float("nan"), float("inf")):
        with pytest.raises(InvalidArgumentError, match="no number of seconds"):
            runtime.run(exiting(0), require=policy, recheck_seconds=seconds)


def test_cancelling_stops_the_guest(runtime: Runtime) -> None:
    async def cancelled() -> float:
        begin = time.monotonic()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(runtime.arun(ENDLESS), 0.3)
        return time.monotonic() - begin

    assert asyncio.run(cancelled()) < 10
    assert not runtime.is_blocked


def test_the_event_loop_goes_on(runtime: Runtime) -> None:
    async def both() -> tuple[list[int], int]:
        run = asyncio.create_task(runtime.arun(ENDLESS, limits=QUICK))
        ticks = 0
        while not run.done():
            await asyncio.sleep(0.01)
            ticks += 1
        outcomes = await asyncio.gather(*(runtime.arun(exiting(code)) for code in range(5)))
        return [outcome.exit_code for outcome in outcomes], ticks

    codes, ticks = asyncio.run(both())
    assert codes == [0, 1, 2, 3, 4]
    assert ticks > 3


def test_what_cannot_start_is_raised_where_it_is_awaited(runtime: Runtime) -> None:
    with pytest.raises(StartError):
        asyncio.run(runtime.arun(Guest("library", b"\0asm\x01\0\0\0")))


def test_many_in_order(runtime: Runtime) -> None:
    library = Guest("library", b"\0asm\x01\0\0\0")
    runs = [
        Run(guest=ENDLESS, limits=QUICK),
        *(Run(guest=exiting(code)) for code in range(6)),
        Run(guest=library),
        Run(guest=exiting(7), require="strict"),
    ]
    for executor in (None, ThreadPoolExecutor(2)):
        found = [*runtime.run_many(runs, workers=2, executor=executor)]
        outcomes = [each for each in found if isinstance(each, Outcome)]
        assert [each.exit_code for each in outcomes] == [124, 0, 1, 2, 3, 4, 5]
        failed = [each for each in found if isinstance(each, NotRun)]
        assert [each.run for each in failed] == runs[-2:]
        assert [type(each.error) for each in failed] == [StartError, PolicyError]


def test_few_are_taken_ahead_and_closing_stops_them(runtime: Runtime) -> None:
    taken: list[int] = []

    def runs() -> Iterator[Run]:
        for number in range(1000):
            taken.append(number)
            yield Run(guest=exiting(0) if number == 0 else ENDLESS)

    begin = time.monotonic()
    outcomes = runtime.run_many(runs(), workers=2)
    assert isinstance(next(outcomes), Outcome)
    assert len(taken) < 10
    outcomes.close()
    assert time.monotonic() - begin < 20


def test_executors_of_processes_are_refused(runtime: Runtime) -> None:
    with (
        ProcessPoolExecutor(1) as executor,
        pytest.raises(InvalidArgumentError, match="one process"),
    ):
        runtime.run_many([], executor=executor)
    with pytest.raises(InvalidArgumentError, match="0 workers"):
        runtime.run_many([], workers=0)


@pytest.mark.parametrize(
    ("option", "body", "what"),
    [
        (("--fuel", "1000"), "(loop (br 0))", "fuel"),
        (("--max-memory", "131072"), "(drop (memory.grow (i32.const 100))) (unreachable)", ""),
        (("--max-calls", "2"), "(loop (call $clear) (br 0))", "called its host"),
    ],
)
def test_the_tools_limits(option: tuple[str, str], body: str, what: str, tmp_path: Path) -> None:
    imports = '(import "wasmtime_attestation" "clear_cache" (func $clear))'
    file = tmp_path / "guest.wasm"
    file.write_bytes(core(body, imports).wasm)
    outcome = tool("run", "--tee", "none", *option, file)
    assert outcome.code == (137 if what else 134)
    assert what in outcome.err
