"""Short ways from WIT text to a model or to the error in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.kinds import Kind
from wasmtime_attestation_bindgen.link import Features
from wasmtime_attestation_bindgen.load import load
from wasmtime_attestation_bindgen.model import Interface, Resolve, World
from wasmtime_attestation_bindgen.resolve import resolve
from wasmtime_attestation_bindgen.source import Source

HEADER = "package a:b@1.2.3;\n"


def resolved(text: str, *features: str) -> Resolve:
    """Resolves one file, to which the package's header is added."""
    return resolve([Source("a.wit", HEADER + text)], [], Features(features))


def resolved_path(path: Path, *features: str) -> Resolve:
    project = load(path)
    return resolve(project.main, project.dependencies, Features(features))


def interface(model: Resolve, name: str) -> Interface:
    return model.interfaces[model.packages[model.main].interfaces[name]]


def world(model: Resolve, name: str = "w") -> World:
    return model.worlds[model.packages[model.main].worlds[name]]


def kind_of(definition: str, name: str = "t") -> Kind:
    """Returns the kind of the type `name` that some items of an interface define."""
    model = resolved(f"interface i {{ {definition} }}")
    return model.types[interface(model, "i").types[name]].kind


def error_in(text: str, *features: str) -> WitError:
    """Returns the error in one file, to which the package's header is added."""
    with pytest.raises(WitError) as caught:
        resolved(text, *features)
    return caught.value


def place(error: WitError) -> str:
    """Returns `line:column` of an error; the first line is the header."""
    assert error.span is not None
    return str(error.span).removeprefix("a.wit:")


def refused_at_mark(text: str, *features: str) -> WitError:
    """Returns the error in one file, which must stand where the text has `^`; there is one."""
    before, after = text.split("^")
    error = error_in(before + after, *features)
    line, column = before.count("\n") + 2, len(before) - before.rfind("\n")
    assert place(error) == f"{line}:{column}", error.render()
    return error
