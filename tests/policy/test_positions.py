"""Where a setting stands: held against marks in texts, and against tomllib's own errors."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasmtime_attestation.policy.positions import Position, locate

from tests.policy.toml_documents import MARK, Marked, documents

Key = tuple[str | int, ...]


def place(text: str) -> Position:
    """Returns where the mark stands, counted by hand."""
    before = text.partition(MARK)[0]
    lines = before.split("\n")
    return Position(len(lines), len(lines[-1]) + 1)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("schema = 1\n«snp = {}", ("snp",)),
        ("a = 1\n\t «b = 2", ("b",)),
        ("[snp]\n«vmpl = [0]", ("snp", "vmpl")),
        ("[«snp]\nvmpl = [0]", ("snp",)),
        ("[ «snp . x ]\n", ("snp",)),
        ("[snp.«x]\n", ("snp", "x")),
        ("[a.b]\nc = 1\n[a.d]\n«c = 1", ("a", "d", "c")),
        ("c = 1\n[a]\n«c = 1", ("a", "c")),
        ("a.b = 1\na.«c = 2", ("a", "c")),
        ("[x]\na.b.«c = 2\n", ("x", "a", "b", "c")),
        ("a = {b = 1, «c = 2}", ("a", "c")),
        ("a = {b = {c = 1}, d.«e = 2}", ("a", "d", "e")),
        ("a = {}\n«b = 1", ("b",)),
        ("a = []\n«b = 1", ("b",)),
        ("a = [1, «2]", ("a", 1)),
        ("a = [\n  1, # one, [2]\n  «2,\n]", ("a", 1)),
        ("a = [[1], [2, «3]]", ("a", 1, 1)),
        ("a = [{b = 1}, {b = [0, {«c = 1}]}]", ("a", 1, "b", 1, "c")),
        ("a = [«[]]", ("a", 0)),
        ("a = [1, 2,]\n«b = 1", ("b",)),
        ("a = [1.5, -2.5, «3.5]", ("a", 2)),
        ("a = [1979-05-27 07:32:00.5, «inf]", ("a", 1)),
        ("[[t]]\nx = 1\n[[t]]\n«x = 2", ("t", 1, "x")),
        ("[[t]]\nx = 1\n[[«t]]\nx = 2", ("t", 1)),
        ("[[t]]\n[t.u]\n[[t]]\n[t.«u]", ("t", 1, "u")),
        ("[[t.u]]\n[[t.u]]\n[[t.u.v]]\n[[t.u.v]]\n«w = 1", ("t", "u", 1, "v", 1, "w")),
        ('«"a b" = 1', ("a b",)),
        ("«'a.b' = 1", ("a.b",)),
        ('a.b = 1\n«"a.b" = 2', ("a.b",)),
        ('«"\\u0061" = 1', ("a",)),
        ('["a]b"]\n«c = 1', ("a]b", "c")),
        ('x = "[a]"\n«a = 1', ("a",)),
        ('x = "\\"\\\\"\n«a = 1', ("a",)),
        ("x = '\\'\n«a = 1", ("a",)),
        ('x = """\na = 1\n"quoted" ""\n\\""" still """\n«a = 1', ("a",)),
        ('x = """a"""""\n«a = 1', ("a",)),
        ("x = '''\na = 1 ''\n'''''\n«a = 1", ("a",)),
        ("x = ['''\n]''', «1]", ("x", 1)),
        ("# a = 1\n«a = 1 # a = 2", ("a",)),
        ("x = 1\r\n«a = 1\r\n", ("a",)),
        ("x = 'é'\n«a = 1", ("a",)),
        ("x = ['é𝄞', «1]", ("x", 1)),
        ("«1979-05-27 = 1", ("1979-05-27",)),
        ("a.«0 = 1\n", ("a", "0")),
    ],
)
def test_the_place_of_a_setting(text: str, key: Key) -> None:
    plain = text.replace(MARK, "")
    tomllib.loads(plain)  # the texts are TOML

    assert locate(plain, key) == place(text)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("«# nothing", ("a",)),
        ("«a = 1", ()),
        ("«a = 1", ("b",)),
        ("b = 1\n[«a]\nc = 1", ("a", "d")),
        ("b = 1\n«a = [0]", ("a", 1)),
        ("b = 1\n«a = [0]", ("a", "0")),
        ("b = 1\n«a.0 = 1", ("a", 0)),
        ("b = 1\n«a = {}", ("a", "b", "c")),
        ("«a.b = 1\na.c = 2", ("a", "d")),
    ],
)
def test_what_is_not_there_stands_where_it_would(text: str, key: Key) -> None:
    assert locate(text.replace(MARK, ""), key) == place(text)


@given(documents())
def test_any_document(document: Marked) -> None:
    plain = document.text.replace(MARK, "")
    value: object = tomllib.loads(plain)
    for part in document.key:
        value = value[part]  # type: ignore[index]  # the key is one of the document's

    assert locate(plain, document.key) == place(document.text)


@given(st.text("a.=[]{}\"'#,\n \\", max_size=30))
def test_any_text_that_is_toml_is_gone_through(text: str) -> None:
    try:
        tomllib.loads(text)
    except ValueError:
        return
    locate(text, ("nowhere", 0))
