"""The text of the module that links."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wasmtime_attestation_bindgen.host.codecs import Linked
from wasmtime_attestation_bindgen.host.exports import Export


def module_docs(world: str) -> str:
    """Returns what stands before the imports."""
    return f'''\
"""Links the world `{world}` to Python: shapes of its types, host functions, typed exports."""

from __future__ import annotations'''


def link_imports(interfaces: Sequence[Linked], parameters: Sequence[tuple[str, str]]) -> str:
    """Returns `IMPORTS` and `link_imports`.

    Args:
        interfaces: what is linked.
        parameters: what implements it: names and annotations.
    """
    entries = "".join(f"    {interface.entry},\n" for interface in interfaces)
    arguments = "".join(f"    {name}: {annotation},\n" for name, annotation in parameters)
    documented = "".join(f"        {name}: what implements it.\n" for name, _ in parameters)
    linked = "".join(f"{line}\n" for interface in interfaces for line in _linked(interface))
    return f'''\

IMPORTS: Interfaces = {{
{entries}}}
"""What a guest may import, for `check_imports`."""


def link_imports(
    linker: Linker,
    *,
{arguments}\
    otherwise: Otherwise | None = None,
    fast: bool | None = None,
) -> Handles:
    """Defines everything that a guest of this world may import.

    Check what a component imports first: `check_imports(engine, component,
    IMPORTS)`. Enter the guest through `call_guest`.

    Args:
        linker: where to define it.
{documented}\
        otherwise: what a guest gets where an implementation failed, or
            answered what does not fit; without it the guest traps.
        fast: whether values pass through wasmtime's memory (true) or as
            wasmtime-py passes them (false); by default whichever works.

    Returns:
        The resources of this linking, for exports that take some.

    Raises:
        WasmtimeError: the linker has some of it already.
    """
    return link(
        linker,
        {{
{linked}\
        }},
        otherwise=otherwise,
        fast=fast,
    )'''


def _linked(interface: Linked) -> Iterator[str]:
    margin = " " * 12
    if not interface.functions and not interface.resources:
        yield f'{margin}"{interface.name}": Interface({{}}),'
        return
    yield f'{margin}"{interface.name}": Interface('
    comma = "," if interface.resources else ""
    if interface.functions:
        yield from _dictionary(interface.functions, comma)
    else:
        yield f"{margin}    {{}}{comma}"
    if interface.resources:
        yield from _dictionary(interface.resources, ",")
    yield f"{margin}),"


def _dictionary(items: Sequence[str], comma: str) -> Iterator[str]:
    margin = " " * 16
    yield f"{margin}{{"
    yield from (f"{margin}    {item}," for item in items)
    yield f"{margin}}}{comma}"


def export(view: Export) -> Iterator[str]:
    """Yields a class through which a host calls a guest, after two empty lines."""
    yield f"\n\nclass {view.name}({view.base}):"
    yield f"    {view.docs}"
    yield from [""] if view.attributes else []
    yield from (f"    {line}" for line in view.attributes)
    for method in view.methods:
        yield from (
            "",
            f"    {method.signature}",
            f"        {method.docs}",
            f"        {method.body}",
        )
