"""Every type of WIT through a C++ component, there and back."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wasmtime.component import Record, ResourceAny, Variant
from wasmtime_attestation_bindgen.component_new import component_new

from tests.guests import cpp_guests
from tests.guests.component_values import Value, values
from tests.guests.torture_host import COUNTERS, OPTIONS, VALUES, TortureHost

FUNCTIONS = """
    scalar-bool scalar-u8 scalar-s8 scalar-u16 scalar-s16 scalar-u32 scalar-s32 scalar-u64
    scalar-s64 scalar-f32 scalar-f64 scalar-char text bytes numbers longs texts nested-lists
    all-scalars rich many-rich enumeration permissions nine-flags any-shape shapes maybe-text
    maybe-bytes maybe-number pair aliased fallible yes-or-no only-error nothing spilled seventeen
"""


STACK = 65_536
LIMIT = 4 * 2**20
"""Bytes of memory, where leaks are looked for; the guest starts with less than one MiB."""


@pytest.fixture(scope="module")
def component(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("torture")
    return component_new(cpp_guests.torture_module(folder, [f"-Wl,-z,stack-size={STACK}"]))


@pytest.fixture(scope="module")
def host(component: bytes) -> TortureHost:
    return TortureHost(component)


def test_every_function_is_tried(host: TortureHost) -> None:
    assert set(host.functions(VALUES)) == set(FUNCTIONS.split())


def round_trip(host: TortureHost, interface: str, name: str, data: st.DataObject) -> None:
    type_ = host.functions(interface)[name]
    arguments = tuple(data.draw(values(param), label=label) for label, param in type_.params)
    host.answer = data.draw(values(type_.result), label="answer")
    returned = host.call(interface, name, *arguments)
    assert host.received == arguments
    assert returned == host.answer


@pytest.mark.parametrize("name", FUNCTIONS.split())
@settings(max_examples=25)
@given(data=st.data())
def test_values_arrive_as_they_were_sent(host: TortureHost, name: str, data: st.DataObject) -> None:
    round_trip(host, VALUES, name, data)


@given(data=st.data())
def test_options_nest(host: TortureHost, data: st.DataObject) -> None:
    round_trip(host, OPTIONS, "deep", data)


@pytest.mark.parametrize("name", ["scalar-f32", "scalar-f64"])
def test_nan_stays_nan(host: TortureHost, name: str) -> None:
    host.answer = math.nan
    assert math.isnan(host.call(VALUES, name, math.nan))
    assert math.isnan(host.received[0])


def test_large_lists(host: TortureHost) -> None:
    data = bytes(range(256)) * 512
    host.answer = data[::-1]
    assert host.call(VALUES, "bytes", data) == data[::-1]
    assert host.received == (data,)


def test_functions_of_the_world(host: TortureHost) -> None:
    assert host.call(None, "run", ["a", "é", ""]) == Variant("ok", "aé")
    assert host.call(None, "run", []) == Variant("err", "no arguments")
    assert host.log[-2:] == ["aé", ""]


def method(name: str) -> str:
    return f"[method]counter.{name}"


def new(host: TortureHost, start: int) -> ResourceAny:
    made = host.call(COUNTERS, "[constructor]counter", start)
    assert isinstance(made, ResourceAny)
    return made


def test_resources(component: bytes) -> None:
    host = TortureHost(component)
    a, b = new(host, 1), new(host, 10)
    assert host.call(COUNTERS, method("increment"), a, 2) == 3
    assert host.call(COUNTERS, method("name"), a) == "host 1"
    assert host.call(COUNTERS, "read-all", [a, b, a]) == [3, 10, 3]
    total = host.call(COUNTERS, "[static]counter.sum", a, b)
    assert host.counts == {1: 3, 3: 13}
    owner: Any = host.call(COUNTERS, "wrap", "mine", total)
    assert isinstance(owner, Record)
    assert owner.label == "mine"  # type: ignore[attr-defined]
    unwrapped = host.call(COUNTERS, "unwrap", owner)
    kept = host.call(COUNTERS, "maybe", unwrapped)
    assert host.call(COUNTERS, "maybe", None) is None
    assert host.call(COUNTERS, method("increment"), kept, 1) == 14
    kept.drop(host.store)
    a.drop(host.store)
    assert host.counts == {}


@pytest.mark.parametrize("name", ["many-rich", "shapes", "spilled", "texts", "fallible"])
def test_nothing_leaks(component: bytes, name: str) -> None:
    host = TortureHost(component)
    host.store.set_limits(memory_size=LIMIT)
    arguments, host.answer = LARGE[name]
    for _ in range(60):
        assert host.call(VALUES, name, *arguments) == host.answer


def test_resources_do_not_leak(component: bytes) -> None:
    host = TortureHost(component)
    host.store.set_limits(memory_size=LIMIT)
    for _ in range(2000):
        owner = host.call(COUNTERS, "wrap", "x" * 5000, new(host, 1))
        host.call(COUNTERS, "unwrap", owner).drop(host.store)
    assert host.counts == {}


def record(**fields: Value) -> Record:
    made = Record()
    for name, value in fields.items():
        setattr(made, name, value)
    return made


LONG = "x" * 100_000
RICH = record(
    type=LONG,
    self=LONG,
    points=[record(x=1, y=-1)] * 100,
    nested=(1, (2, LONG), True),
    access={"read"},
    colour="blue-green",
)
SCALARS = record(a=True, b=1, c=2, d=3, e=4, f=-5, g=-6, h=-7, i=-8, j=0.5, k=0.25, l="é", m=LONG)
LARGE: dict[str, tuple[tuple[Any, ...], Any]] = {
    "many-rich": (([RICH],), [RICH]),
    "shapes": (([Variant("text", LONG)] * 3,), [Variant("outcome", Variant("ok", LONG))]),
    "spilled": ((SCALARS, LONG, [LONG], Variant("many", [LONG, None]), 7), LONG),
    "texts": (([LONG, "", LONG],), [LONG, LONG]),
    "fallible": ((Variant("text", LONG),), Variant("text", LONG)),
}
"""Arguments and answer of 100 KB and more; sixty of them exceed the limit unless all are freed."""
