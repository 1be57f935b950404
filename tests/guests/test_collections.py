"""Maps and lists of a fixed length, through Rust and C++ guests and back.

wasmtime's component API carries neither yet, so the guests are driven as core
modules, by a canonical ABI of the tests' own. After every call the guest has
freed all that it allocated.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.guests import cpp_guests, rust_torture
from tests.guests.core_host import CoreHost, Signature
from tests.guests.cpp_guests import TORTURE
from tests.guests.wit_values import values

WIT, WORLD = TORTURE / "wit", "collections-torture"
INTERFACE = "test:torture/collections@1.2.3"
MODEL = cpp_guests.model(WIT)
FUNCTIONS = {
    name: Signature.of(MODEL, function)
    for interface in MODEL.interfaces
    if interface.name == "collections"
    for name, function in interface.functions.items()
}


def rust(_: Path) -> bytes:
    return rust_torture.build(TORTURE / "rust-collections", WIT, WORLD).read_bytes()


def cpp(folder: Path) -> bytes:
    cpp_guests.header(folder, WIT, WORLD)
    sources = [TORTURE / "cpp" / name for name in ("collections.cpp", "allocator.cpp")]
    return cpp_guests.library(folder, sources)


@pytest.fixture(scope="module", params=[rust, cpp])
def module(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    build: Callable[[Path], bytes] = request.param
    return build(tmp_path_factory.mktemp("collections"))


@pytest.fixture(scope="module")
def host(module: bytes) -> CoreHost:
    return CoreHost(module, INTERFACE, FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_collections_arrive_as_they_were_sent(host: CoreHost, name: str) -> None:
    signature = FUNCTIONS[name]
    before = host.heap()

    @settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
    @given(values(signature.params), values(signature.result))
    def check(arguments: tuple[object, ...], answer: object) -> None:
        host.called, host.answer = "", answer
        assert host.call(name, arguments) == answer
        assert host.called == name
        assert host.received == arguments
        assert host.heap() == before

    check()


def test_what_is_not_freed_is_seen(module: bytes) -> None:
    host = CoreHost(module, INTERFACE, FUNCTIONS)
    before = host.heap()
    host.allocate(8, 1000)
    assert host.heap() >= before + 1000
