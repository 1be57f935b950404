"""The world that a core module was built for, which it carries in `component-type` sections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wasmtime_attestation_bindgen.binary.reader import Reader
from wasmtime_attestation_bindgen.component_new.sizes import check_sizes
from wasmtime_attestation_bindgen.errors import ModuleError, WitError
from wasmtime_attestation_bindgen.link import Features
from wasmtime_attestation_bindgen.model import Resolve, WorldId
from wasmtime_attestation_bindgen.resolve import resolve
from wasmtime_attestation_bindgen.source import Encoded, Source
from wasmtime_attestation_bindgen.surface import surface

LARGEST_PAYLOAD = 4 * 2**20
"""Bytes of one section; worlds take a few thousand."""
MOST_PAYLOADS = 64
"""Sections that differ; each comes from another binding generator's run."""

_MAGIC = b"\0asm"
_HEADER_SIZE = 8
_ENCODING_SECTION = "wit-component-encoding"
_VERSION = 4
_ENCODINGS = 3


@dataclass(frozen=True, slots=True)
class Target:
    """What a module was built for.

    Attributes:
        resolve: the model.
        world: the world in it.
        string_encoding: 0 for UTF-8, 1 for UTF-16, 2 for Latin-1 or UTF-16.
    """

    resolve: Resolve
    world: WorldId
    string_encoding: int


def read_target(payloads: Sequence[tuple[str, bytes]]) -> Target:
    """Returns the world that a module was built for, or all of them as one.

    Args:
        payloads: the contents of the sections, with the sections' names;
            those with the same contents count once.

    Raises:
        ModuleError: there is none, one is malformed, or they contradict each other.
    """
    different = {data: name for name, data in payloads}
    if not different:
        raise ModuleError(
            "the module has no `component-type` section, so nothing says which world it targets",
            help="build it with generated bindings; if it has them, a function of them must be "
            "called, or the linker drops the section",
        )
    if len(different) > MOST_PAYLOADS:
        raise ModuleError(f"the module has more than {MOST_PAYLOADS} `component-type` sections")
    encodings = {_string_encoding(name, data) for data, name in different.items()}
    if len(encodings) > 1:
        raise ModuleError("the module's `component-type` sections disagree on how strings look")
    model = _model([(name, data) for data, name in different.items()])
    (world,) = model.packages[model.main].worlds.values()
    return Target(model, world, encodings.pop())


def _string_encoding(name: str, data: bytes) -> int:
    if len(data) > LARGEST_PAYLOAD:
        raise ModuleError(f"the section {name!r} has more than {LARGEST_PAYLOAD} bytes")
    reader = Reader(name, data)
    try:
        found = _find_encoding(reader, name, data)
    except WitError as error:
        raise ModuleError(f"a `component-type` section is malformed: {error}") from error
    if len(found) != 2 or found[0] != _VERSION or found[1] >= _ENCODINGS:
        raise ModuleError(
            f"the section {name!r} has no known version",
            help=f"build with bindings that write version {_VERSION} of it",
        )
    return found[1]


def _find_encoding(reader: Reader, name: str, data: bytes) -> bytes:
    found = b""
    reader.take(_HEADER_SIZE)
    while not reader.done:
        if data.startswith(_MAGIC, reader.position):
            raise ModuleError(
                f"the section {name!r} holds several payloads, one after the other",
                help="the linker joins sections of one name: give each its own, as in "
                "`component-type:my-world`",
            )
        code, contents = reader.byte(), Reader(name, reader.take(reader.u32()))
        if code == 0 and contents.text() == _ENCODING_SECTION:
            found = contents.rest()
    return found


def _model(payloads: Sequence[tuple[str, bytes]]) -> Resolve:
    encoded = [Encoded(name, data) for name, data in payloads]
    try:
        model = _read(encoded)
        check_sizes(model)
        for world in model.packages[model.main].worlds.values():
            surface(model, world)
    except WitError as error:
        raise ModuleError(
            f"the module's `component-type` sections make no world: {error.message}",
            help="streams, futures and async functions take `wasm-tools component new`",
        ) from error
    return model


def _read(payloads: Sequence[Encoded]) -> Resolve:
    if len(payloads) == 1:
        return _with_one_world(resolve(payloads[0], [], Features()))
    worlds = [_with_one_world(resolve(payload, [], Features())) for payload in payloads]
    includes = "".join(f"include {_path(model)};" for model in worlds)
    # A name that no registry holds, so that it is none of the packages in it.
    together = Source("the module's worlds", f"package root:root; world root {{ {includes} }}")
    return resolve([together], payloads, Features())


def _with_one_world(model: Resolve) -> Resolve:
    if len(model.packages[model.main].worlds) != 1:
        raise ModuleError("a `component-type` section holds something else than one world")
    return model


def _path(model: Resolve) -> str:
    package = model.packages[model.main]
    (world,) = package.worlds
    version = "" if package.name.version is None else f"@{package.name.version}"
    return f"{package.name.namespace}:{package.name.name}/%{world}{version}"
