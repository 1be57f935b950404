"""The WIT changes: type checking says where a host must be extended; old guests keep running."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from wasmtime import Engine, Store
from wasmtime.component import Component, Linker
from wasmtime_attestation.world.binding.imports import check_imports
from wasmtime_attestation_bindgen import files
from wasmtime_attestation_bindgen.host import generate
from wasmtime_attestation_bindgen.options import Options

from tests.bindgen import hosts

WIT = """package acme:tea@0.1.{patch};
interface kettle {{
  record state {{ degrees: u32,{field} }}
  enum heat {{ low, high{case} }}
  boil: func(heat: heat) -> result<state, string>;
  {function}
}}
{interface}
world kitchen {{ import kettle; {item} {export} }}
"""
HOST = """from wasmtime.component import Linker

from kitchen import kitchen_types
from kitchen.kitchen_host import link_imports


class Kettle:
    def boil(self, heat: kitchen_types.Heat) -> kitchen_types.State:
        return kitchen_types.State(degrees=100 if heat is kitchen_types.Heat.HIGH else 40)


def link(linker: Linker) -> None:
    link_imports(linker, kettle=Kettle())
"""
PARTS = dict.fromkeys(("field", "case", "function", "interface", "item", "export"), "")
CHANGES = {
    "nothing": ({}, None),
    "a field": (
        {"field": " litres: option<u32>,"},
        (9, 'Missing positional argument "litres" in call to "State"'),
    ),
    "a function": (
        {"function": "descale: func();"},
        (13, 'Argument "kettle" to "link_imports" has incompatible type "host.Kettle"'),
    ),
    "a parameter": (
        {"function": "", "boil": "boil: func(heat: heat, lid: bool) -> result<state, string>;"},
        (13, 'Argument "kettle" to "link_imports" has incompatible type "host.Kettle"'),
    ),
    "an interface": (
        {"interface": "interface toaster { toast: func(); }", "item": "import toaster;"},
        (13, 'Missing named argument "toaster" for "link_imports"'),
    ),
}


def write(folder: Path, patch: int = 0, **parts: str) -> Path:
    """Writes the WIT and generates the host's side of it."""
    boil = parts.pop("boil", None)
    text = WIT.format(patch=patch, **{**PARTS, **parts})
    if boil is not None:
        text = text.replace("boil: func(heat: heat) -> result<state, string>;", boil)
    wit = folder / "kitchen.wit"
    wit.write_text(text)
    files.write(folder / "kitchen", generate(*hosts.read(wit), Options()))
    return wit


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
def test_type_checking_says_where_a_host_must_be_extended(tmp_path: Path, change: str) -> None:
    parts, expected = CHANGES[change]
    write(tmp_path, 0 if expected is None else 1, **parts)
    (tmp_path / "kitchen" / "__init__.py").touch()
    (tmp_path / "host.py").write_text(HOST)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--hide-error-context", "host.py", "kitchen"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    errors = [line for line in done.stdout.splitlines() if ": error: " in line]
    if expected is None:
        assert (errors, done.returncode) == ([], 0), done.stdout
    else:
        line, message = expected
        (error,) = errors
        assert error.startswith(f"host.py:{line}: error: {message}")


def test_an_old_guest_runs_on_an_extended_host(tmp_path: Path) -> None:
    old = write(tmp_path, export="export kettle;")
    guest = hosts.forwarder(*hosts.read(old))
    new = tmp_path / "new"
    new.mkdir()
    text = WIT.format(
        patch=1,
        **{
            **PARTS,
            "function": "descale: func();",
            "interface": "interface toaster { toast: func(); }",
            "item": "import toaster;",
        },
    )
    (new / "kitchen.wit").write_text(text)
    types, linking = hosts.imported(new / "kitchen.wit", new)
    _, old_linking = hosts.imported(old, tmp_path)

    class Kettle:
        def boil(self, heat: object) -> object:
            return types.State(100 if heat is types.Heat.HIGH else 40)

        def descale(self) -> None:
            raise AssertionError

    class Toaster:
        def toast(self) -> None:
            raise AssertionError

    engine = Engine()
    linker, store = Linker(engine), Store(engine)
    component = Component(engine, guest)
    check_imports(engine, component, linking.IMPORTS)
    linking.link_imports(linker, kettle=Kettle(), toaster=Toaster())
    exports = old_linking.Kettle(store, linker.instantiate(store, component))
    assert exports.boil(next(iter(old_linking.kitchen_types.Heat))).degrees == 40
