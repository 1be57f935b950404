"""Values into a guest's memory and core values, and back, as CanonicalABI.md has it.

A core value is its bits here, as an int that is not negative, so that those of
variants need no conversion where cases share them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any, Protocol, TypeAlias

from wasmtime_attestation_bindgen.kinds import Primitive

from tests.guests.canonical_types import (
    STRUCT,
    WIDTHS,
    Bits,
    Cases,
    Form,
    Listing,
    Members,
    alignment,
    discriminant,
    flat,
    offsets,
    payload_offset,
    size,
)

Value: TypeAlias = Any
_INTEGERS = {1: "<B", 2: "<H", 4: "<I"}


class Guest(Protocol):
    """What the canonical ABI needs of a guest."""

    def read(self, at: int, length: int) -> bytes:
        """Returns bytes of its memory, all of which are in it."""

    def write(self, at: int, data: bytes) -> None:
        """Writes to its memory."""

    def allocate(self, align: int, length: int) -> int:
        """Returns the address of new memory, by the guest's `cabi_realloc`."""


class Values:
    """Moves values in and out of a guest.

    Args:
        guest: the guest.
    """

    def __init__(self, guest: Guest) -> None:
        self._guest = guest

    def load(self, form: Form, at: int) -> Value:
        """Returns the value at an address (`load`)."""
        assert at % alignment(form) == 0, f"{form} at {at}"
        match form:
            case Primitive.STRING:
                return self._text(*self._unpack("<II", at))
            case Primitive():
                return _value(form, *self._unpack(STRUCT[form], at))
            case Listing(element):
                return self._elements(element, *self._unpack("<II", at))
            case Members(forms):
                places = zip(forms, offsets(form), strict=True)
                return tuple(self.load(each, at + offset) for each, offset in places)
            case Cases(cases):
                (index,) = self._unpack(_INTEGERS[discriminant(form)], at)
                label, payload = cases[index]
                if payload is None:
                    return label, None
                return label, self.load(payload, at + payload_offset(form))
            case Bits(labels):
                return _labels(labels, *self._unpack(_INTEGERS[size(form)], at))

    def store(self, form: Form, value: Value, at: int) -> None:
        """Writes a value to an address (`store`)."""
        assert at % alignment(form) == 0
        match form:
            case Primitive.STRING:
                self._pack("<II", at, *self._place_text(value))
            case Primitive():
                self._pack(STRUCT[form], at, ord(value) if form is Primitive.CHAR else value)
            case Listing(element):
                self._pack("<II", at, *self._place(element, value))
            case Members(forms):
                for each, member, offset in zip(forms, value, offsets(form), strict=True):
                    self.store(each, member, at + offset)
            case Cases():
                index, payload = _case(form, value[0])
                self._pack(_INTEGERS[discriminant(form)], at, index)
                if payload is not None:
                    self.store(payload, value[1], at + payload_offset(form))
            case Bits(labels):
                self._pack(_INTEGERS[size(form)], at, _mask(labels, value))

    def lift(self, form: Form, cores: Iterator[int]) -> Value:
        """Takes a value from core values (`lift_flat`)."""
        match form:
            case Primitive.STRING:
                return self._text(next(cores), next(cores))
            case Primitive():
                return _from_bits(form, next(cores))
            case Listing(element):
                return self._elements(element, next(cores), next(cores))
            case Members(forms):
                return tuple(self.lift(each, cores) for each in forms)
            case Cases():
                return self._lift_case(form, cores)
            case Bits(labels):
                return _labels(labels, next(cores))

    def lower(self, form: Form, value: Value) -> list[int]:
        """Returns the core values that carry a value (`lower_flat`)."""
        match form:
            case Primitive.STRING:
                return list(self._place_text(value))
            case Primitive():
                return [_to_bits(form, value)]
            case Listing(element):
                return list(self._place(element, value))
            case Members(forms):
                pairs = zip(forms, value, strict=True)
                return [core for each, member in pairs for core in self.lower(each, member)]
            case Cases():
                return self._lower_case(form, *value)
            case Bits(labels):
                return [_mask(labels, value)]

    def place(self, form: Form, value: Value) -> int:
        """Returns where a value was put in new memory."""
        at = self._guest.allocate(alignment(form), size(form))
        self.store(form, value, at)
        return at

    def _lift_case(self, form: Cases, cores: Iterator[int]) -> Value:
        index, *carried = [next(cores) for _ in flat(form)]
        label, payload = form.cases[index]
        if payload is None:
            return label, None
        # Whichever type carried it, a narrower value is in its low bits.
        wanted = zip(carried, flat(payload), strict=False)
        return label, self.lift(
            payload, iter([bits % (1 << WIDTHS[core]) for bits, core in wanted])
        )

    def _lower_case(self, form: Cases, label: str, value: Value) -> list[int]:
        index, payload = _case(form, label)
        cores = [index, *([] if payload is None else self.lower(payload, value))]
        return cores + [0] * (len(flat(form)) - len(cores))

    def _elements(self, element: Form, at: int, length: int) -> list[Value]:
        assert at % alignment(element) == 0
        return [self.load(element, at + index * size(element)) for index in range(length)]

    def _place(self, element: Form, values: Sequence[Value]) -> tuple[int, int]:
        at = self._guest.allocate(alignment(element), len(values) * size(element))
        for index, value in enumerate(values):
            self.store(element, value, at + index * size(element))
        return at, len(values)

    def _text(self, at: int, length: int) -> str:
        return self._guest.read(at, length).decode()

    def _place_text(self, text: str) -> tuple[int, int]:
        data = text.encode()
        at = self._guest.allocate(1, len(data))
        self._guest.write(at, data)
        return at, len(data)

    def _unpack(self, layout: str, at: int) -> tuple[Any, ...]:
        return struct.unpack(layout, self._guest.read(at, struct.calcsize(layout)))

    def _pack(self, layout: str, at: int, *values: Value) -> None:
        self._guest.write(at, struct.pack(layout, *values))


def _value(form: Primitive, number: Any) -> Value:  # noqa: ANN401 - an int or a float
    match form:
        case Primitive.BOOL:
            assert number in (0, 1), f"a bool is {number}"
            return bool(number)
        case Primitive.CHAR:
            return chr(number)
        case _:
            return number


def _from_bits(form: Primitive, bits: int) -> Value:
    assert form is not Primitive.BOOL or bits in (0, 1), f"a bool is {bits}"
    data = bits.to_bytes(8, "little")[: size(form)]
    return _value(form, *struct.unpack(STRUCT[form], data))


def _to_bits(form: Primitive, value: Value) -> int:
    (core,) = flat(form)
    if isinstance(value, float):
        return int.from_bytes(struct.pack(STRUCT[form], value), "little")
    number = ord(value) if form is Primitive.CHAR else int(value)
    return number % (1 << WIDTHS[core])


def _case(form: Cases, label: str) -> tuple[int, Form | None]:
    return next(
        (index, payload) for index, (name, payload) in enumerate(form.cases) if name == label
    )


def _labels(labels: Sequence[str], mask: int) -> frozenset[str]:
    assert mask >> len(labels) == 0, "there are bits without labels"
    return frozenset(label for bit, label in enumerate(labels) if mask >> bit & 1)


def _mask(labels: Sequence[str], chosen: frozenset[str]) -> int:
    return sum(1 << bit for bit, label in enumerate(labels) if label in chosen)
