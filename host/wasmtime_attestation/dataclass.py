"""Data classes that take little time to define: for what each start of the tool imports.

`dataclasses` compiles six methods for every class, which takes half a millisecond. `run` imports
seventy of them. Here `__init__` is compiled when it is first called, and the others are the same
functions for every class. Type checkers see `dataclasses.dataclass`, and `fields`, `replace`,
`asdict` and `match` take these classes as they take those.
"""

from __future__ import annotations

import dataclasses
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from dataclasses import dataclass as dataclass
else:

    def dataclass(*, slots: bool, frozen: bool = False, **options: bool) -> Callable[[type], type]:
        """Returns a decorator for classes without bases; as `dataclasses.dataclass`.

        Args:
            slots: True.
            frozen: whether attributes cannot be assigned; instances are hashable then.
            options: `kw_only`, `weakref_slot`.
        """

        def decorate(cls: type) -> type:
            if not slots or cls.__bases__ != (object,):
                raise TypeError(f"{cls.__name__} has a base, or no slots: use dataclasses")
            own = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True, **options)
            return _complete(own(cls), frozen=frozen)

        return decorate


_MISSING = dataclasses.MISSING


def _complete(cls: type, *, frozen: bool) -> type:
    methods: dict[str, object] = {"__init__": _first_init(cls), "__repr__": _repr}
    methods |= _comparison(cls)
    methods |= _FROZEN if frozen else {"__hash__": None}
    for name, method in methods.items():
        if name not in vars(cls):
            setattr(cls, name, method)
    return cls


def _first_init(cls: type) -> Callable[..., None]:
    def __init__(*args: object, **named: object) -> None:  # noqa: N807 - its name in messages
        compiled = _init(cls)
        # Threads that are here at the same time make the same.
        cls.__init__ = compiled  # type: ignore[misc]
        compiled(*args, **named)

    return __init__


def _init(cls: type) -> Callable[..., None]:
    """Compiles `__init__`, which sets slots directly: assignment may be refused."""
    names: dict[str, object] = {"_MISSING": _MISSING}
    positional = ["self"]
    keywords: list[str] = []
    lines: list[str] = []
    for field in filter(attrgetter("init"), dataclasses.fields(cls)):
        name = parameter = value = field.name
        names[f"_set_{name}"] = vars(cls)[name].__set__
        if field.default is not _MISSING:
            names[f"_default_{name}"] = field.default
            parameter = f"{name}=_default_{name}"
        elif field.default_factory is not _MISSING:
            names[f"_make_{name}"] = field.default_factory
            parameter = f"{name}=_MISSING"
            value = f"_make_{name}() if {name} is _MISSING else {name}"
        (keywords if field.kw_only else positional).append(parameter)
        lines.append(f"_set_{name}(self, {value})")
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    parameters = ", ".join([*positional, *(["*", *keywords] if keywords else [])])
    exec(f"def __init__({parameters}):\n  " + "\n  ".join(lines or ["pass"]), names)  # noqa: S102
    made: Callable[..., None] = names["__init__"]  # type: ignore[assignment]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


def _comparison(cls: type) -> dict[str, Callable[..., object]]:
    names = [field.name for field in dataclasses.fields(cls) if field.compare]
    values = attrgetter(*names) if names else _nothing

    def __eq__(self: object, other: object) -> bool:  # noqa: N807
        if other.__class__ is not self.__class__:
            return NotImplemented
        return bool(values(self) == values(other))

    def __hash__(self: object) -> int:  # noqa: N807
        return hash(values(self))

    return {"__eq__": __eq__, "__hash__": __hash__}


def _nothing(self: object) -> tuple[()]:
    del self
    return ()


def _repr(self: object) -> str:
    shown = (
        f"{field.name}={getattr(self, field.name)!r}"
        for field in dataclasses.fields(self)  # type: ignore[arg-type]
        if field.repr
    )
    return f"{self.__class__.__qualname__}({', '.join(shown)})"


def _set(self: object, name: str, value: object) -> None:
    del self, value
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _delete(self: object, name: str) -> None:
    del self
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: object) -> tuple[object, ...]:
    return tuple(getattr(self, field.name) for field in dataclasses.fields(self))  # type: ignore[arg-type]


def _restore(self: object, state: Iterable[object]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):  # type: ignore[arg-type]
        object.__setattr__(self, field.name, value)


# What copies and pickles an instance would assign its attributes otherwise.
_FROZEN = {
    "__setattr__": _set,
    "__delattr__": _delete,
    "__getstate__": _state,
    "__setstate__": _restore,
}
