"""Types as a header defines them, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import indent

from wasmtime_attestation_bindgen.cpp.definitions import Definition, Member
from wasmtime_attestation_bindgen.cpp.functions import FunctionView
from wasmtime_attestation_bindgen.cpp.header import ResourceView


def definition(item: Definition) -> Iterator[str]:
    """Yields the definition of a type that is no resource."""
    match item.form:
        case "alias":
            yield f"{item.docs}using {item.name} = {item.target};"
        case "record":
            yield from _record(item)
        case "variant":
            yield from _variant(item)
        case _:
            yield f"{item.docs}enum class {item.name} : {item.target} {{"
            yield from (f"{member.docs}  {member.text}," for member in item.members)
            yield "};"


def _record(item: Definition) -> Iterator[str]:
    if not item.members and not item.comparable:
        yield f"{item.docs}struct {item.name} {{}};"
        return
    yield f"{item.docs}struct {item.name} {{"
    yield from (f"{member.docs}  {member.text};" for member in item.members)
    if item.comparable:
        if item.members:
            yield ""
        yield f"  {_equality(item.name)}"
    yield "};"


def _variant(item: Definition) -> Iterator[str]:
    yield f"{item.docs}struct {item.name} {{"
    for member in item.members:
        yield from _case(member, comparable=item.comparable)
    yield ""
    yield item.target
    if item.comparable:
        yield ""
        yield f"  {_equality(item.name)}"
    yield "};"


def _case(member: Member, *, comparable: bool) -> Iterator[str]:
    if not member.text and not comparable:
        yield f"{member.docs}  struct {member.name} {{}};"
        return
    yield f"{member.docs}  struct {member.name} {{"
    if member.text:
        yield f"    {member.text};"
    if comparable:
        yield f"    {_equality(member.name)}"
    yield "  };"


def _equality(name: str) -> str:
    return f"friend bool operator==(const {name}&, const {name}&) = default;"


def description(item: Definition) -> Iterator[str]:
    """Yields what tells the runtime how values of a type travel, where it must be told."""
    is_record = item.form == "record"
    if not item.describe and not is_record:
        return
    yield "template <>"
    yield f"struct describe<{item.qualified}> {{"
    if is_record:
        yield f"  using type = {item.qualified};"
    yield from item.describe
    yield "};"
    yield ""


def resource(item: ResourceView) -> Iterator[str]:
    """Yields the class of a handle, or the class that the guest implements."""
    if item.make is not None:
        yield f"{item.docs}class {item.name} {{"
        yield " public:"
        yield f"  virtual ~{item.name}() = default;"
    else:
        # A class that is called `resource` hides the name of the one that it is derived from.
        base = f"wit::resource<{item.raw}>" if item.name == "resource" else "resource"
        yield f"{item.docs}class {item.name} : public wit::resource<{item.raw}> {{"
        yield " public:"
        yield f"  using {base}::resource;"
    for function in item.functions:
        yield ""
        yield _member(function, implemented=item.make is not None)
    yield "};"


def _member(function: FunctionView, *, implemented: bool) -> str:
    declaration = function.declaration
    docs = indent(function.docs, "  ")
    return docs + (f"  {declaration.lstrip()}" if implemented else declaration)
