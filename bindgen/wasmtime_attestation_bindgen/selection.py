"""Which world is meant."""

from __future__ import annotations

from collections.abc import Sequence

from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.model import Package, Resolve, WorldId


def select_world(resolve: Resolve, text: str | None) -> WorldId:
    """Returns the world that a text names.

    Args:
        resolve: the model.
        text: the name of a world of the main package; or with its package, as
            `namespace:package/world` or `namespace:package/world@1.2.3`, where
            the version may be left out if it is the only one; or None for the
            main package's only world.

    Raises:
        WitError: there is no such world, or more than one.
    """
    if text is None:
        return _only(resolve)
    package_name, slash, rest = text.rpartition("/")
    if not slash:
        return _world(resolve.packages[resolve.main], text)
    world, _, version = rest.partition("@")
    return _world(_package(resolve.packages, package_name, version), world)


def _only(resolve: Resolve) -> WorldId:
    package = resolve.packages[resolve.main]
    if not package.worlds:
        raise WitError(f"package `{package.name}` has no world")
    if len(package.worlds) > 1:
        raise WitError(
            f"package `{package.name}` has several worlds", help=f"name one: {_names(package)}"
        )
    return next(iter(package.worlds.values()))


def _world(package: Package, name: str) -> WorldId:
    if name not in package.worlds:
        there = f"it has {_names(package)}" if package.worlds else "it has none"
        raise WitError(f"package `{package.name}` has no world `{name}`", help=there)
    return package.worlds[name]


def _package(packages: Sequence[Package], name: str, version: str) -> Package:
    same = [p for p in packages if f"{p.name.namespace}:{p.name.name}" == name]
    exact = [p for p in same if str(p.name.version or "") == version]
    found = exact or ([] if version else same)
    if not found:
        wanted = f"{name}@{version}" if version else name
        known = ", ".join(f"`{p.name}`" for p in packages)
        raise WitError(f"there is no package `{wanted}`", help=f"there are {known}")
    if len(found) > 1:
        known = ", ".join(f"`{p.name.version}`" for p in found)
        raise WitError(f"there are several versions of package `{name}`", help=f"name one: {known}")
    return found[0]


def _names(package: Package) -> str:
    return ", ".join(f"`{name}`" for name in package.worlds)
