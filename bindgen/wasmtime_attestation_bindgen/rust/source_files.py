"""The text of each file, but for the header that all have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

from wasmtime_attestation_bindgen.rust.component_type import byte_string
from wasmtime_attestation_bindgen.rust.exports import Shim
from wasmtime_attestation_bindgen.rust.modules import Module
from wasmtime_attestation_bindgen.rust.text import indented, paragraphs

_STATIC = Path(__file__).parents[1] / "templates" / "rust"
_ROOT_ATTRIBUTES = """\
// No guest uses all of it, and no crate has to know its features.
#![allow(dead_code, deprecated, unused_imports, unexpected_cfgs)]
#![allow(clippy::module_inception, clippy::result_unit_err)]
#![allow(clippy::too_many_arguments)]
"""
_REALLOC = """\
#[cfg(all(target_arch = "wasm32", not(feature = "no-realloc")))]
mod realloc;"""
_SHIMS = """\
/// What the host calls; the macro `export` gives these their names.
#[doc(hidden)]
pub mod shims {
    use super::*;
"""
_EXPORT = """\
/// Exports a type of the guest's that implements every trait `Guest` of these bindings.
///
/// `export!(MyGuest)` finds them at `crate::bindings`; where they are elsewhere,
/// `export!(MyGuest with_types_in path::to::bindings)` does.
#[doc(hidden)]
#[macro_export]"""
_ON_WASM = '#[cfg(target_arch = "wasm32")]'
_ON_WASM_AS_COMPONENT = """\
#[cfg(all(
    target_arch = "wasm32",
    not(all(feature = "legacy", any(target_env = "p1", not(target_os = "wasi"))))
))]"""


@cache
def runtime(name: str) -> str:
    """Returns a module that is the same for every world."""
    return (_STATIC / f"{name}.rs").read_text(encoding="utf-8")


def realloc(*, legacy: bool) -> str:
    """Returns the module with `cabi_realloc`."""
    lines = runtime("realloc").splitlines(keepends=True)
    return "".join(line for line in lines if legacy or "legacy" not in line)


def component_type(section: str, data: bytes, *, legacy: bool) -> str:
    """Returns the module that carries the world.

    Args:
        section: the name of the section that it goes to.
        data: the world in its binary form.
        legacy: whether the crate may be built for the legacy ABI, which has no such section.
    """
    return f"""\
//! The world in its binary form, which tells tools how to make a component of the module.

/// Has this file linked, and the section with it.
#[inline(never)]
pub fn link() {{}}

{_ON_WASM_AS_COMPONENT if legacy else _ON_WASM}
#[unsafe(link_section = "{section}")]
#[allow(dead_code)]
pub static COMPONENT_TYPE: [u8; {len(data)}] = *b"\\
{byte_string(data)}";
"""


def module(view: Module) -> str:
    """Returns the module of an interface."""
    head = [*_followed(view.docs), *_followed(view.uses)]
    return _joined([*head, *paragraphs(view.blocks + view.abi), *_shims(view)])


def root(
    docs: Sequence[str],
    runtime: Sequence[str],
    tree: Sequence[str],
    uses: Sequence[str],
    modules: Sequence[Module],
) -> str:
    """Returns `mod.rs`.

    Args:
        docs: the world's documentation.
        runtime: the modules that are the same for every world.
        tree: declarations of the others.
        uses: what the world's own items need.
        modules: those items: what it imports, and what it exports.
    """
    private = [f"mod {name};" for name in runtime if name in {"export", "json", "legacy"}]
    resource = ["pub mod resource;"] if "resource" in runtime else []
    declared = ["pub mod abi;", "mod component_type;", *private, _REALLOC, *resource]
    blocks = [line for view in modules for line in _led(paragraphs(view.blocks + view.abi))]
    shims = [line for view in modules for line in _shims(view)]
    head = [*_followed(docs), _ROOT_ATTRIBUTES, *declared, *_led(tree), *_led(uses)]
    return _joined([*head, *blocks, *shims])


def export_macro(name: str, shims: Iterable[tuple[str, Shim]]) -> str:
    """Returns the macro that exports a guest.

    Args:
        name: its name, which no other crate may have.
        shims: what the host calls, and where it is.
    """
    exports = [line for number, found in enumerate(shims, 1) for line in _export(number, *found)]
    return _joined(
        [
            _EXPORT,
            f"macro_rules! {name} {{",
            "    ($guest:ident) => {",
            "        $crate::bindings::export!($guest with_types_in $crate::bindings);",
            "    };",
            "    ($guest:ident with_types_in $($bindings:tt)*) => {",
            f"        {_ON_WASM}",
            "        const _: () = {",
            *exports,
            "        };",
            "    };",
            "}",
            "#[doc(inline)]",
            f"pub use {name} as export;",
        ]
    )


def _export(number: int, path: str, shim: Shim) -> Iterator[str]:
    params = ", ".join(f"{name}: {core}" for name, core in shim.params)
    arguments = ", ".join(name for name, _ in shim.params)
    generic = "::<$guest>" if shim.generic else ""
    margin = " " * 12
    yield f'{margin}#[unsafe(export_name = "{shim.export}")]'
    yield f'{margin}unsafe extern "C" fn export_{number}({params}){shim.result} {{'
    yield f"{margin}    unsafe {{ $($bindings)*::{path}{generic}({arguments}) }}"
    yield f"{margin}}}"


def _shims(view: Module) -> list[str]:
    blocks = indented(paragraphs(view.shim_blocks))
    return ["", _SHIMS, *blocks, "}"] if blocks else []


def _led(lines: Sequence[str]) -> list[str]:
    """Returns lines after an empty one, if there are any."""
    return ["", *lines] if lines else []


def _followed(lines: Sequence[str]) -> list[str]:
    """Returns lines before an empty one, if there are any."""
    return [*lines, ""] if lines else []


def _joined(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
