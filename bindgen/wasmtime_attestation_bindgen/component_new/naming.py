"""Names of a world's items in core modules (component-model, BuildTargets.md).

Compilers and binding generators write the older names, which wit-component
calls legacy; the standard ones begin with `cm32p2`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from wasmtime_attestation_bindgen.model import Resolve, WorldKey
from wasmtime_attestation_bindgen.surface import ROOT, instance_name
from wasmtime_attestation_bindgen.versions import Version


class Operation(StrEnum):
    """What a module can do with a resource without calling a function of it."""

    NEW = "new"
    DROP = "drop"
    REP = "rep"


@dataclass(frozen=True, slots=True)
class Scheme:
    """How names are made; `{}` is an instance, a function or a resource, in this order.

    Attributes:
        memory: of the exported memory.
        realloc: of the function that allocates.
        initialize: of the function that runs before any other.
        root: the module that the world's own functions are imported from.
        imported: the module that an interface's functions are imported from.
        intrinsics: the module that operations on an exported interface's resources come from.
        intrinsic: of each operation.
        own_export: of a function that the world exports by itself.
        export: of a function of an exported interface.
        post_return: of what runs after a function, whose own name is `{}`.
        destructor: of a resource of an exported interface.
        short_versions: whether an interface's version is only what compatible ones share.
    """

    memory: str
    realloc: str
    initialize: str
    root: str
    imported: str
    intrinsics: str
    intrinsic: Mapping[Operation, str]
    own_export: str
    export: str
    post_return: str
    destructor: str
    short_versions: bool

    def import_module(self, resolve: Resolve, key: WorldKey | None) -> str:
        """Returns the module of an imported interface, or of the world itself for None."""
        return self.root if key is None else self.imported.format(self._instance(resolve, key))

    def intrinsics_module(self, resolve: Resolve, key: WorldKey) -> str:
        """Returns the module that operations on an exported interface's resources come from."""
        return self.intrinsics.format(self._instance(resolve, key))

    def export_name(self, resolve: Resolve, key: WorldKey | None, function: str) -> str:
        """Returns the name of a function of an exported interface, or of the world for None."""
        if key is None:
            return self.own_export.format(function)
        return self.export.format(self._instance(resolve, key), function)

    def destructor_name(self, resolve: Resolve, key: WorldKey, resource: str) -> str:
        """Returns the name of the destructor of an exported interface's resource."""
        return self.destructor.format(self._instance(resolve, key), resource)

    def _instance(self, resolve: Resolve, key: WorldKey) -> str:
        if isinstance(key, str) or not self.short_versions:
            return instance_name(resolve, key)
        interface = resolve.interfaces[key]
        package = resolve.packages[interface.package].name
        version = "" if package.version is None else f"@{_shared_part(package.version)}"
        return f"{package.namespace}:{package.name}/{interface.name}{version}"


LEGACY = Scheme(
    memory="memory",
    realloc="cabi_realloc",
    initialize="_initialize",
    root=ROOT,
    imported="{}",
    intrinsics="[export]{}",
    intrinsic={operation: f"[resource-{operation.value}]{{}}" for operation in Operation},
    own_export="{}",
    export="{}#{}",
    post_return="cabi_post_{}",
    destructor="{}#[dtor]{}",
    short_versions=False,
)
STANDARD = Scheme(
    memory="cm32p2_memory",
    realloc="cm32p2_realloc",
    initialize="cm32p2_initialize",
    root="cm32p2",
    imported="cm32p2|{}",
    intrinsics="cm32p2|_ex_{}",
    intrinsic={operation: f"{{}}_{operation.value}" for operation in Operation},
    own_export="cm32p2||{}",
    export="cm32p2|{}|{}",
    post_return="{}_post",
    destructor="cm32p2|{}|{}_dtor",
    short_versions=True,
)
SCHEMES = (LEGACY, STANDARD)


def _shared_part(version: Version) -> str:
    """Returns the part of a version that all compatible ones share (semver.org 2.0.0)."""
    if version.prerelease:
        return f"{version.major}.{version.minor}.{version.patch}-{version.prerelease}"
    if version.major:
        return str(version.major)
    if version.minor:
        return f"0.{version.minor}"
    return f"0.0.{version.patch}"
