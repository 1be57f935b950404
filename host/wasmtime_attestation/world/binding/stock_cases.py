"""How wasmtime-py tells the cases of a variant apart, and where it cannot.

It leaves out which case a value has wherever the classes of the payloads tell,
and then takes the first case whose class fits.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TypeAlias

from wasmtime.component import Record, ResourceAny, ResourceHost, Variant

from wasmtime_attestation.world.binding import shapes
from wasmtime_attestation.world.binding.shapes import Shape

Cases: TypeAlias = Mapping[str, Shape | None]


def problem(shape: Shape) -> str | None:
    """Returns why wasmtime-py cannot carry values of a shape, or None."""
    if isinstance(shape, shapes.Map):
        return "it has no values for map"
    found = cases(shape)
    if found is not None and not tagged(found) and _confuses(found):
        return f"it confuses the cases {', '.join(found)}"
    return next(filter(None, map(problem, shapes.parts(shape))), None)


def cases(shape: Shape) -> Cases | None:
    """Returns the payloads of what wasmtime-py takes for a variant; None for everything else."""
    match shape:
        case shapes.Variant(variant):
            return {label: case.payload for label, case in variant.items()}
        case shapes.Option(payload, _):
            return {"none": None, "some": payload}
        case shapes.Result(ok, err, _, _):
            return {"ok": ok, "err": err}
        case _:
            return None


@functools.cache
def _classes(shape: Shape) -> frozenset[type]:
    """Returns the classes that wasmtime-py takes for values of a shape."""
    found = cases(shape)
    if found is not None:
        if tagged(found):
            return frozenset({Variant})
        return frozenset().union(*map(payload_classes, found.values()))
    if isinstance(shape, shapes.Own | shapes.Borrow):
        return frozenset({ResourceAny, ResourceHost})
    return frozenset({_CLASSES[type(shape)]})


_CLASSES: dict[type, type] = {
    shapes.Integer: int,
    shapes.Float: float,
    shapes.Bool: bool,
    shapes.Char: str,
    shapes.String: str,
    shapes.Enum: str,
    shapes.Octets: bytes,
    shapes.List: list,
    shapes.Map: dict,
    shapes.Tuple: tuple,
    shapes.Record: Record,
    shapes.Flags: set,
}


def payload_classes(payload: Shape | None) -> frozenset[type]:
    """Returns the classes that wasmtime-py takes for a payload; any where there is none."""
    return frozenset({object}) if payload is None else _classes(payload)


def tagged(cases: Cases) -> bool:
    """Whether wasmtime-py names the case of each value."""
    seen: set[type] = set()
    for payload in cases.values():
        classes = payload_classes(payload)
        if classes & seen:
            return True
        seen |= classes
    return False


def _confuses(cases: Cases) -> bool:
    earlier: list[type] = []
    for payload in cases.values():
        classes = payload_classes(payload)
        if payload is not None:
            if any(issubclass(class_, other) for class_ in classes for other in earlier):
                return True
            earlier += classes
    return False
