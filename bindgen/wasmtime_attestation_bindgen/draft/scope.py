"""The names of types within one interface or world."""

from __future__ import annotations

from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.kinds import TypeId
from wasmtime_attestation_bindgen.syntax import Name


class UniqueNames:
    """Names that must differ from each other by more than case (WIT.md, "Identifiers")."""

    def __init__(self) -> None:
        self._seen: dict[str, Name] = {}

    def add(self, name: Name) -> None:
        """Adds a name.

        Raises:
            WitError: it is there already.
        """
        first = self._seen.setdefault(name.text.lower(), name)
        if first is not name:
            raise name_taken(name, first)


def name_taken(name: Name, first: Name | None = None) -> WitError:
    """Returns the error for a name that is defined again.

    Args:
        name: the later definition.
        first: the earlier one, where it is at hand.
    """
    others = []
    if first is not None:
        same = first.text == name.text
        label = "first defined here" if same else f"`{first.text}` is here; case does not count"
        others.append((label, first.span))
    return WitError(f"the name `{name.text}` is defined more than once", name.span, others=others)


class Scope:
    """Names, each of a type or of a function; they share one space."""

    def __init__(self) -> None:
        self._names: dict[str, TypeId | None] = {}
        self._unique = UniqueNames()

    def define_type(self, name: Name, id_: TypeId) -> None:
        """Gives a type its name.

        Raises:
            WitError: the name is taken.
        """
        self._define(name, id_)

    def define_function(self, name: Name) -> None:
        """Gives a function its name.

        Raises:
            WitError: the name is taken.
        """
        self._define(name, None)

    def _define(self, name: Name, what: TypeId | None) -> None:
        self._unique.add(name)
        self._names[name.text] = what

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def type_id(self, name: Name) -> TypeId:
        """Returns the type of a name.

        Raises:
            WitError: it has none.
        """
        if name.text not in self._names:
            raise WitError(f"there is no type `{name.text}`", name.span)
        found = self._names[name.text]
        if found is None:
            raise WitError(f"`{name.text}` is a function, not a type", name.span)
        return found

    def types(self) -> dict[str, TypeId]:
        """Returns the types, in the order in which they were defined."""
        return {name: id_ for name, id_ in self._names.items() if id_ is not None}
