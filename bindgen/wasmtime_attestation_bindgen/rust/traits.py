"""What the types of a world are capable of, which decides what is derived and how they pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from wasmtime_attestation_bindgen import kinds
from wasmtime_attestation_bindgen.kinds import Kind, Primitive, Type
from wasmtime_attestation_bindgen.layout import Layout

_FLOATS = (Primitive.F32, Primitive.F64)


class Traits:
    """Answers questions about types.

    Args:
        layout: knows the kinds of the model's types.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._answers: dict[tuple[str, Type], bool] = {}

    def owns(self, type_: Type) -> bool:
        """Whether a value holds resources that it owns."""
        return self._any("owns", type_, lambda kind: isinstance(kind, kinds.Own | kinds.Resource))

    def lends(self, type_: Type) -> bool:
        """Whether a value holds resources that somebody lent."""
        return self._any("lends", type_, lambda kind: isinstance(kind, kinds.Borrow))

    def has_resource(self, type_: Type) -> bool:
        """Whether a value holds resources."""
        return self.owns(type_) or self.lends(type_)

    def has_float(self, type_: Type) -> bool:
        """Whether a value holds floating-point numbers, which have no total equality."""
        return self._any("floats", type_, lambda kind: kind in _FLOATS)

    def is_copy(self, type_: Type) -> bool:
        """Whether a value is copied by copying its bytes."""
        return not self._any("moves", type_, _moves)

    def _any(self, question: str, type_: Type, test: Callable[[Primitive | Kind], bool]) -> bool:
        known = self._answers.get((question, type_))
        if known is None:
            kind = self._layout.kind(type_)
            inner = any(self._any(question, t, test) for t in _content(kind))
            known = self._answers[question, type_] = inner or test(kind)
        return known


def _content(kind: Primitive | Kind) -> Iterator[Type]:
    # A handle holds its resource by name alone.
    if not isinstance(kind, Primitive | kinds.Own | kinds.Borrow):
        yield from kinds.references(kind)


def _moves(kind: Primitive | Kind) -> bool:
    match kind:
        case Primitive.STRING | kinds.List() | kinds.Map():
            return True
        case kinds.Own() | kinds.Borrow() | kinds.Resource():
            return True
        case _:
            return False
