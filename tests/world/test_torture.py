"""Every value type, nested, through a real component to Python and back, on both paths.

The component hands on every call: what its export is given, its import gets.
"""

from __future__ import annotations

import math
import struct
import threading
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wasmtime import Engine, Store, WasmtimeError
from wasmtime.component import Component, Linker
from wasmtime_attestation.world.binding.failure import Failure
from wasmtime_attestation.world.binding.imports import check_imports
from wasmtime_attestation.world.binding.misfit import MisfitError

from tests.bindgen import hosts

WIT = Path(__file__).parent / "wit" / "torture.wit"
Exports: TypeAlias = Any  # a generated class
FEW = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Echo:
    """A host that returns what it is given, and remembers it."""

    def __init__(self) -> None:
        self.given: tuple[Any, ...] = ()
        self.answer: Any = self
        self.raised: BaseException | None = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - every method of the interface
        def method(*arguments: Any) -> Any:  # noqa: ANN401 - of any type
            self.given = arguments
            if self.raised is not None:
                raise self.raised
            if self.answer is not self:
                return self.answer
            return arguments[0] if len(arguments) == 1 else arguments or None

        return method


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> tuple[ModuleType, ModuleType]:
    return hosts.imported(WIT, tmp_path_factory.mktemp("torture"))


@pytest.fixture(scope="module")
def types(modules: tuple[ModuleType, ModuleType]) -> ModuleType:
    return modules[0]


class Guest:
    """The component over an `Echo`; its exports are attributes."""

    def __init__(self, linking: ModuleType, *, fast: bool) -> None:
        self._linking, self._fast = linking, fast
        self._engine = Engine()
        self._code = Component(self._engine, hosts.forwarder(*hosts.read(WIT)))
        check_imports(self._engine, self._code, linking.IMPORTS)

    def start(self, echo: Echo) -> Exports:
        """Returns the exports of a fresh instance."""
        with Linker(self._engine) as linker:
            self._linking.link_imports(linker, echo=echo, fast=self._fast)
            store = Store(self._engine)
            return self._linking.Echo(store, linker.instantiate(store, self._code))


@pytest.fixture(scope="module", params=[True, False], ids=["fast", "wasmtime-py"])
def guest(request: pytest.FixtureRequest, modules: tuple[ModuleType, ModuleType]) -> Guest:
    return Guest(modules[1], fast=request.param)


@pytest.fixture(scope="module")
def echo() -> Echo:
    return Echo()


@pytest.fixture(scope="module")
def exports(guest: Guest, echo: Echo) -> Exports:
    return guest.start(echo)


def check(exports: Exports, echo: Echo, name: str, *values: object) -> None:
    """Sends values through the guest and back."""
    answer = getattr(exports, name)(*values)
    assert echo.given == values
    assert answer == (values[0] if len(values) == 1 else values)


def integer(bits: int, *, signed: bool) -> st.SearchStrategy[int]:
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    return st.integers(low, high) | st.sampled_from([low, high])


INTEGERS = [integer(bits, signed=signed) for bits in (8, 16, 32, 64) for signed in (False, True)]
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
CHARS = st.characters(codec="utf-8")


@FEW
@given(values=st.tuples(*INTEGERS))
def test_integers(exports: Exports, echo: Echo, values: tuple[int, ...]) -> None:
    check(exports, echo, "scalars", *values)


@FEW
@given(single=st.floats(width=32, allow_nan=False), double=st.floats(allow_nan=False))
def test_floats(exports: Exports, echo: Echo, single: float, double: float) -> None:
    check(exports, echo, "floats", single, double)
    assert math.copysign(1, echo.given[0]) == math.copysign(1, single)


def test_not_a_number_and_rounding(exports: Exports) -> None:
    assert all(map(math.isnan, exports.floats(math.nan, math.nan)))
    rounded = struct.unpack("<f", struct.pack("<f", 0.1))[0]
    assert exports.floats(0.1, 7) == (rounded, 7.0)


@FEW
@given(text=TEXT, char=CHARS, flag=st.booleans())
def test_text(exports: Exports, echo: Echo, text: str, char: str, flag: bool) -> None:
    check(exports, echo, "text", text, char, flag)


@pytest.mark.parametrize("size", [0, 1, 255, 1 << 16])
def test_octets(exports: Exports, echo: Echo, size: int) -> None:
    check(exports, echo, "octets", bytes(index % 251 for index in range(size)))


