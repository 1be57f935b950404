"""The legacy host that is generated for a world with every type, between a guest and Python.

What each function must be is written here by hand, from DESIGN section 5.
"""

from __future__ import annotations

import importlib
import json
import math
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wasmtime import Engine, Func, Linker, ValType
from wasmtime_attestation.world import legacy_functions
from wasmtime_attestation.world.binding.failure import Failure
from wasmtime_attestation_bindgen import files, host, legacy_host
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.link import Features
from wasmtime_attestation_bindgen.load import load
from wasmtime_attestation_bindgen.model import Resolve
from wasmtime_attestation_bindgen.options import Options
from wasmtime_attestation_bindgen.resolve import resolve
from wasmtime_attestation_bindgen.selection import select_world

from tests.world.core_guest import PAGE, CoreGuest

TORTURE = Path(__file__).resolve().parents[1] / "guests" / "torture" / "wit"
WIT = TORTURE.parents[3] / "wit"
PACKAGE = "generated_legacy_torture"

TWO = "i32 i32"
CORE = {
    "scalar_bool": ("i32", "i32"),
    "scalar_u8": ("i32", "i32"),
    "scalar_s8": ("i32", "i32"),
    "scalar_u16": ("i32", "i32"),
    "scalar_s16": ("i32", "i32"),
    "scalar_u32": ("i32", "i32"),
    "scalar_s32": ("i32", "i32"),
    "scalar_u64": ("i64", "i64"),
    "scalar_s64": ("i64", "i64"),
    "scalar_f32": ("f32", "i32"),
    "scalar_f64": ("f64", "i32"),
    "enumeration": ("i32", "i32"),
    "yes_or_no": ("i32", "i32"),
    "nothing": ("", ""),
    "spilled": (f"{TWO} {TWO} {TWO} {TWO} i32", "i32"),
    "seventeen": (
        f"i32 i32 i32 i32 i32 i32 i64 i64 f32 f64 {TWO} i32 i32 i32 i32 i32 i64",
        "i64",
    ),
    **dict.fromkeys(
        (
            *("scalar_char", "text", "bytes", "numbers", "longs", "texts", "nested_lists"),
            *("all_scalars", "rich", "many_rich", "permissions", "nine_flags", "any_shape"),
            *("shapes", "maybe_text", "maybe_bytes", "maybe_number", "pair", "aliased"),
            *("fallible", "only_error"),
        ),
        (TWO, "i32"),
    ),
}
"""The core types of every function."""


def forwarder() -> str:
    """Returns a module that exports every function of the world as its own."""
    imports, exports = [], []
    for name, (params, result) in CORE.items():
        type_ = f"(param {params}) (result {result})"
        arguments = " ".join(f"(local.get {i})" for i in range(len(params.split())))
        imports.append(f'(import "wasmtime_attestation" "{name}" (func ${name} {type_}))')
        exports.append(f'(func (export "{name}") {type_} (call ${name} {arguments}))')
    return f'(module {" ".join(imports)} (memory (export "memory") 4) {" ".join(exports)})'


class Echo:
    """An implementation that answers what it is asked, and remembers it."""

    def __init__(self, module: ModuleType) -> None:
        self._types = module
        self.seen: tuple[Any, ...] = ()

    def __getattr__(self, _name: str) -> Callable[..., object]:
        def answer(*arguments: object) -> object:
            self.seen = arguments
            return arguments[0] if arguments else None

        return answer

    def fallible(self, v: types.SimpleNamespace) -> int:
        value: int = v.value
        if isinstance(v, self._types.Err):
            raise Failure(value)
        return value

    def yes_or_no(self, v: bool) -> None:
        if not v:
            raise Failure(None)

    def only_error(self, v: str | None) -> None:
        if v is not None:
            raise Failure(v)

    def spilled(self, *arguments: object) -> str:
        self.seen = arguments
        return str(arguments[1])

    def seventeen(self, *arguments: object) -> int:
        self.seen = arguments
        last = arguments[-1]
        assert isinstance(last, int)
        return last


