"""Python names for WIT names: legal, and each used once."""

from __future__ import annotations

import keyword

from wasmtime_attestation_bindgen.names import pascal, snake

# A field or method of one of these names would hide the type in the rest of its class.
_BUILTIN_TYPES = frozenset({"bool", "bytes", "dict", "float", "int", "list", "str", "tuple"})


def attribute(name: str) -> str:
    """Returns what a field, a function or a parameter is called."""
    python = snake(name)
    taken = keyword.iskeyword(python) or python in _BUILTIN_TYPES or python == "self"
    return f"{python}_" if taken else python


def class_name(name: str) -> str:
    """Returns what a type or an interface is called, unless that is taken."""
    return pascal(name)


class Claims:
    """The names of one module.

    Args:
        reserved: names that the module uses for something else.
    """

    def __init__(self, *reserved: str) -> None:
        self._taken = set(reserved)

    def claim(self, *candidates: str) -> str:
        """Returns the first name that is free; a taken last one gets underscores."""
        free = (name for name in candidates if self._is_free(name))
        name = next(free, None)
        if name is None:
            name = candidates[-1]
            while not self._is_free(name):
                name += "_"
        self._taken.add(name)
        return name

    def _is_free(self, name: str) -> bool:
        return name not in self._taken and not keyword.iskeyword(name)
