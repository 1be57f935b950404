"""Maps through a component to a generated host and back.

wasmtime has them behind a switch, and only the fast path knows them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wasmtime import Config, Engine, Store
from wasmtime.component import Component, Linker
from wasmtime_attestation.world.binding.failure import Failure
from wasmtime_attestation.world.binding.imports import SignatureError, check_imports

from tests.bindgen import hosts
from tests.world.test_torture import CHARS, INTEGERS, TEXT, Echo, check

WIT = """
package t:maps@1.0.0;
interface echo {
  record shelf { label: string, sizes: map<string, u64> }
  variant cell { empty, table(map<char, s16>) }
  by-bool: func(v: map<bool, u8>) -> map<bool, u8>;
  by-number: func(v: map<s64, list<u8>>) -> map<s64, list<u8>>;
  to-maps: func(v: map<string, map<u8, string>>) -> map<string, map<u8, string>>;
  shelves: func(v: list<shelf>) -> list<shelf>;
  cells: func(v: map<u32, cell>) -> map<u32, cell>;
  maybe: func(v: option<map<char, bool>>) -> option<map<char, bool>>;
  fallible: func() -> result<map<u8, u8>, map<string, string>>;
}
world w { import echo; export echo; }
"""
FEW = settings(max_examples=40)
U8, _, _, S16, U32, _, U64, S64 = INTEGERS
Exports: TypeAlias = Any  # a generated class


class World:
    """The generated modules, an engine that has maps, and a component of that world."""

    def __init__(self, folder: Path) -> None:
        wit = folder / "maps.wit"
        wit.write_text(WIT)
        self.types, self.linking = hosts.imported(wit, folder)
        config = Config()
        config.wasm_component_model_map = True
        self.engine = Engine(config)
        self.code = Component(self.engine, hosts.forwarder(*hosts.read(wit)))

    def start(self, echo: Echo) -> Exports:
        """Returns the exports of a fresh instance."""
        with Linker(self.engine) as linker:
            self.linking.link_imports(linker, echo=echo)
            store = Store(self.engine)
            return self.linking.Echo(store, linker.instantiate(store, self.code))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("maps"))


@pytest.fixture(scope="module")
def echo() -> Echo:
    return Echo()


@pytest.fixture(scope="module")
def exports(world: World, echo: Echo) -> Exports:
    return world.start(echo)


def maps(keys: st.SearchStrategy[Any], values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(keys, values, max_size=4)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("by_bool", maps(st.booleans(), U8)),
        ("by_number", maps(S64, st.binary(max_size=20))),
        ("to_maps", maps(TEXT, maps(U8, TEXT))),
        ("maybe", st.none() | maps(CHARS, st.booleans())),
    ],
)
@FEW
@given(data=st.data())
def test_maps(
    exports: Exports, echo: Echo, name: str, values: st.SearchStrategy[Any], data: st.DataObject
) -> None:
    check(exports, echo, name, data.draw(values))


@FEW
@given(data=st.data())
def test_maps_in_named_types(
    world: World, exports: Exports, echo: Echo, data: st.DataObject
) -> None:
    types = world.types
    shelf = st.builds(types.Shelf, label=TEXT, sizes=maps(TEXT, U64))
    cell = st.just(types.CellEmpty()) | st.builds(types.CellTable, maps(CHARS, S16))
    check(exports, echo, "shelves", data.draw(st.lists(shelf, max_size=3)))
    check(exports, echo, "cells", data.draw(maps(U32, cell)))


@FEW
@given(ok=maps(U8, U8), error=maps(TEXT, TEXT))
def test_maps_of_results(world: World, ok: dict[int, int], error: dict[str, str]) -> None:
    echo = Echo()
    exports = world.start(echo)
    echo.answer = ok
    assert exports.fallible() == ok
    echo.raised = Failure(error)
    with pytest.raises(Failure) as failed:
        exports.fallible()
    assert failed.value.error == error


def test_stock_conversions_have_no_maps(world: World) -> None:
    with (
        Linker(world.engine) as linker,
        pytest.raises(TypeError, match="it has no values for map"),
    ):
        world.linking.link_imports(linker, echo=Echo(), fast=False)


def test_components_with_maps_cannot_be_checked(world: World) -> None:
    with pytest.raises(SignatureError, match="maps, which wasmtime-py cannot describe"):
        check_imports(world.engine, world.code, world.linking.IMPORTS)
