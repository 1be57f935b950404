"""Each limit ends a guest of either ABI that exceeds it, and none that does not."""

from __future__ import annotations

import threading
from concurrent.futures import Future

import pytest
from wasmtime_attestation.errors import AttestationError, DeniedError, InvalidArgumentError
from wasmtime_attestation.world.guest import Guest
from wasmtime_attestation.world.runtime import (
    Ended,
    GuestError,
    LimitKind,
    Limits,
    Outcome,
    Runtime,
)

from tests.world.commands import CLEAR, CLEAR_IMPORTS, CORE_CLEAR, WORLD, component, core
from tests.world.components import CANON, IMPORTS, command
from tests.world.scripted_world import ScriptedWorld

ENDLESS = "(loop $again (br $again)) unreachable"
CALLING = "(loop $again (call $clear) (br $again)) unreachable"
MIB = 1 << 20


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    return Runtime()


def run(runtime: Runtime, guest: Guest, **limits: float | None) -> Outcome:
    return runtime.run(guest, ScriptedWorld(), limits=Limits(**limits))  # type: ignore[arg-type]


def made_of(fields: str, instances: int = 1) -> Guest:
    """Returns a component with instances of a core module of these fields, beside its own two."""
    made = "".join(f"(core instance $x{i} (instantiate $X))" for i in range(instances))
    return Guest("c.wasm", command("i32.const 0", outside=f"(core module $X {fields}) {made}"))


def verifying(size: int, times: int) -> list[Guest]:
    """Returns a guest of each ABI that passes tokens of a size, and ends."""
    call = f"(drop (call $verify (i32.const 0) (i32.const {size})))"
    loop = f"""(loop $again {call} (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $n) (i32.const {times}))))"""
    parameters = "(param i32 i32) (result i32)"
    outside = f"""{IMPORTS.replace("{v}", "0.1.0")}
    (alias export $attestation "verify-token" (func $verify))
    (core func $verify (canon lower (func $verify) {CANON}))
    (core instance $host (export "verify" (func $verify)))"""
    return [
        core(
            f"(local $n i32) {loop}", f'(import {WORLD} "verify_token" (func $verify {parameters}))'
        ),
        component(
            f"(local $n i32) {loop} i32.const 0",
            outside,
            f'(import "host" "verify" (func $verify {parameters}))',
        ),
    ]


TABLE = "(table {} funcref)"
EXCEEDED = [
    (core(ENDLESS), {"seconds": 0.1}, LimitKind.TIME, 124),
    (component(ENDLESS), {"seconds": 0.1}, LimitKind.TIME, 124),
    (core(CALLING, CORE_CLEAR), {"seconds": 0.1}, LimitKind.TIME, 124),
    (component(CALLING, CLEAR, CLEAR_IMPORTS), {"seconds": 0.1}, LimitKind.TIME, 124),
    (core(ENDLESS), {"fuel": 10_000}, LimitKind.FUEL, 137),
    (component(ENDLESS), {"fuel": 10_000}, LimitKind.FUEL, 137),
    (core("nop", rest="(memory 17)"), {"memory_bytes": MIB}, LimitKind.MEMORY, 137),
    (made_of("(memory 17)"), {"memory_bytes": MIB}, LimitKind.MEMORY, 137),
    (core("nop", rest="(memory 1)"), {"memories": 1}, LimitKind.MEMORIES, 137),
    (made_of("(memory 1)", 2), {"memories": 2}, LimitKind.MEMORIES, 137),
    (core("nop", rest=TABLE.format(11)), {"table_elements": 10}, LimitKind.TABLE_ELEMENTS, 137),
    (made_of(TABLE.format(11)), {"table_elements": 10}, LimitKind.TABLE_ELEMENTS, 137),
    (core("nop", rest=TABLE.format(1) * 3), {"tables": 2}, LimitKind.TABLES, 137),
    (made_of(TABLE.format(1), 3), {"tables": 2}, LimitKind.TABLES, 137),
    (core("nop"), {"instances": 0}, LimitKind.INSTANCES, 137),
    (made_of("", 8), {"instances": 9}, LimitKind.INSTANCES, 137),
    (core(CALLING, CORE_CLEAR), {"host_calls": 100}, LimitKind.HOST_CALLS, 137),
    (component(CALLING, CLEAR, CLEAR_IMPORTS), {"host_calls": 100}, LimitKind.HOST_CALLS, 137),
    (verifying(100, 11)[0], {"host_bytes": 1099}, LimitKind.HOST_BYTES, 137),
    (verifying(100, 11)[1], {"host_bytes": 1099}, LimitKind.HOST_BYTES, 137),
]
WITHIN = [
    (core("nop", rest="(memory 16)"), {"memory_bytes": MIB}),
    (made_of("(memory 16)"), {"memory_bytes": MIB}),
    (core("nop", rest="(memory 1)"), {"memories": 2}),
    (made_of("(memory 1)", 2), {"memories": 3}),
    (core("nop", rest=TABLE.format(10) * 2), {"table_elements": 10, "tables": 2}),
    (made_of(TABLE.format(10), 2), {"table_elements": 10, "tables": 2}),
    (core("nop"), {"instances": 1}),
    (made_of("", 8), {"instances": 10}),
    (core("nop"), {"fuel": 10_000}),
    (component("i32.const 0"), {"fuel": 10_000}),
    (verifying(100, 11)[0], {"host_bytes": 1100, "host_calls": 11}),
    (verifying(100, 11)[1], {"host_bytes": 1100, "host_calls": 11}),
]


