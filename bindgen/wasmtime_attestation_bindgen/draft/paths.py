"""Every path by which a file names interfaces and worlds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from wasmtime_attestation_bindgen import syntax
from wasmtime_attestation_bindgen.syntax import Attributes, Direction, Path, Renamed


class Mention(NamedTuple):
    """A path and what it is there for.

    Attributes:
        path: the path.
        attributes: those of the item that the path is part of.
        dependent: the interface or world that can only be resolved after what
            the path names, if any.
        names: the types that are used, or None where it is not about types.
        wants_world: whether the path is to name a world.
    """

    path: Path
    attributes: Attributes
    dependent: str | None = None
    names: tuple[Renamed, ...] | None = None
    wants_world: bool = False


def mentions(file: syntax.Package) -> Iterator[Mention]:
    """Yields the paths of a file, in the order in which wit-parser numbers what they name."""
    for item in file.items:
        if isinstance(item, syntax.Interface):
            yield from _uses(item.items, item.name.text)
        elif isinstance(item, syntax.World):
            yield from _world(item)
        elif isinstance(item, syntax.TopLevelUse):
            yield Mention(item.path, item.attributes)


def _uses(items: Iterable[syntax.InterfaceItem], dependent: str | None) -> Iterator[Mention]:
    for item in items:
        if isinstance(item, syntax.Use):
            yield Mention(item.path, item.attributes, dependent, item.names)


def _world(world: syntax.World) -> Iterator[Mention]:
    for item in world.items:
        if isinstance(item, syntax.Use):
            yield Mention(item.path, item.attributes, names=item.names)
        elif isinstance(item, syntax.Include):
            yield Mention(item.path, item.attributes, world.name.text, wants_world=True)
    for direction in Direction:
        for item in world.items:
            if isinstance(item, syntax.Extern) and item.direction is direction:
                yield from _extern(item)


def _extern(item: syntax.Extern) -> Iterator[Mention]:
    if isinstance(item.what, syntax.Named):
        yield Mention(item.what.path, item.attributes)
    elif isinstance(item.what, syntax.Inline):
        yield from _uses(item.what.items, None)