class Host:
    """A guest that forwards, and the implementation that it reaches."""

    def __init__(self, legacy: ModuleType, module: ModuleType) -> None:
        self.types = module
        self.echo = Echo(module)
        linker = Linker(Engine())
        legacy_functions.link(linker, legacy.functions(self.echo))
        self.guest = CoreGuest(forwarder(), linker=linker)

    def call(self, name: str, *arguments: float) -> int:
        """Calls an export, whose numbers may be floats."""
        function = self.guest._exports[name]
        assert isinstance(function, Func)
        result: int = function(self.guest.store, *arguments)
        return result

    def text(self, name: str, *parameters: str) -> str:
        """Calls a function whose parameters and answer are texts."""
        arguments: list[int] = []
        for index, parameter in enumerate(parameters):
            arguments += self.guest.write(8 + index * PAGE // 2, parameter.encode())
        return self.guest.bytes_at(self.call(name, *arguments)).decode()


def model(folder: Path) -> Resolve:
    project = load(folder)
    return resolve(project.main, project.dependencies, Features())


@pytest.fixture(scope="module")
def echoing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    folder = tmp_path_factory.mktemp("legacy") / PACKAGE
    torture = model(TORTURE)
    world = select_world(torture, "legacy-torture")
    for generate in (host.generate, legacy_host.generate):
        files.write(folder, generate(torture, world, Options(legacy=True)))
    (folder / "__init__.py").touch()
    sys.path.insert(0, str(folder.parent))
    try:
        legacy = importlib.import_module(f"{PACKAGE}.legacy_torture_legacy")
        yield Host(legacy, importlib.import_module(f"{PACKAGE}.legacy_torture_types"))
    finally:
        sys.path.remove(str(folder.parent))
        for name in [name for name in sys.modules if name.startswith(PACKAGE)]:
            del sys.modules[name]


def test_the_hosts_own_layer_is_current() -> None:
    ours = model(WIT)
    generated = legacy_host.generate(ours, select_world(ours, "imports"), Options(legacy=True))
    stale = files.stale(WIT.parent / "host" / "wasmtime_attestation", generated)
    assert not stale, f"regenerate it:\n{stale}"


def test_nothing_is_generated_unless_asked_for() -> None:
    ours = model(WIT)
    assert legacy_host.generate(ours, select_world(ours, "imports"), Options()) == {}


def test_resources_have_no_legacy_form() -> None:
    torture = model(TORTURE)
    with pytest.raises(WitError, match="no legacy form"):
        legacy_host.generate(torture, select_world(torture, "torture"), Options(legacy=True))


def test_every_core_type(echoing: Host) -> None:
    """It links, so each import has the type that is written here; and there are no others."""
    legacy = importlib.import_module(f"{PACKAGE}.legacy_torture_legacy")
    functions = legacy.functions(echoing.echo)
    assert {f.name: (f.params, f.result) for f in functions} == CORE
    assert all(hasattr(ValType, core) for params, _ in CORE.values() for core in params.split())


@pytest.mark.parametrize(
    ("name", "passed", "seen", "answered"),
    [
        ("scalar_bool", 1, True, 1),
        ("scalar_bool", 0, False, 0),
        ("scalar_bool", 2, True, 1),
        ("scalar_u8", 255, 255, 255),
        ("scalar_u8", -1, 255, 255),
        ("scalar_s8", -128, -128, -128),
        ("scalar_s8", 128, -128, -128),
        ("scalar_u16", 65_535, 65_535, 65_535),
        ("scalar_s16", 32_768, -32_768, -32_768),
        ("scalar_u32", -1, 2**32 - 1, -1),
        ("scalar_s32", -(2**31), -(2**31), -(2**31)),
        ("scalar_u64", -1, 2**64 - 1, -1),
        ("scalar_s64", -(2**63), -(2**63), -(2**63)),
    ],
)
def test_core_values(echoing: Host, name: str, passed: int, seen: object, answered: int) -> None:
    assert echoing.call(name, passed) == answered
    assert echoing.echo.seen == (seen,)


@pytest.mark.parametrize(
    ("name", "passed", "answered"),
    [
        ("scalar_f64", 0.1, "0.1"),
        ("scalar_f64", -0.0, "-0.0"),
        ("scalar_f64", 1e300, "1e+300"),
        ("scalar_f64", math.inf, '"Infinity"'),
        ("scalar_f64", -math.inf, '"-Infinity"'),
        ("scalar_f64", math.nan, '"NaN"'),
        ("scalar_f32", 0.1, "0.10000000149011612"),
        ("scalar_f32", math.nan, '"NaN"'),
        ("enumeration", 0, '"red"'),
        ("enumeration", 2, '"blue-green"'),
    ],
)
def test_core_parameters_of_json(echoing: Host, name: str, passed: float, answered: str) -> None:
    address = echoing.call(name, passed)
    assert echoing.guest.bytes_at(address).decode() == answered


@pytest.mark.parametrize("index", [-1, 3])
def test_no_case_of_an_enum(echoing: Host, index: int) -> None:
    assert echoing.call("enumeration", index) == 0


SCALARS = (
    '{"a":true,"b":255,"c":65535,"d":4294967295,"e":"18446744073709551615","f":-128,"g":-32768,'
    '"h":-2147483648,"i":"-9223372036854775808","j":0.5,"k":"NaN","l":"😀","m":"\\"é"}'
)
RICH = (
    '{"type":"t","self":null,"points":[{"x":-1,"y":2}],"nested":[7,[9007199254740992,"n"],true],'
    '"access":["write","list"],"colour":"blue-green"}'
)


@pytest.mark.parametrize(
    ("name", "json_"),
    [
        ("scalar_char", '"😀"'),
        ("numbers", "[0,4294967295]"),
        ("longs", '[9007199254740992,"9007199254740993",-9007199254740992,"-9007199254740993"]'),
        ("texts", '["","a"]'),
        ("nested_lists", '[[],["","AAE","-_8"]]'),
        ("all_scalars", SCALARS),
        ("rich", RICH),
        ("many_rich", f"[{RICH},{RICH}]"),
        ("permissions", "[]"),
        ("permissions", '["read","write","execute","list"]'),
        ("nine_flags", '["d0","d8"]'),
        ("any_shape", '{"case":"empty"}'),
        ("any_shape", '{"case":"byte","value":255}'),
        ("any_shape", '{"case":"long","value":-1}'),
        ("any_shape", '{"case":"single","value":0.25}'),
        ("any_shape", '{"case":"double","value":"-Infinity"}'),
        ("any_shape", '{"case":"position","value":{"x":1,"y":2}}'),
        ("any_shape", '{"case":"many","value":[{"case":"nothing"},{"case":"named","value":"n"}]}'),
        ("any_shape", '{"case":"perhaps","value":null}'),
        ("any_shape", '{"case":"perhaps","value":"9007199254740993"}'),
        ("any_shape", '{"case":"outcome","value":{"ok":"o"}}'),
        ("any_shape", '{"case":"outcome","value":{"err":"green"}}'),
        ("maybe_number", "null"),
        ("maybe_number", "5"),
        ("pair", '["p",1]'),
        ("aliased", '[{"x":0,"y":0}]'),
        ("fallible", '{"ok":1}'),
        ("fallible", '{"err":{"case":"text","value":"no"}}'),
    ],
)
def test_json_comes_back_as_it_went(echoing: Host, name: str, json_: str) -> None:
    assert echoing.text(name, json_) == json_


def test_texts_and_bytes_are_passed_as_they_are(echoing: Host) -> None:
    assert echoing.text("text", "né\n") == '"né\\n"'
    assert echoing.text("bytes", "\0a") == '"AGE"'
    assert echoing.text("maybe_text", "") == '""'
    assert echoing.text("maybe_bytes", "") == '""'
    for name in ("maybe_text", "maybe_bytes"):
        assert echoing.guest.bytes_at(echoing.call(name, 0, 0)) == b"null"
        assert echoing.echo.seen == (None,)


def test_values_are_those_of_the_generated_types(echoing: Host) -> None:
    classes = echoing.types
    echoing.text("rich", RICH)
    assert echoing.echo.seen[0] == classes.Record(
        "t",
        None,
        [classes.Point(-1, 2)],
        (7, (2**53, "n"), True),
        classes.Access.WRITE | classes.Access.LIST,
        classes.Colour.BLUE_GREEN,
    )
    echoing.text("any_shape", '{"case":"outcome","value":{"err":"green"}}')
    assert echoing.echo.seen[0] == classes.ShapeOutcome(classes.Err(classes.Colour.GREEN))


def test_results_without_payload(echoing: Host) -> None:
    answers = [echoing.guest.bytes_at(echoing.call("yes_or_no", flag)) for flag in (1, 0)]
    assert answers == [b'{"ok":null}', b'{"err":null}']
    assert echoing.guest.bytes_at(echoing.call("only_error", 0, 0)) == b'{"ok":null}'
    assert echoing.text("only_error", "e") == '{"err":"e"}'


def test_many_parameters(echoing: Host) -> None:
    guest = echoing.guest
    texts = [SCALARS, "plain", '["x"]', '{"case":"empty"}']
    pairs = [n for i, t in enumerate(texts) for n in guest.write(8 + 1000 * i, t.encode())]
    assert guest.bytes_at(echoing.call("spilled", *pairs, 9)) == b'"plain"'
    assert echoing.echo.seen[1:] == ("plain", ["x"], echoing.types.ShapeEmpty(), 9)
    char = guest.write(8, b'"k"')
    numbers = [1, -2, 3, -4, 5, -6, 7, -8, 0.5, -0.25, *char, 1, 12, 13, 14, 15, -1]
    assert echoing.call("seventeen", *numbers) == -1
    assert echoing.echo.seen == (
        *(1, -2, 3, -4, 5, -6, 7, -8, 0.5, -0.25, "k", True, 12, 13, 14, 15),
        2**64 - 1,
    )


@pytest.mark.parametrize(
    ("name", "json_"),
    [
        ("scalar_char", '"ab"'),
        ("scalar_char", '""'),
        ("numbers", "[4294967296]"),
        ("numbers", "[1.0]"),
        ("numbers", "[true]"),
        ("numbers", '["1"]'),
        ("numbers", "{}"),
        ("longs", "[9007199254740993]"),
        ("longs", '["01"]'),
        ("longs", '["+1"]'),
        ("longs", '["9223372036854775808"]'),
        ("nested_lists", '[[["AA"]]]'),
        ("nested_lists", '[["AA=="]]'),
        ("permissions", '["read","read"]'),
        ("permissions", '["READ"]'),
        ("any_shape", '{"case":"empty","value":1}'),
        ("any_shape", '{"case":"single","value":1e39}'),
        ("any_shape", '{"case":"double","value":1e400}'),
        ("any_shape", '{"case":"double","value":NaN}'),
        ("any_shape", '{"case":"byte"}'),
        ("any_shape", '{"case":"outcome","value":{"ok":"o","err":"green"}}'),
        ("any_shape", '{"case":"outcome","value":{}}'),
        ("pair", '["p"]'),
        ("pair", '["p",1,2]'),
        ("aliased", '[{"x":0}]'),
        ("aliased", '[{"x":0,"y":0,"z":0}]'),
        ("text", "\ud800"),
    ],
)
def test_what_is_not_of_its_type_fails(echoing: Host, name: str, json_: str) -> None:
    echoing.echo.seen = ()
    data = json_.encode("utf-8", "surrogatepass")
    assert echoing.call(name, *echoing.guest.write(8, data)) == 0
    assert echoing.echo.seen == ()


string = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
u64 = st.integers(0, 2**64 - 1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(string, u64), max_size=5), st.booleans())
def test_pairs_of_any_value(echoing: Host, pairs: list[tuple[str, int]], ascii_: bool) -> None:
    for text, number in pairs:
        written = number if number <= 2**53 else str(number)
        passed = json.dumps([text, written], ensure_ascii=ascii_)
        assert json.loads(echoing.text("pair", passed)) == [text, written]
        assert echoing.echo.seen == ((text, number),)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_of_any_value(echoing: Host, number: float) -> None:
    passed = json.dumps({"case": "double", "value": number})
    answer = json.loads(echoing.text("any_shape", passed))
    assert math.copysign(1, answer["value"]) == math.copysign(1, number)
    assert answer["value"] == number
