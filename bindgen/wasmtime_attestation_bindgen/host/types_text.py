"""The text of the module of types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wasmtime_attestation_bindgen.host.types import Item

WRAPPERS = {
    "Some": ("T", "An option that holds an option: a value, which may be None itself."),
    "Ok": ("T", "The `ok` of a `result` within a value."),
    "Err": ("E", "The `err` of a `result` within a value."),
}
"""Classes that keep apart what Python has one value for: a type variable, and what it is for."""
_DATACLASS = "@dataclass(frozen=True, slots=True)"


def module_docs(world: str) -> str:
    """Returns what stands before the imports."""
    return f'''\
# ruff: noqa: D205, D400, D404 - the documentation is that of the WIT
"""The types and the interfaces of the world `{world}`, in plain Python.

Each class stands for the item of the same name in the WIT. Interfaces are what
a host implements. A function whose result is a `result` returns what is in its
`ok`; how it raises what is in its `err` is up to whoever links it.
"""

from __future__ import annotations'''


def wrappers(names: Sequence[str]) -> Iterator[str]:
    """Yields the definitions of wrappers.

    Args:
        names: the keys of `WRAPPERS` that are needed.
    """
    variables = sorted({WRAPPERS[name][0] for name in names}, reverse=True)
    if variables:
        yield ""
    yield from (f'{variable} = TypeVar("{variable}")' for variable in variables)
    for name in names:
        variable, docs = WRAPPERS[name]
        yield f"\n\n{_DATACLASS}\nclass {name}(Generic[{variable}]):"
        yield f'    """{docs}"""\n\n    value: {variable}'


def definition(item: Item) -> Iterator[str]:
    """Yields a class or an alias, after two empty lines."""
    yield "\n"
    match item.form:
        case "enum":
            yield from (item.head, f"    {item.docs}", "")
            yield from _members(item, " =")
        case "dataclass":
            yield from (_DATACLASS, f"class {item.name}:", f"    {item.docs}")
            yield from [""] if item.members else []
            yield from _members(item, ":")
        case "alias":
            yield from (item.name, item.docs)
        case _:
            yield from (item.head, f"    {item.docs}")
            for method in item.members:
                yield from ("", f"    {method.name}", f"        {method.docs}")


def _members(item: Item, sign: str) -> Iterator[str]:
    for member in item.members:
        yield f"    {member.name}{sign} {member.value}"
        if member.docs:
            yield f"    {member.docs}"
