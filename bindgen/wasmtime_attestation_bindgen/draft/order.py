"""Putting what depends on each other in order."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.syntax import Name

_RENAMED_TYPES = {"float32": "f32", "float64": "f64"}


def topological_order(what: str, dependencies: Mapping[str, Sequence[Name]]) -> list[str]:
    """Returns names so that each comes after those it depends on, else in the order given.

    Args:
        what: what the names are names of, for errors.
        dependencies: each name with those it depends on and where it does.

    Raises:
        WitError: a name depends on an unknown one or, through others, on itself.
    """
    position = {name: index for index, name in enumerate(dependencies)}
    waiting, dependents = _edges(what, dependencies, position)
    ready = [position[name] for name, count in waiting.items() if count == 0]
    heapq.heapify(ready)
    names = list(dependencies)
    order: list[str] = []
    while ready:
        name = names[heapq.heappop(ready)]
        order.append(name)
        for dependent in dependents[name]:
            waiting[dependent] -= 1
            if waiting[dependent] == 0:
                heapq.heappush(ready, position[dependent])
    if len(order) < len(dependencies):
        raise _cycle(what, dependencies, waiting)
    return order


def _edges(
    what: str, dependencies: Mapping[str, Sequence[Name]], known: Mapping[str, int]
) -> tuple[dict[str, int], dict[str, list[str]]]:
    dependents: dict[str, list[str]] = {name: [] for name in dependencies}
    for name, needed in dependencies.items():
        for dependency in needed:
            if dependency.text not in known:
                raise _not_found(what, dependency)
            dependents[dependency.text].append(name)
    return {name: len(needed) for name, needed in dependencies.items()}, dependents


def _not_found(what: str, name: Name) -> WitError:
    modern = _RENAMED_TYPES.get(name.text)
    hint = None if modern is None else f"it is now called `{modern}`"
    return WitError(f"there is no {what} `{name.text}`", name.span, help=hint)


def _cycle(
    what: str, dependencies: Mapping[str, Sequence[Name]], waiting: Mapping[str, int]
) -> WitError:
    for name, needed in dependencies.items():
        for dependency in needed:
            if waiting[name] and waiting[dependency.text]:
                return WitError(f"{what} `{dependency.text}` depends on itself", dependency.span)
    raise AssertionError("an incomplete order has a cycle")
