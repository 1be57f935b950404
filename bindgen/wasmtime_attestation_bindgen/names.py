"""WIT's kebab-case names in the cases that other languages write."""

from __future__ import annotations


def words(name: str) -> list[str]:
    """Returns the words of a WIT name, in lower case."""
    return name.lower().split("-")


def snake(name: str) -> str:
    """Returns `tee_type` for `tee-type`."""
    return "_".join(words(name))


def screaming(name: str) -> str:
    """Returns `TEE_TYPE` for `tee-type`."""
    return snake(name).upper()


def pascal(name: str) -> str:
    """Returns `TeeType` for `tee-type`."""
    return "".join(word[:1].upper() + word[1:] for word in words(name))


def camel(name: str) -> str:
    """Returns `teeType` for `tee-type`."""
    upper = pascal(name)
    return upper[:1].lower() + upper[1:]
