"""The generated C++ header as text: current, formatted, laid out as the canonical ABI says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from wasmtime_attestation_bindgen.cpp import generate
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.layout import Layout
from wasmtime_attestation_bindgen.model import Resolve
from wasmtime_attestation_bindgen.options import Options
from wasmtime_attestation_bindgen.selection import select_world

from guests.cpp import toolchain
from tests.bindgen.resolving import resolved
from tests.guests import cpp_guests

CPP = toolchain.HERE
OURS = CPP / "include" / "wasmtime" / "attestation.hpp"
COMMAND = CPP / "generated" / "wasmtime-attestation" / "example" / "command.hpp"


def generated(model: Resolve, world: str, *, legacy: bool = False) -> str:
    (text,) = generate(model, select_world(model, world), Options(legacy=legacy)).values()
    return text


def test_the_headers_are_current() -> None:
    ours = cpp_guests.model(cpp_guests.PROJECT / "wit")
    assert OURS.read_text() == generated(ours, "imports", legacy=True)
    assert COMMAND.read_text() == generated(cpp_guests.model(CPP / "wit"), "command")


@pytest.mark.parametrize("world", ["torture", "legacy-torture"])
def test_generation_is_deterministic(world: str) -> None:
    wit, legacy = cpp_guests.TORTURE / "wit", world.startswith("legacy")
    first = generated(cpp_guests.model(wit), world, legacy=legacy)
    assert first == generated(cpp_guests.model(wit), world, legacy=legacy)


def formatted(text: str) -> str:
    tool = Path(sys.executable).parent / "clang-format"
    style = f"--style=file:{CPP / '.clang-format'}"
    done = subprocess.run([tool, style], input=text, check=True, capture_output=True, text=True)
    return done.stdout


def test_sources_are_formatted() -> None:
    folders = (CPP, cpp_guests.TORTURE / "cpp")
    sources = [p for f in folders for p in sorted(f.rglob("*")) if p.suffix in {".hpp", ".cpp"}]
    assert {OURS, COMMAND} < set(sources)
    assert [path for path in sources if formatted(path.read_text()) != path.read_text()] == []


@pytest.mark.parametrize("world", ["torture", "legacy-torture"])
def test_generated_text_is_formatted(world: str) -> None:
    model = cpp_guests.model(cpp_guests.TORTURE / "wit")
    text = generated(model, world, legacy=world.startswith("legacy"))
    assert formatted(text) == text


def test_values_lie_where_the_canonical_abi_says(tmp_path: Path) -> None:
    header = cpp_guests.header(tmp_path, cpp_guests.TORTURE / "wit", "torture")
    model = cpp_guests.model(cpp_guests.TORTURE / "wit")
    (values,) = [i for i in model.interfaces if i.name == "values"]
    layout, lines = Layout(model), [f"#include <{header.relative_to(tmp_path)}>"]
    for name, type_ in values.types.items():
        abi = f"wit::component::abi<test_torture::torture::values::{name.replace('-', '_')}>"
        for property_, value in (
            ("size", layout.size(type_)),
            ("alignment", layout.alignment(type_)),
            ("slots", len(layout.flat(type_))),
        ):
            lines.append(f"static_assert({abi}::{property_} == {value});")
    source = tmp_path / "layout.cpp"
    source.write_text("\n".join(lines))
    compiler = toolchain.debian() or toolchain.ZIG
    command = [*compiler.command, *toolchain.LANGUAGE, f"-I{tmp_path}", "-c", str(source)]
    subprocess.run([*command, "-o", str(tmp_path / "layout.o")], check=True)


def refused(text: str) -> WitError:
    with pytest.raises(WitError) as caught:
        generated(resolved(text), "w")
    return caught.value


def test_more_flags_than_an_integer_holds_are_refused() -> None:
    names = ", ".join(f"b{number}" for number in range(65))
    error = refused(f"world w {{ flags many {{ {names} }} import f: func(v: many); }}")
    assert "flags `many` has 65 flags" in error.message
    assert error.help is not None


@pytest.mark.parametrize(
    ("item", "named"),
    [
        ("import f: async func();", "function `f`"),
        ("import g: func(v: stream<u8>);", "function `g`"),
        ("import h: func() -> future<string>;", "function `h`"),
    ],
)
def test_what_has_no_form_is_named(item: str, named: str) -> None:
    error = refused(f"world w {{ {item} }}")
    assert named in error.message
    assert error.span is not None


def test_documentation_cannot_leave_its_comment() -> None:
    text = generated(resolved("world w {\n/// ends \\\nimport f: func();\n}"), "w")
    assert "/// ends \\ .\n" in text
    assert not any(line.endswith("\\") for line in text.splitlines() if "//" in line)
