"""Files and folders to packages, within limits."""

from __future__ import annotations

from pathlib import Path

import pytest
from wasmtime import wat2wasm
from wasmtime_attestation_bindgen import load
from wasmtime_attestation_bindgen.errors import InputError, WitError

from tests.bindgen.resolving import interface, resolved_path

WAT = '(component (type $x (component (export "d:d/i" (instance)))) (export "i" (type $x)))'


def write(root: Path, **files: str | bytes) -> Path:
    """Writes files; `__` in a name stands for `/`, the last `_` for the dot."""
    for name, contents in files.items():
        stem, _, suffix = name.rpartition("_")
        path = root / f"{stem.replace('__', '/')}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
    return root


def packages(path: Path) -> list[str]:
    return [str(package.name) for package in resolved_path(path).packages]


def test_a_folder_is_one_package_and_deps_holds_others(tmp_path: Path) -> None:
    write(
        tmp_path,
        one_wit="package a:b; interface i { use j.{t}; use c:c/i.{u}; use d:d/i.{v}; }",
        two_wit="interface j { type t = u8; }",
        other_txt="not WIT",
        nested__ignored_wit="not WIT",
        deps__c__x_wit="package c:c; interface i { use d:d/i.{v as u}; }",
        deps__d_wit="package d:d; interface i { type v = u8; }",
        deps__notes_md="not WIT",
    )
    assert packages(tmp_path) == ["d:d", "c:c", "a:b"]
    assert packages(tmp_path / "two.wit".replace("two", "deps/d")) == ["d:d"]


@pytest.mark.parametrize("suffix", ["wat", "wasm"])
def test_dependencies_in_other_forms(tmp_path: Path, suffix: str) -> None:
    contents = WAT.encode() if suffix == "wat" else bytes(wat2wasm(WAT))
    write(tmp_path, one_wit="package a:b; world w { import d:d/i; }")
    write(tmp_path, **{f"deps__d_{suffix}": contents})
    assert packages(tmp_path) == ["a:b", "d:d"] or packages(tmp_path) == ["d:d", "a:b"]
    assert interface(resolved_path(tmp_path / "deps" / f"d.{suffix}"), "i").name == "i"


def test_text_that_is_not_webassembly_is_an_error_in_the_input(tmp_path: Path) -> None:
    with pytest.raises(WitError, match="not WebAssembly text"):
        resolved_path(write(tmp_path, x_wat="(component (type") / "x.wat")


def test_text_that_is_not_utf8_is_shown(tmp_path: Path) -> None:
    path = write(tmp_path, x_wit=b"package a:b;\n// \xc3\xa9 \xff") / "x.wit"
    with pytest.raises(WitError, match="UTF-8") as caught:
        resolved_path(path)
    assert str(caught.value.span) == f"{path}:2:6"


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no `\.wit` file"):
        load.load(tmp_path)
    with pytest.raises(InputError, match="cannot read"):
        load.load(tmp_path / "missing.wit")


def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, one_wit="package a:b;", two_wit="package a:b;", deps__c_wit="package c:c;")
    monkeypatch.setattr(load, "MOST_FILES", 2)
    with pytest.raises(InputError, match="more than 2 WIT files"):
        load.load(tmp_path)
    monkeypatch.setattr(load, "MOST_FILES", 3)
    assert len(load.load(tmp_path).dependencies) == 1
    monkeypatch.setattr(load, "LARGEST_FILE", 11)
    with pytest.raises(InputError, match="more than 11 bytes"):
        load.load(tmp_path)
