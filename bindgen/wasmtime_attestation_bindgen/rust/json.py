"""How types read in the JSON of the legacy ABI."""

from __future__ import annotations

from collections.abc import Iterable

from wasmtime_attestation_bindgen import kinds
from wasmtime_attestation_bindgen.kinds import Primitive, Type, TypeId
from wasmtime_attestation_bindgen.layout import Layout
from wasmtime_attestation_bindgen.legacy import (
    DISPLAY_NAMES,
    LegacyFunction,
    ResultForm,
    is_tee_type,
)
from wasmtime_attestation_bindgen.model import Resolve
from wasmtime_attestation_bindgen.names import snake
from wasmtime_attestation_bindgen.rust import text
from wasmtime_attestation_bindgen.rust.identifiers import constant_name, type_name, value_name
from wasmtime_attestation_bindgen.rust.items import Item


class JsonForms:
    """Writes the JSON form of types.

    Args:
        resolve: the model.
        layout: of its types.
        functions: whose answers may come in an envelope.
    """

    def __init__(
        self, resolve: Resolve, layout: Layout, functions: Iterable[LegacyFunction]
    ) -> None:
        self._resolve = resolve
        self._layout = layout
        answers = (f.function.result for f in functions if f.result is ResultForm.ENVELOPE)
        self._envelopes = frozenset(map(self._content, answers))

    def lines(self, name: str, id_: TypeId, item: Item) -> list[str]:
        """Returns the JSON form of a type; nothing where it follows from others."""
        kind, rust = self._resolve.types[id_].kind, type_name(name)
        if not item.abi:
            return []
        match kind:
            case kinds.Record(fields):
                members = [f'"{snake(f.name)}" {value_name(f.name)}' for f in fields]
                lines = text.macro(f"json::record! {{ {rust} {{", members)
                return [*lines, *self._envelope(id_)]
            case kinds.Variant(cases):
                items = [
                    f'"{c.name}" {type_name(c.name)}{"" if c.type is None else "(value)"}'
                    for c in cases
                ]
                return text.macro(f"json::variant! {{ {rust} {{", items)
            case kinds.Enum(labels):
                shown = DISPLAY_NAMES if is_tee_type(self._resolve, id_) else {}
                items = [f'"{shown.get(c.name, c.name)}" {type_name(c.name)}' for c in labels]
                return text.macro(f"json::enumeration! {{ {rust} {{", items)
            case kinds.Flags(flags):
                items = [f'"{f.name}" {constant_name(f.name)}' for f in flags]
                return text.macro(f"json::flags! {{ {rust} {{", items)
            case _:
                return []

    def _envelope(self, id_: TypeId) -> list[str]:
        if id_ not in self._envelopes:
            return []
        return ["", "legacy::envelope! { AttestationResult, Error, Finding, TeeType }"]

    def _content(self, result: Type | None) -> Type | None:
        kind = None if result is None else self._layout.kind(result)
        type_ = kind.ok if isinstance(kind, kinds.Result) else None
        while type_ is not None and not isinstance(type_, Primitive):
            target = self._resolve.types[type_].kind
            if not isinstance(target, kinds.Alias):
                break
            type_ = target.type
        return type_
