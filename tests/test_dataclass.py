"""Our data classes behave as those of the standard library do."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import KW_ONLY, field
from typing import Any, ClassVar, TypeAlias

import pytest
from wasmtime_attestation.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Ours:
    """A class with all that fields may be."""

    first: int
    second: str = "two"
    many: list[int] = field(default_factory=list, compare=False)
    secret: str = field(default="s", repr=False)
    twice: int = field(init=False)
    kind: ClassVar[str] = "kind"
    _: KW_ONLY
    named: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "twice", 2 * self.first)


@dataclasses.dataclass(frozen=True, slots=True)
class Standard:
    """The same class."""

    first: int
    second: str = "two"
    many: list[int] = field(default_factory=list, compare=False)
    secret: str = field(default="s", repr=False)
    twice: int = field(init=False)
    kind: ClassVar[str] = "kind"
    _: KW_ONLY
    named: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "twice", 2 * self.first)


@dataclass(slots=True)
class Counter:
    """A class whose fields change."""

    count: int = 0

    def __repr__(self) -> str:
        return f"<{self.count}>"


@dataclass(frozen=True, slots=True)
class Nothing:
    """A class without fields."""


Maker: TypeAlias = type[Any]
BOTH = pytest.mark.parametrize("cls", [Ours, Standard])


@BOTH
def test_fields(cls: Maker) -> None:
    made = cls(3, "x", named=True)
    assert dataclasses.asdict(made) == {
        "first": 3,
        "second": "x",
        "many": [],
        "secret": "s",
        "twice": 6,
        "named": True,
    }
    assert repr(made) == f"{cls.__name__}(first=3, second='x', many=[], twice=6, named=True)"
    assert cls.__match_args__ == ("first", "second", "many", "secret")
    assert dataclasses.replace(made, first=4).twice == 8
    assert cls(1).many is not cls(1).many
    assert not hasattr(made, "__dict__")


@BOTH
def test_equality(cls: Maker) -> None:
    assert cls(1) == cls(1)
    assert hash(cls(1)) == hash(cls(1, many=[1]))
    assert cls(1) == cls(1, many=[1])
    assert cls(1) != cls(2)
    assert cls(1) != (1, "two", "s", 2, False)
    others: object = Standard(1) if cls is Ours else Ours(1)
    assert cls(1) != others


def _pickled(made: object) -> object:
    return pickle.loads(pickle.dumps(made))  # noqa: S301 - our own


@BOTH
@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, _pickled])
def test_copies(cls: Maker, duplicate: Callable[[Any], Any]) -> None:
    made = cls(1, many=[5])
    copied = duplicate(made)
    assert copied == made
    assert copied.many == [5]


@BOTH
def test_assignment_is_refused(cls: Maker) -> None:
    made = cls(1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.first = 2
    # The standard library's own error is a TypeError here, by accident.
    with pytest.raises((dataclasses.FrozenInstanceError, TypeError)):
        made.other = 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        del made.first


@BOTH
@pytest.mark.parametrize(
    ("given", "named"),
    [((), {}), ((1, 2, [], "s", True), {}), ((1,), {"first": 1}), ((1,), {"x": 1})],
)
def test_wrong_arguments(cls: Maker, given: tuple[object, ...], named: dict[str, object]) -> None:
    for _ in range(2):
        with pytest.raises(TypeError, match=rf"{cls.__name__}\.__init__\(\)"):
            cls(*given, **named)


def test_what_is_not_frozen_changes_and_is_not_hashable() -> None:
    counter = Counter()
    counter.count += 1
    assert counter == Counter(1)
    assert repr(counter) == "<1>"
    with pytest.raises(TypeError, match="unhashable"):
        hash(counter)


def test_a_class_without_fields() -> None:
    assert Nothing() == Nothing()
    assert repr(Nothing()) == "Nothing()"
    assert len({Nothing(), Nothing()}) == 1


def test_a_base_is_refused() -> None:
    with pytest.raises(TypeError, match="has a base"):
        dataclass(frozen=True, slots=True)(type("Sub", (Nothing,), {}))
