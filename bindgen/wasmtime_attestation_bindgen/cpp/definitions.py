"""Views of type definitions, as they are printed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from wasmtime_attestation_bindgen import kinds
from wasmtime_attestation_bindgen.cpp.identifiers import RESERVED, Scope
from wasmtime_attestation_bindgen.cpp.lines import WIDTH, bracketed, comment
from wasmtime_attestation_bindgen.cpp.spelling import Spelling, qualified
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.kinds import TypeId
from wasmtime_attestation_bindgen.legacy import DISPLAY_NAMES, is_tee_type
from wasmtime_attestation_bindgen.names import snake

MAX_FLAGS = 64


class Member(NamedTuple):
    """A field, a case or a flag: its comment, its name and its declaration."""

    docs: str
    name: str
    text: str


class Definition(NamedTuple):
    """A type that a header defines.

    Attributes:
        form: what it is, which says how it is printed.
        docs: its comment.
        name: its name.
        target: what it is an alias of, or the integer that it is stored as.
        members: fields, cases or flags.
        comparable: whether values can be compared.
        describe: the lines that describe it to the runtime; none for aliases and resources.
        qualified: its full name.
    """

    form: str
    docs: str
    name: str
    target: str = ""
    members: Sequence[Member] = ()
    comparable: bool = True
    describe: Sequence[str] = ()
    qualified: str = ""


def define(id_: TypeId, spelling: Spelling) -> Definition:
    """Returns the view of a named type that is no resource.

    Args:
        id_: the type.
        spelling: spells types where the definition stands.

    Raises:
        WitError: it has more flags than an integer of C++ holds.
    """
    definition = spelling.resolve.types[id_]
    path, name = spelling.placement.type(id_, spelling.side)
    full = qualified(path, name)
    docs = comment(definition.docs)
    match definition.kind:
        case kinds.Record() as record:
            members = _fields(record, name, spelling)
            plain = not spelling.placement.has_resource(id_)
            lines = _record_lines(record, members)
            return Definition("record", docs, name, "", members, plain, lines, full)
        case kinds.Variant() as variant:
            members = _cases(variant, name, spelling)
            plain = not spelling.placement.has_resource(id_)
            lines = [_names("labels", [case.name for case in variant.cases])]
            target = _alternatives([member.name for member in members])
            return Definition("variant", docs, name, target, members, plain, lines, full)
        case kinds.Enum(labels):
            lines = [_names("labels", [label.name for label in labels])]
            if is_tee_type(spelling.resolve, id_):
                shown = [DISPLAY_NAMES.get(label.name, label.name) for label in labels]
                lines.append(_names("display_names", shown))
            members = _labels(labels, "")
            target = f"std::uint{_enum_bits(len(labels))}_t"
            return Definition(
                "enumeration",
                docs,
                name,
                target,
                members,
                comparable=True,
                describe=lines,
                qualified=full,
            )
        case kinds.Flags(labels):
            if len(labels) > MAX_FLAGS:
                raise WitError(
                    f"flags `{definition.name}` has {len(labels)} flags, and C++ holds "
                    f"{MAX_FLAGS} in an integer",
                    definition.span,
                    help="split it into several",
                )
            lines = [_names("flags", [label.name for label in labels])]
            members = _labels(labels, "1")
            target = f"std::uint{_flags_bits(len(labels))}_t"
            return Definition(
                "flags",
                docs,
                name,
                target,
                members,
                comparable=True,
                describe=lines,
                qualified=full,
            )
        case kind:
            return Definition("alias", docs, name, spelling.content(kind))


def alias(name: str, target: str) -> Definition:
    """Returns the view of another name for a type of another namespace."""
    return Definition("alias", "", name, target)


def _fields(record: kinds.Record, name: str, spelling: Spelling) -> list[Member]:
    scope = Scope(*RESERVED, name)
    names = [scope.claim(field_.name) for field_ in record.fields]
    inside = spelling.hiding(set(names))
    return [
        Member(
            comment(field_.docs, 2),
            own,
            f"{inside.value(field_.type)} {own}"
            + ("" if spelling.placement.has_resource(field_.type) else "{}"),
        )
        for own, field_ in zip(names, record.fields, strict=True)
    ]


def _cases(variant: kinds.Variant, name: str, spelling: Spelling) -> list[Member]:
    scope = Scope(*RESERVED, name, "value", "cases")
    names = [scope.claim(case.name) for case in variant.cases]
    inside = spelling.hiding({*names, "value", "cases"})
    members = []
    for own, case in zip(names, variant.cases, strict=True):
        plain = case.type is None or not spelling.placement.has_resource(case.type)
        text = "" if case.type is None else inside.value(case.type) + " value" + "{}" * plain
        members.append(Member(comment(case.docs, 2), own, text))
    return members


def _alternatives(names: Sequence[str]) -> str:
    line = f"  std::variant<{', '.join(names)}> value;"
    if len(line) <= WIDTH:
        return line
    return bracketed("using cases = std::variant<", names, ">;", 2) + "\n  cases value;"


def _labels(labels: Sequence[kinds.Label], one: str) -> list[Member]:
    scope = Scope(*RESERVED)
    members = []
    for number, label in enumerate(labels):
        name = scope.claim(label.name)
        shift = f" = {one} << {number}" if number < 31 else f" = 1ull << {number}"
        members.append(Member(comment(label.docs, 2), name, name + shift * bool(one)))
    return members


def _record_lines(record: kinds.Record, members: Sequence[Member]) -> list[str]:
    pointers = [f"&type::{member.name}" for member in members]
    lines = [bracketed("using members = fields<", pointers, ">;", 2)]
    if pointers:
        lines.append(_names("names", [snake(field_.name) for field_ in record.fields]))
    return lines


def _names(name: str, texts: Sequence[str]) -> str:
    quoted = [f'"{text}"' for text in texts]
    return bracketed(f"static constexpr auto {name} = name_list(", quoted, ");", 2)


def _enum_bits(count: int) -> int:
    return 8 if count <= 1 << 8 else 16 if count <= 1 << 16 else 32


def _flags_bits(count: int) -> int:
    return 8 if count <= 8 else 16 if count <= 16 else 32 if count <= 32 else 64