@pytest.mark.parametrize(("guest", "limits", "kind", "code"), EXCEEDED)
def test_the_outcome_says_which_limit_ended_a_guest(
    runtime: Runtime, guest: Guest, limits: dict[str, float], kind: LimitKind, code: int
) -> None:
    outcome = run(runtime, guest, **limits)
    assert (outcome.ended, outcome.limit, outcome.exit_code) == (Ended.LIMIT, kind, code)
    (limit,) = limits.values()
    assert f"{limit:g}" in outcome.reason or str(limit) in outcome.reason
    assert not runtime.is_blocked()


@pytest.mark.parametrize(("guest", "limits"), WITHIN)
def test_a_guest_may_use_all_that_it_has(
    runtime: Runtime, guest: Guest, limits: dict[str, float]
) -> None:
    assert run(runtime, guest, **limits).check().ended is Ended.EXIT


GROWN = "(memory.grow (i32.const {}))"


@pytest.mark.parametrize("make", [core, component])
def test_a_memory_that_cannot_grow_is_the_guests_to_handle(runtime: Runtime, make: object) -> None:
    check = f"(if (i32.ne {GROWN.format(17)} (i32.const -1)) (then unreachable))"
    guest = core(check) if make is core else component(f"{check} i32.const 0")
    assert run(runtime, guest, memory_bytes=MIB).exit_code == 0


def test_a_guest_that_traps_with_its_memory_full_hit_the_limit(runtime: Runtime) -> None:
    full = f"(loop $more (br_if $more (i32.ge_s {GROWN.format(1)} (i32.const 0)))) unreachable"
    outcome = run(runtime, core(full), memory_bytes=MIB)
    assert (outcome.ended, outcome.limit) == (Ended.LIMIT, LimitKind.MEMORY)
    assert "unreachable" in outcome.reason
    assert run(runtime, core("unreachable"), memory_bytes=MIB).ended is Ended.TRAP


@pytest.mark.parametrize(
    "name", ["alloc::alloc::handle_alloc_error", "std::bad_alloc::bad_alloc()", "rust_oom"]
)
def test_a_guest_whose_allocator_gave_up_hit_the_limit(runtime: Runtime, name: str) -> None:
    rest = f'(func $f (@name "{name}") unreachable)'
    guests = (
        core("(call $f)", rest=rest),
        Guest("c.wasm", command("(call $f) i32.const 0", rest=rest)),
    )
    for guest in guests:
        assert run(runtime, guest).limit is LimitKind.MEMORY


@pytest.mark.parametrize("guest", verifying(1, 7))
def test_calls_are_counted_by_function(runtime: Runtime, guest: Guest) -> None:
    assert run(runtime, guest).calls == {"verify-token": 7}


def test_malformed_calls_count_too(runtime: Runtime) -> None:
    outside = verifying(0x7FFF_FFFF, 3)[0]  # not in its memory
    assert run(runtime, outside).calls == {"verify-token": 3}
    limited = run(runtime, outside, host_bytes=0x7FFF_FFFF)
    assert (limited.limit, limited.calls) == (LimitKind.HOST_BYTES, {"verify-token": 2})
    assert run(runtime, outside, host_calls=2).limit is LimitKind.HOST_CALLS


def test_the_call_that_is_too_much_does_not_reach_the_world(runtime: Runtime) -> None:
    for guest in (core(CALLING, CORE_CLEAR), component(CALLING, CLEAR, CLEAR_IMPORTS)):
        world = ScriptedWorld()
        runtime.run(guest, world, limits=Limits(host_calls=3))
        assert len(world.calls) == 3


