"""Whatever the input, the outcome is a model or a `WitError`."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from wasmtime import wat2wasm
from wasmtime_attestation_bindgen import model_json
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.lexer import tokenize
from wasmtime_attestation_bindgen.link import Features
from wasmtime_attestation_bindgen.resolve import PackageFiles, resolve
from wasmtime_attestation_bindgen.source import Encoded, Source
from wasmtime_attestation_bindgen.tokens import Broken, TokenKind

from tests.bindgen.test_binary import PACKAGE

quick = settings(max_examples=150, deadline=None, derandomize=True)

_PIECES = [kind.value for kind in TokenKind if " " not in kind.value]
_PIECES += ["a", "b", "%c", "D", "1", "1.0.0", '"s"', "// c\n", "/** d */", "since", "unstable"]
_PIECES += [
    "interface i {",
    "world w {",
    "package a:b;",
    "use i.{a};",
    "f: func();",
    "type a = u8;",
]
wit_like = st.lists(st.sampled_from(_PIECES), max_size=40).map(" ".join)
items = st.lists(
    st.sampled_from(
        [
            "type a = b;",
            "type b = list<a>;",
            "resource r { constructor(); m: func(a: a) -> r; }",
            "record c { a: a, r: borrow<r> }",
            "f: func(c: c) -> option<a>;",
            "use i.{a};",
            "use j.{a as b, r};",
            "use x:y/i.{a};",
            "@unstable(feature = x) type d = r;",
            "@since(version = 1.0.0) g: async func() -> stream<d>;",
            "import i; export j;",
            "import k: i;",
            "export f: func();",
            "include v with { f as g };",
            "include x:y/w;",
        ]
    ),
    max_size=6,
).map(" ".join)


def check(files: PackageFiles) -> None:
    try:
        model_json.dumps(resolve(files, [], Features({"x"})))
    except WitError as error:
        error.render()


@quick
@given(st.text())
def test_any_text(text: str) -> None:
    check([Source("a.wit", text)])


@quick
@given(wit_like)
def test_any_order_of_tokens(text: str) -> None:
    check([Source("a.wit", text)])
    check([Source("a.wit", f"package a:b@1.0.0; {text}")])


@quick
@given(items, items, items, items)
def test_any_order_of_items(first: str, second: str, third: str, fourth: str) -> None:
    text = f"interface i {{ {first} }} interface j {{ {second} }} world v {{ {third} }}"
    nested = f"package x:y {{ interface i {{ {second} }} world w {{ {fourth} }} }}"
    check([Source("a.wit", f"package a:b@1.0.0; {text} world w {{ {fourth} }} {nested}")])


@quick
@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])))
def test_tokens_and_what_is_between_them_are_the_text(text: str) -> None:
    source = Source("a.wit", text)
    try:
        tokens = [token for token in tokenize(source) if not isinstance(token, Broken)]
    except WitError:
        return
    end = 0
    for token in tokens:
        gap = text[end : token.span.start].removeprefix("\ufeff" if end == 0 else "")
        for comment in token.comments:
            gap = gap.replace(comment.span.text, "", 1)
        assert not gap.strip(" \t\r\n")
        end = token.span.end


@quick
@given(
    st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=4
    )
)
def test_any_damage_to_a_binary_package(changes: list[tuple[float, int]]) -> None:
    data = bytearray(wat2wasm(PACKAGE))
    for where, value in changes:
        data[int(where * len(data))] = value
    check(Encoded("a.wasm", bytes(data)))


@quick
@given(st.binary())
def test_any_bytes_as_a_component(data: bytes) -> None:
    check(Encoded("a.wasm", data))
    check(Encoded("a.wasm", b"\0asm\x0d\0\1\0" + data))
