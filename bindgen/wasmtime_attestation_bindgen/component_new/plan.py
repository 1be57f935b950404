"""What a module's core imports and exports are to its world."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from wasmtime_attestation_bindgen.component_new.demands import Demands
from wasmtime_attestation_bindgen.component_new.embedded import Target
from wasmtime_attestation_bindgen.component_new.module import CoreFunction
from wasmtime_attestation_bindgen.component_new.naming import Operation
from wasmtime_attestation_bindgen.kinds import TypeId
from wasmtime_attestation_bindgen.model import Function, WorldKey


@dataclass(frozen=True, slots=True)
class Call:
    """A function that the world imports and the module calls.

    Attributes:
        key: the interface; None for the world's own functions.
        function: the function.
        type: its core type.
        demands: what calling it needs of the module.
    """

    key: WorldKey | None
    function: Function
    type: CoreFunction
    demands: Demands


@dataclass(frozen=True, slots=True)
class Intrinsic:
    """An operation on a resource that the module imports.

    Attributes:
        operation: what it does.
        key: the interface that the resource stands in; None for the world itself.
        resource: the resource.
        exported: whether the module implements the resource.
    """

    operation: Operation
    key: WorldKey | None
    resource: TypeId
    exported: bool


CoreImport: TypeAlias = Call | Intrinsic


@dataclass(frozen=True, slots=True)
class Implementation:
    """A function that the world exports and the module implements.

    Attributes:
        function: the function.
        export: the core function's name.
        post_return: the name of what runs after it, if there is such a function.
        demands: what being called needs of the module.
    """

    function: Function
    export: str
    post_return: str | None
    demands: Demands


@dataclass(slots=True)
class Plan:
    """What becomes of everything that a module imports and exports.

    Attributes:
        target: the world.
        imports: what each core import is, by module and name.
        exports: the implementations of each export of the world; None as key
            stands for the world's own functions.
        resources: the resources that exported interfaces define.
        destructors: the names of those resources' destructors, of those that have one.
        memory: the name of the memory, if there is one.
        realloc: the name of the function that allocates, if there is one.
        initialize: the name of the function that runs before any other, if there is one.
    """

    target: Target
    imports: dict[tuple[str, str], CoreImport] = field(default_factory=dict)
    exports: dict[WorldKey | None, list[Implementation]] = field(default_factory=dict)
    resources: list[tuple[WorldKey, TypeId]] = field(default_factory=list)
    destructors: dict[tuple[WorldKey, TypeId], str] = field(default_factory=dict)
    memory: str | None = None
    realloc: str | None = None
    initialize: str | None = None