class Waiting(ScriptedWorld):
    """A world whose `clear-cache` does not return until it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.release = threading.Event()

    def clear_cache(self) -> None:
        self.release.wait(60)


@pytest.mark.parametrize(
    "guest", [core(CALLING, CORE_CLEAR), component(CALLING, CLEAR, CLEAR_IMPORTS)]
)
def test_time_counts_within_host_calls_too(guest: Guest) -> None:
    runtime, world = Runtime(), Waiting()
    outcome = runtime.run(guest, world, limits=Limits(seconds=0.1))
    assert (outcome.limit, outcome.calls) == (LimitKind.TIME, {"clear-cache": 1})
    assert outcome.duration < 30
    assert runtime.is_blocked()
    world.release.set()
    while runtime.is_blocked():
        threading.Event().wait(0.01)


def test_a_guest_that_is_revoked_says_why(runtime: Runtime) -> None:
    revoked: Future[AttestationError] = Future()
    threading.Timer(0.1, revoked.set_result, (DeniedError("no more"),)).start()
    outcome = runtime.run(core(ENDLESS), ScriptedWorld(), revoked=revoked)
    assert (outcome.ended, outcome.exit_code, outcome.limit) == (Ended.REVOKED, 126, None)
    assert outcome.revoked is revoked.result()


@pytest.mark.parametrize("guest", [core(ENDLESS), component(ENDLESS)])
def test_a_guest_without_a_limit_of_time_can_be_revoked(runtime: Runtime, guest: Guest) -> None:
    revoked: Future[AttestationError] = Future()
    threading.Timer(0.1, revoked.set_result, (DeniedError("no more"),)).start()
    outcome = runtime.run(guest, ScriptedWorld(), limits=Limits(seconds=None), revoked=revoked)
    assert (outcome.ended, outcome.exit_code) == (Ended.REVOKED, 126)


def test_guests_beside_each_other_have_limits_of_their_own(runtime: Runtime) -> None:
    """Some hit a limit, and are stopped again and again; the others end as they would alone."""
    guests: list[tuple[Guest, Limits, tuple[int, int]]] = [
        (verifying(10, 500)[0], Limits(host_calls=500, host_bytes=5000), (0, 500)),
        (verifying(10, 500)[1], Limits(host_calls=500, host_bytes=5000), (0, 500)),
        (core(CALLING, CORE_CLEAR), Limits(host_calls=20), (137, 20)),
        (component(ENDLESS), Limits(seconds=0.02), (124, 0)),
        (core(ENDLESS), Limits(fuel=1000), (137, 0)),
    ]
    wrong: list[Outcome] = []

    def work(guest: Guest, limits: Limits, expected: tuple[int, int]) -> None:
        for _ in range(10):
            outcome = runtime.run(guest, ScriptedWorld(), limits=limits)
            if (outcome.exit_code, sum(outcome.calls.values())) != expected:
                wrong.append(outcome)

    threads = [threading.Thread(target=work, args=arguments) for arguments in guests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_guest_within_a_host_call_of_another_has_a_meter_of_its_own(runtime: Runtime) -> None:
    inner: list[Outcome] = []

    class Nesting(ScriptedWorld):
        def clear_cache(self) -> None:
            inner.append(run(runtime, core("(call $clear) (call $clear)", CORE_CLEAR)))

    outcome = runtime.run(core("(call $clear)", CORE_CLEAR), Nesting())
    assert (outcome.calls, inner[0].calls) == ({"clear-cache": 1}, {"clear-cache": 2})


@pytest.mark.parametrize(
    "limits",
    [
        {"seconds": 0},
        {"seconds": -1},
        {"seconds": float("nan")},
        {"memory_bytes": -1},
        {"fuel": 1 << 63},
        {"host_calls": -1},
    ],
)
def test_what_is_no_limit(limits: dict[str, float]) -> None:
    with pytest.raises(InvalidArgumentError):
        Limits(**limits)  # type: ignore[arg-type]


def test_check_raises_unless_all_is_well(runtime: Runtime) -> None:
    good = run(runtime, core("nop"))
    assert good.check() is good
    for guest in (core("unreachable"), component("i32.const 1")):
        bad = run(runtime, guest)
        with pytest.raises(GuestError) as caught:
            bad.check()
        assert caught.value.outcome is bad
        assert str(caught.value) == bad.reason