@FEW
@given(data=st.data())
def test_lists(exports: Exports, echo: Echo, types: ModuleType, data: st.DataObject) -> None:
    draw, small = data.draw, 5
    check(
        exports,
        echo,
        "lists",
        draw(st.lists(integer(16, signed=False), max_size=small)),
        draw(st.lists(TEXT, max_size=small)),
        draw(st.lists(st.lists(integer(32, signed=True), max_size=small), max_size=small)),
        draw(st.lists(st.sampled_from(types.Color), max_size=small)),
        draw(st.lists(st.booleans(), max_size=small)),
    )


def shapes(types: ModuleType) -> st.SearchStrategy[Any]:
    inner = st.builds(types.Inner, *INTEGERS)
    tagged = st.builds(
        types.Shape2,
        TEXT,
        st.lists(TEXT, max_size=3),
        st.sampled_from(types.Color),
        permissions(types),
    )
    return st.one_of(
        st.builds(types.ShapeEmpty),
        st.builds(types.ShapeNum, integer(32, signed=False)),
        st.builds(types.ShapeText, TEXT),
        st.builds(types.ShapeRec, inner),
        st.builds(types.ShapeMany, st.lists(tagged, max_size=3)),
    )


def permissions(types: ModuleType) -> st.SearchStrategy[Any]:
    return st.integers(0, 7).map(types.Perm)


@FEW
@given(data=st.data())
def test_enums_flags_and_variants(
    exports: Exports, echo: Echo, types: ModuleType, data: st.DataObject
) -> None:
    check(exports, echo, "echo_color", data.draw(st.sampled_from(types.Color)))
    check(exports, echo, "echo_perm", data.draw(permissions(types)))
    check(exports, echo, "echo_shape", data.draw(shapes(types)))


@FEW
@given(data=st.data())
def test_options_and_results(
    exports: Exports, echo: Echo, types: ModuleType, data: st.DataObject
) -> None:
    draw, ok, err = data.draw, types.Ok, types.Err
    check(
        exports,
        echo,
        "options",
        draw(st.none() | integer(8, signed=False)),
        draw(st.none() | st.builds(types.Some, st.none() | TEXT)),
        draw(st.none() | st.booleans()),
    )
    check(
        exports,
        echo,
        "results",
        draw(st.builds(ok, integer(8, signed=False)) | st.builds(err, TEXT)),
        draw(st.sampled_from([ok(None), err(None)])),
        draw(st.just(ok(None)) | st.builds(err, st.sampled_from(types.Color))),
        draw(st.builds(ok, st.binary(max_size=20)) | st.just(err(None))),
    )


@FEW
@given(data=st.data())
def test_everything_nested(
    exports: Exports, echo: Echo, types: ModuleType, data: st.DataObject
) -> None:
    outer = st.builds(
        types.Outer,
        st.builds(types.Inner, *INTEGERS),
        st.none() | st.builds(types.Some, st.none() | integer(32, signed=False)),
        st.builds(types.Ok, TEXT) | st.builds(types.Err, integer(8, signed=False)),
        st.tuples(integer(8, signed=False), TEXT, st.none() | CHARS),
        st.lists(st.floats(allow_nan=False), max_size=3),
        st.floats(width=32, allow_nan=False),
        st.binary(max_size=40),
        shapes(types),
        st.booleans(),
    )
    check(exports, echo, "echo_nested", data.draw(outer))


def test_names_that_python_keeps_for_itself(guest: Guest) -> None:
    echo = Echo()
    echo.answer = "answered"
    assert guest.start(echo).lambda_(from_="here", self_=7) == "answered"
    assert echo.given == ("here", 7)


def test_more_parameters_than_fit_into_registers(guest: Guest) -> None:
    echo = Echo()
    echo.answer = "answered"
    numbers = tuple(range(16))
    assert guest.start(echo).many(*numbers, "last") == "answered"
    assert echo.given == (*numbers, "last")


def test_functions_without_a_result(guest: Guest) -> None:
    echo = Echo()
    assert guest.start(echo).nothing() is None
    assert echo.given == ()


