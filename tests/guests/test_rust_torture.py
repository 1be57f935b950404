"""Every type of WIT through a Rust guest and back, with wasmtime-py's own host for components."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import wasmtime
from hypothesis import HealthCheck, given, settings
from wasmtime import Engine, Func, Store, Trap
from wasmtime.component import Component, Linker, Record, Variant
from wasmtime_attestation_bindgen.component_new import component_new

from tests.guests import rust_torture
from tests.guests.torture_values import (
    ONE_VALUE,
    SEVENTEEN,
    SPILLED,
    STRING,
    U64,
    Value,
    plain,
)

VALUES, ONLY = "test:torture/values@1.2.3", "test:torture/component-only@1.2.3"
COUNTERS = "test:torture/counters@1.2.3"


class Guest:
    """The guest, and a host that remembers its last call."""

    def __init__(self, engine: Engine, component: Component) -> None:
        self.seen: tuple[str, tuple[object, ...]] | None = None
        self.logged: list[str] = []
        self.answer: object = None
        self._store = Store(engine)
        linker = self._link(engine)
        linker.define_unknown_imports_as_traps(component)
        self._instance = linker.instantiate(self._store, component)

    def call(self, module: str | None, name: str, *arguments: Value) -> Value:
        self.seen = None
        instance = None if module is None else self._instance.get_export_index(self._store, module)
        index = self._instance.get_export_index(self._store, name, instance)
        assert index is not None
        function = self._instance.get_func(self._store, index)
        assert function is not None
        result = function(self._store, *arguments)
        function.post_return(self._store)
        return result

    def heap(self) -> int:
        return int(self.call(None, "run", ["heap"]).payload)

    def _link(self, engine: Engine) -> Linker:
        linker = Linker(engine)
        with linker.root() as root:
            root.add_func("log", lambda _store, text: self.logged.append(text))
            with root.add_instance("inline") as inline:
                inline.add_func("add", lambda _store, a, b: a + b)
            with root.add_instance(VALUES) as values:
                for name in ONE_VALUE:
                    values.add_func(name, self._returning(name))
                for name in ("nothing", "yes-or-no", "only-error", "spilled", "seventeen"):
                    values.add_func(name, self._answering(name))
            with root.add_instance(ONLY) as only:
                only.add_func("deep", self._returning("deep"))
        return linker

    def _returning(self, name: str) -> Callable[..., object]:
        def function(_store: object, value: object) -> object:
            self.seen = name, (value,)
            return value

        return function

    def _answering(self, name: str) -> Callable[..., object]:
        def function(_store: object, *values: object) -> object:
            self.seen = name, values
            return self.answer

        return function


@pytest.fixture(scope="module")
def make_guest() -> Callable[[], Guest]:
    engine = Engine()
    component = Component(engine, component_new(rust_torture.torture().read_bytes()))
    return lambda: Guest(engine, component)


@pytest.fixture(scope="module")
def guest(make_guest: Callable[[], Guest]) -> Guest:
    return make_guest()


quickly = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("name", ONE_VALUE)
def test_value_survives_both_ways(guest: Guest, name: str) -> None:
    @quickly
    @given(ONE_VALUE[name])
    def check(value: object) -> None:
        assert plain(guest.call(VALUES, name, value)) == plain(value)
        assert guest.seen is not None
        assert guest.seen[0] == name
        assert plain(guest.seen[1]) == plain((value,))

    check()


@quickly
@given(SPILLED, STRING)
def test_parameters_in_memory(guest: Guest, values: tuple[Value, ...], answer: str) -> None:
    guest.answer = answer
    assert guest.call(VALUES, "spilled", *values) == answer
    assert guest.seen is not None
    assert plain(guest.seen[1]) == plain(values)


@quickly
@given(SEVENTEEN, U64)
def test_seventeen_parameters(guest: Guest, values: tuple[Value, ...], answer: int) -> None:
    guest.answer = answer
    assert guest.call(VALUES, "seventeen", *values) == answer
    assert guest.seen is not None
    assert plain(guest.seen[1]) == plain(values)


@pytest.mark.parametrize("tag", ["ok", "err"])
def test_result_without_payloads(guest: Guest, tag: str) -> None:
    guest.answer = Variant(tag)
    assert guest.call(VALUES, "yes-or-no", tag == "ok") == Variant(tag)
    assert guest.seen == ("yes-or-no", (tag == "ok",))


@pytest.mark.parametrize("error", [None, "", "why"])
def test_result_with_an_error_alone(guest: Guest, error: str | None) -> None:
    guest.answer = error
    assert guest.call(VALUES, "only-error", error) == error
    assert guest.seen == ("only-error", (error,))


def test_call_without_values(guest: Guest) -> None:
    guest.answer = None
    assert guest.call(VALUES, "nothing") is None
    assert guest.seen == ("nothing", ())


# wasmtime-py tags an option only where its content could be None as well.
DEEP = [None, Variant("none"), Variant("some", None), Variant("some", 7)]


@pytest.mark.parametrize("value", DEEP)
def test_options_of_options(guest: Guest, value: Variant | None) -> None:
    assert guest.call(ONLY, "deep", value) == value
    assert guest.seen == ("deep", (value,))


def test_nothing_leaks(guest: Guest) -> None:
    point = _record(x=1, y=-1)
    value = _record(
        type="a type",
        self="me",
        points=[point] * 3,
        nested=(1, (2, "three"), True),
        access={"read"},
        colour="red",
    )
    calls: list[tuple[str, object]] = [
        ("many-rich", [value] * 5),
        ("nested-lists", [[b"abc", b""], [], [b"de"]]),
        ("shapes", [Variant("many", [None, "named"]), Variant("text", "text")]),
        ("fallible", Variant("outcome", Variant("ok", "fine"))),
    ]
    guest.answer = "answer"
    scalars = _record(**dict.fromkeys("bcdefghi", 1), a=True, j=0.5, k=0.5, l="l", m="text")
    for round_ in range(3):
        before = guest.heap()
        for name, argument in calls * 10:
            guest.call(VALUES, name, argument)
        guest.call(VALUES, "spilled", scalars, "b", ["c", "d"], Variant("text", "e"), 1)
        assert guest.heap() == before or round_ == 0


def _record(**fields: object) -> Record:
    made = Record()
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def test_world_functions_and_inline_interfaces(guest: Guest) -> None:
    assert guest.call(None, "run", ["add", "wörld"]) == Variant("ok", "42")
    assert guest.logged[-2:] == ["add", "wörld"]
    assert guest.call(None, "run", []) == Variant("err", "")
    assert guest.call(None, "run", ["what"]) == Variant("err", "what")


def test_resources_of_the_guest(make_guest: Callable[[], Guest]) -> None:
    guest = make_guest()
    one = guest.call(COUNTERS, "[constructor]counter", 40)
    two = guest.call(COUNTERS, "[constructor]counter", 2)
    assert guest.call(COUNTERS, "[method]counter.increment", one, 1) == 41
    assert guest.call(COUNTERS, "read-all", [one, two, one]) == [41, 2, 41]
    total = guest.call(COUNTERS, "[static]counter.sum", one, two)
    owner = guest.call(COUNTERS, "wrap", "label", total)
    assert owner.label == "label"
    total = guest.call(COUNTERS, "maybe", guest.call(COUNTERS, "unwrap", owner))
    assert guest.call(COUNTERS, "[method]counter.name", total) == "guest 43"
    assert guest.call(COUNTERS, "maybe", None) is None


def test_dropped_resources_of_the_guest_are_freed(make_guest: Callable[[], Guest]) -> None:
    guest = make_guest()
    before = guest.heap()
    counters = [guest.call(COUNTERS, "[constructor]counter", n) for n in range(10)]
    assert guest.heap() > before
    for counter in counters:
        counter.drop(guest._store)
    assert guest.heap() == before


@pytest.mark.parametrize(
    ("name", "value"), [("enumeration", 3), ("enumeration", 258), ("scalar-char", 0xD800)]
)
def test_host_that_breaks_the_abi_traps(name: str, value: int) -> None:
    call, store = core_function(name)
    with pytest.raises(Trap):
        call(store, value)


def test_valid_core_values_pass() -> None:
    call, store = core_function("enumeration")
    assert call(store, 2) == 2


def core_function(name: str) -> tuple[Func, Store]:
    """Returns an export of the core module, whose imports return their first argument."""
    engine = Engine()
    store, linker = Store(engine), wasmtime.Linker(engine)
    module = wasmtime.Module(engine, rust_torture.torture().read_bytes())
    for item in module.imports:
        type_ = item.type
        assert isinstance(type_, wasmtime.FuncType)
        results = len(type_.results)
        linker.define_func(item.module, item.name or "", type_, _first if results else _nothing)
    function = linker.instantiate(store, module).exports(store)[f"{VALUES}#{name}"]
    assert isinstance(function, Func)
    return function, store


def _first(first: Value = 0, *_: Value) -> Value:
    return first


def _nothing(*_: Value) -> None:
    """Has no result."""
