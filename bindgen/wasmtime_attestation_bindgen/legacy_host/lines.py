"""Conversions as lines of Python, as `ruff format` leaves them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from wasmtime_attestation_bindgen.host.text import WIDTH, call
from wasmtime_attestation_bindgen.legacy import ENVELOPE
from wasmtime_attestation_bindgen.legacy_host.conversions import Conversion, Part

_Lines = list[str]


def writer(conversion: Conversion) -> _Lines:
    """Returns the definition of what makes JSON of a value."""
    return _WRITERS[conversion.form](conversion)


def reader(conversion: Conversion) -> _Lines:
    """Returns the definition of what makes a value of JSON."""
    return _READERS[conversion.form](conversion)


def _assigned(conversion: Conversion) -> _Lines:
    return f"{conversion.name} = {conversion.call}".splitlines()


def _write(conversion: Conversion, body: Iterable[str]) -> _Lines:
    head = call(0, f"def {conversion.name}(", [f"value: {conversion.annotation}"], ") -> str:")
    return [*head.splitlines(), *(f"    {line}" for line in body)]


def _write_record(conversion: Conversion) -> _Lines:
    members = [f'"{part.key}":{{{part.convert}(value.{part.python})}}' for part in conversion.parts]
    return _write(conversion, _object(members))


def _write_envelope(conversion: Conversion) -> _Lines:
    """The five that are always there, in their order, then what else the type has."""
    parts = {part.key: f"{{{part.convert}(value.{part.python})}}" for part in conversion.parts}
    token = next(part for part in conversion.parts if part.key == "token")
    parts["token"] = f"{{write.token(value.{token.python})}}"
    known = {"success": "true", "error": "null"} | parts
    return _write(
        conversion, _object([f'"{key}":{known[key]}' for key in ENVELOPE if key in known])
    )


def _object(members: list[str]) -> _Lines:
    """Returns the lines that return an object, given what its members are in an f-string."""
    line = f"return f'{{{{{','.join(members)}}}}}'"
    if len(line) + 4 <= WIDTH:
        return [line]
    pieces = [f"{'{{' if index == 0 else ','}{member}" for index, member in enumerate(members)]
    pieces[-1] += "}}"
    return ["return (", *(f"    {_string(piece)}" for piece in pieces), ")"]


def _string(piece: str) -> str:
    """Returns a piece of an f-string, which is a plain string if nothing is put into it."""
    if "{" in piece.replace("{{", ""):
        return f"f'{piece}'"
    plain = piece.replace("{{", "{").replace("}}", "}")
    return f"'{plain}'"


def _write_cases(conversion: Conversion) -> _Lines:
    is_result = conversion.form == "result"
    body = ["match value:"]
    for part in conversion.parts:
        start = f'"{part.key}":' if is_result else f'"case":"{part.key}"'
        payload = start if is_result else f'{start},"value":'
        if part.convert is None:
            body.append(f"    case {part.python}():")
            body.append(f"        return '{{{start}{'null' if is_result else ''}}}'")
        else:
            body.append(f"    case {part.python}(payload):")
            body.append(f"        return f'{{{{{payload}{{{part.convert}(payload)}}}}}}'")
    body += ["    case _:", "        raise write.misfit(value)"]
    return _write(conversion, body)


def _write_tuple(conversion: Conversion) -> _Lines:
    names = [f"v{part.key}" for part in conversion.parts]
    if not names:
        return _write(conversion, ['return "[]"'])
    items = [f"{{{p.convert}({name})}}" for p, name in zip(conversion.parts, names, strict=True)]
    unpacked = ", ".join(names) if len(names) > 1 else f"({names[0]},)"
    line = f'return f"[{",".join(items)}]"'
    if len(line) + 4 <= WIDTH:
        return _write(conversion, [f"{unpacked} = value", line])
    pieces = [f"{'[' if index == 0 else ','}{item}" for index, item in enumerate(items)]
    pieces[-1] += "]"
    lines = ["return (", *(f'    f"{piece}"' for piece in pieces), ")"]
    return _write(conversion, [f"{unpacked} = value", *lines])


def _write_labels(conversion: Conversion) -> _Lines:
    kind = "flags" if conversion.form == "flags" else "labels"
    items = [f"        {part.python}: '\"{part.key}\"'," for part in conversion.parts]
    return [f"{conversion.name} = write.{kind}(", "    {", *items, "    }", ")"]


def _read(conversion: Conversion, body: Iterable[str]) -> _Lines:
    head = f"def {conversion.name}("
    lines = call(0, head, ["value: read.Json"], f") -> {conversion.annotation}:").splitlines()
    return [*lines, *(f"    {line}" for text in body for line in text.splitlines())]


def _read_record(conversion: Conversion) -> _Lines:
    keys = [f'"{part.key}"' for part in conversion.parts]
    items = [f"{part.python}={_member(part, part.key)}" for part in conversion.parts]
    members = _call(4, "members = read.members(", ["value", *keys], ")")
    return _read(
        conversion,
        [members, _call(4, f"return {conversion.annotation}(", items, ")")],
    )


def _member(part: Part, key: str) -> str:
    reader = "maybe" if part.optional else "member"
    return f'read.{reader}(members, "{key}", {part.convert})'


def _read_variant(conversion: Conversion) -> _Lines:
    labels = [f'"{part.key}"' for part in conversion.parts]
    body = [
        _call(4, "case, members = read.case(", ["value", *labels], ")"),
        "match case:",
    ]
    for part, label in zip(conversion.parts, labels, strict=True):
        pattern = "_" if part is conversion.parts[-1] else label
        body.append(f"    case {pattern}:")
        body += [f"        {line}" for line in _outcome(part, "value", 12)]
    return _read(conversion, body)


def _read_result(conversion: Conversion) -> _Lines:
    ok, err = conversion.parts
    body = ["is_ok, members = read.outcome(value)", "if is_ok:"]
    body += [f"    {line}" for line in _outcome(ok, "ok", 8, "None")]
    body += _outcome(err, "err", 4, "None")
    return _read(conversion, body)


def _outcome(part: Part, key: str, indent: int, nothing: str = "") -> _Lines:
    if part.convert is None:
        return [f'read.empty(members, "{key}")', f"return {part.python}({nothing})"]
    return _call(indent, f"return {part.python}(", [_member(part, key)], ")").splitlines()


def _read_tuple(conversion: Conversion) -> _Lines:
    if not conversion.parts:
        return _read(conversion, ["read.elements(value, 0)", "return ()"])
    items = [f"{part.convert}(items[{part.key}])" for part in conversion.parts]
    line = f"return {', '.join(items)}" if len(items) > 1 else f"return ({items[0]},)"
    if len(line) + 4 > WIDTH:
        line = "\n".join(["return (", *(f"    {item}," for item in items), ")"])
    return _read(conversion, [f"items = read.elements(value, {len(items)})", line])


def _read_labels(conversion: Conversion) -> _Lines:
    items = [f'        "{part.key}": {part.python},' for part in conversion.parts]
    if conversion.form == "enum":
        return [f"{conversion.name} = read.labels(", "    {", *items, "    }", ")"]
    head = f"{conversion.name} = read.flags("
    return [head, f"    {conversion.annotation},", "    {", *items, "    },", ")"]


def _call(indent: int, head: str, items: Sequence[str], tail: str) -> str:
    """Returns what `call` does, without the indentation of the lines that follow the first."""
    return call(indent, head, items, tail).replace("\n" + " " * indent, "\n")


_Writer = Callable[[Conversion], _Lines]
_WRITERS: dict[str, _Writer] = {
    "record": _write_record,
    "envelope": _write_envelope,
    "variant": _write_cases,
    "result": _write_cases,
    "tuple": _write_tuple,
    "enum": _write_labels,
    "flags": _write_labels,
    "call": _assigned,
}
_READERS: dict[str, _Writer] = {
    "record": _read_record,
    "variant": _read_variant,
    "result": _read_result,
    "tuple": _read_tuple,
    "enum": _read_labels,
    "flags": _read_labels,
    "call": _assigned,
}