def test_failures(guest: Guest, types: ModuleType) -> None:
    echo = Echo()
    exports = guest.start(echo)
    for error in (types.ShapeEmpty(), types.ShapeText("why"), types.ShapeMany([])):
        echo.raised = Failure(error)
        with pytest.raises(Failure) as caught:
            exports.fails(1)
        assert caught.value.error == error
    echo.raised = Failure(None)
    with pytest.raises(Failure) as bare:
        exports.bare()
    assert bare.value.error is None
    echo.raised = None
    assert exports.bare() is None


WRONG = [
    ("scalars", (256, 0, 0, 0, 0, 0, 0, 0), "a: 256 does not fit into u8"),
    ("scalars", (0, -129, 0, 0, 0, 0, 0, 0), "b: -129 does not fit into s8"),
    ("scalars", (0, 0, 0, 0, True, 0, 0, 0), "e: a bool, not an integer"),
    ("scalars", (0, 0, 0, 0, 0, 0, 1.0, 0), "g: a float, not an integer"),
    ("floats", (1e39, 0.0), "a: 1e\\+39 does not fit into f32"),
    ("floats", ("1", 0.0), "a: a str, not a float"),
    ("text", ("\ud800", "x", True), "a: a lone surrogate"),
    ("text", ("x", "xy", True), "b: a str, not a single character"),
    ("text", ("x", "\udfff", True), "b: a lone surrogate"),
    ("text", ("x", "x", 1), "c: a int, not a bool"),
    ("octets", (bytearray(1),), "a: a bytearray, not bytes"),
    ("lists", ([0, 65536], [], [], [], []), r"a: \[1\]: 65536 does not fit into u16"),
    ("lists", ([], ("x",), [], [], []), "b: a tuple, not a list"),
    ("echo_color", ("red",), "a: a str, not a Color"),
    ("echo_perm", (1,), "a: a int, not a Perm"),
    ("echo_shape", (None,), "a: a NoneType, not a ShapeEmpty or"),
    ("options", (None, "x", None), "b: a str, not a Some"),
    ("results", (1, None, None, None), "a: a int, not an Ok or an Err"),
]


@pytest.mark.parametrize(("name", "arguments", "message"), WRONG)
def test_arguments_that_do_not_fit_never_reach_the_guest(
    guest: Guest, name: str, arguments: tuple[Any, ...], message: str
) -> None:
    echo = Echo()
    echo.given = ("nothing",)
    with pytest.raises(MisfitError, match=f"^{message}"):
        getattr(guest.start(echo), name)(*arguments)
    assert echo.given == ("nothing",)


@pytest.mark.parametrize("answer", [b"bytes", None, "\ud800", 1])
def test_an_answer_that_does_not_fit_ends_the_call(guest: Guest, answer: object) -> None:
    echo = Echo()
    echo.answer = answer
    with pytest.raises(MisfitError):
        guest.start(echo).lambda_("x", 1)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), ValueError("x")])
def test_exceptions_come_out_unchanged(guest: Guest, error: BaseException) -> None:
    echo = Echo()
    echo.raised = error
    with pytest.raises(type(error)) as caught:
        guest.start(echo).nothing()
    assert caught.value is error


def test_a_missing_interface(modules: tuple[ModuleType, ModuleType]) -> None:
    engine = Engine()
    store = Store(engine)
    instance = Linker(engine).instantiate(store, Component(engine, "(component)"))
    with pytest.raises(WasmtimeError, match="does not export t:torture/echo"):
        modules[1].Echo(store, instance)


def test_threads_do_not_mix_their_values(guest: Guest, types: ModuleType) -> None:
    wrong: list[object] = []

    def work(number: int) -> None:
        exports = guest.start(Echo())
        for turn in range(60):
            shape = types.ShapeMany(
                [
                    types.Shape2(
                        f"{number}.{turn}", [str(number)] * 5, types.Color.RED, types.Perm(2)
                    )
                ]
            )
            data = bytes([number]) * (turn + 1)
            if exports.echo_shape(shape) != shape or exports.octets(data) != data:
                wrong.append((number, turn))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_host_that_calls_its_guest_again(guest: Guest) -> None:
    class Again(Echo):
        depth = 0

        def octets(self, data: bytes) -> bytes:
            self.depth += 1
            return data if self.depth > 3 else bytes(other.octets(data + b"!"))

    echo = Again()
    other = guest.start(echo)
    assert guest.start(echo).octets(b"deep") == b"deep!!!"
