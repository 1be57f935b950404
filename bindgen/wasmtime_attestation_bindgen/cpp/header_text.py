"""What a guest calls and what it implements, as the lines of a header."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from wasmtime_attestation_bindgen.cpp.functions import Raw
from wasmtime_attestation_bindgen.cpp.header import Header, NamespaceView
from wasmtime_attestation_bindgen.cpp.preamble import IF_LEGACY, namespace
from wasmtime_attestation_bindgen.cpp.type_text import definition, description, resource

Answer: TypeAlias = tuple[str, str]
"""A result and an error."""

_EXPORTS = """\
// What the guest implements: define the functions that these namespaces declare, and derive from
// their classes.
"""


def imports(header: Header, answers: Sequence[Answer], *, legacy: bool) -> Iterator[str]:
    """Yields what a guest calls.

    Args:
        header: the views.
        answers: the types whose answers the legacy ABI overrides.
        legacy: whether there is a legacy ABI.
    """
    for view in header.imports:
        yield from _types(view)
    yield from _descriptions(header.imports)
    if answers:
        yield f"{IF_LEGACY}\nnamespace wit::legacy {{\n"
        yield from map(_enveloped, answers)
        yield "\n}  // namespace wit::legacy\n#endif\n"
    for view in header.imports:
        if view.raw:
            docs = "" if _has_types(view) else view.docs
            yield from namespace(view.path, _calls(view, legacy=legacy), docs)


def exports(header: Header) -> Iterator[str]:
    """Yields what a guest implements, if it does."""
    if not header.exports:
        return
    yield _EXPORTS
    for view in header.exports:
        yield from _types(view)
    yield from _descriptions(header.exports)
    for view in header.exports:
        if view.exports or view.resources:
            yield from _implemented(view)


def _has_types(view: NamespaceView) -> bool:
    return bool(view.types or view.early or view.resources)


def _types(view: NamespaceView) -> Iterator[str]:
    if _has_types(view):
        yield from namespace(view.path, _defined(view), view.docs)


def _defined(view: NamespaceView) -> Iterator[str]:
    if view.has_flags:
        yield from ("using wit::operator|;", "using wit::operator&;", "using wit::operator|=;", "")
    imported = [item for item in view.resources if item.make is None]
    if imported:
        yield from namespace("raw", [*(line for item in imported for line in _raw(item.drop)), ""])
    declared = [
        *(f"struct {item.name};" for item in view.forward),
        *(f"class {item.name};" for item in view.resources),
    ]
    yield from [*declared, ""] if declared else []
    for number, item in enumerate(view.early, 1):
        yield from definition(item)
        if item.form != "alias" or number == len(view.early):
            yield ""
    for class_ in view.resources:
        yield from resource(class_)
        yield ""
    for item in view.types:
        yield from definition(item)
        yield ""


def _descriptions(views: Sequence[NamespaceView]) -> Iterator[str]:
    if any(view.is_described for view in views):
        items = [item for view in views for item in (*view.early, *view.types)]
        yield from namespace("wit", [line for item in items for line in description(item)])


def _enveloped(answer: Answer) -> str:
    ok, error = answer
    return (
        f"template <>\ninline constexpr bool enveloped<{ok}> = true;\n"
        f"template <>\ninline constexpr bool has_internal<{error}> = true;"
    )


def _calls(view: NamespaceView, *, legacy: bool) -> Iterator[str]:
    raw = [line for item in view.raw for line in _raw(item)]
    if legacy:
        old = [line for item in view.legacy for line in _raw(item)]
        raw = [IF_LEGACY, *old, "#else", *raw, "#endif"]
    yield from namespace("raw", [*raw, ""])
    for item in view.resources:
        for function in item.functions:
            yield from (function.definition, "")
    for function in view.functions:
        yield from (f"{function.docs}{function.definition}", "")


def _implemented(view: NamespaceView) -> Iterator[str]:
    docs = "" if _has_types(view) else view.docs
    yield from namespace(view.path, _declared(view), docs)
    for item in view.resources:
        yield "template <>"
        yield f"struct wit::describe<{item.qualified}> {{"
        yield from item.intrinsics
        yield "};"
        yield ""
    raw = [*(item.destructor for item in view.resources), *view.exports]
    yield from namespace(view.path, (line for item in raw for line in (*_raw(item), "")))


def _declared(view: NamespaceView) -> Iterator[str]:
    for function in view.functions:
        yield from (f"{function.docs}{function.declaration}", "")
    if view.resources:
        core = [raw for item in view.resources for raw in (item.drop, item.make, item.rep)]
        yield from namespace("raw", [*(line for item in core for line in _raw(item)), ""])


def _raw(item: Raw | None) -> Iterator[str]:
    if item is not None:
        yield item.attribute
        yield item.text
