"""Which path values take, and what is checked before the fast one is taken."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest
from wasmtime import Engine, _ffi
from wasmtime.component import Linker
from wasmtime_attestation.world.binding import capi, lift, linking, self_test, shapes
from wasmtime_attestation.world.binding.linking import Interface, link

from tests.world.components import Embedder, forwarder
from tests.world.scripted_world import ATTESTED, ScriptedWorld


@pytest.fixture
def fresh() -> Iterator[None]:
    capi.problem.cache_clear()
    linking._is_fast.cache_clear()
    yield
    capi.problem.cache_clear()
    linking._is_fast.cache_clear()


def test_this_wasmtime_has_the_layouts() -> None:
    assert capi.problem() is None
    assert self_test.problem() is None


@pytest.mark.usefixtures("fresh")
def test_values_that_wasmtime_changes_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_test, "_VALUE", (*self_test._VALUE[:2], "other", self_test._VALUE[3]))
    assert self_test.problem() is None
    number = shapes.Tuple((shapes.U8,))
    monkeypatch.setattr(self_test, "_SHAPE", number)
    monkeypatch.setattr(self_test, "_VALUE", (7,))
    lifter = lift.lifter(number)
    monkeypatch.setattr(lift, "lifter", lambda _: lambda *arguments: (lifter(*arguments)[0] + 1,))
    assert self_test.problem() == "a value came back from wasmtime as (8,)"
    with pytest.warns(RuntimeWarning, match="a value came back from wasmtime as"):
        assert not linking._is_fast()


@pytest.mark.usefixtures("fresh")
def test_another_layout_is_noticed_and_wasmtime_py_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capi, "VAL", 40)
    guest = Embedder(forwarder())
    with pytest.warns(RuntimeWarning, match=r"more slowly .* lays out val, map entry otherwise"):
        answer = guest.call(ScriptedWorld(), "attest-vm")
    monkeypatch.undo()
    assert isinstance(answer, dict)
    assert answer["token"] == ATTESTED.token
    with warnings.catch_warnings():  # the second time nothing is said
        warnings.simplefilter("error")
        guest.call(ScriptedWorld(), "detect-tee")


@pytest.mark.usefixtures("fresh")
def test_another_kind_number_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_ffi.WASMTIME_COMPONENT_STRING, "value", 99)
    assert capi.problem() == "wasmtime-py lays out kind STRING otherwise"


@pytest.mark.usefixtures("fresh")
def test_a_missing_name_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(_ffi, "wasmtime_component_valmap_entry")
    assert "wasmtime_component_valmap_entry" in str(capi.problem())


CONFUSED = shapes.Result(shapes.Option(shapes.U32), shapes.STRING)


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (CONFUSED, "it confuses the cases ok, err"),
        (shapes.List(CONFUSED), "it confuses the cases ok, err"),
        (shapes.Map(shapes.STRING, shapes.U8), "it has no values for map"),
    ],
)
def test_what_wasmtime_py_cannot_carry_is_an_error_when_linking(
    result: shapes.Shape, reason: str
) -> None:
    function = shapes.Function("f", {}, result)
    interfaces = {"a:b/c": Interface({function: lambda: None})}
    with pytest.raises(TypeError, match=f"cannot carry the types of f: {reason}"):
        link(Linker(Engine()), interfaces, fast=False)
    link(Linker(Engine()), interfaces, fast=True)
