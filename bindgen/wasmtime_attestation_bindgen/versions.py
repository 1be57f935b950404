"""Semantic versions, as packages and `@since` carry them (semver.org 2.0.0)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NUMBER = r"(0|[1-9][0-9]*)"
_PRERELEASE_PART = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_BUILD_PART = r"[0-9A-Za-z-]+"
_VERSION = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}"
    rf"(?:-({_PRERELEASE_PART}(?:\.{_PRERELEASE_PART})*))?"
    rf"(?:\+({_BUILD_PART}(?:\.{_BUILD_PART})*))?"
)
LARGEST_NUMBER = 2**64 - 1

SortKey = tuple[tuple[int, int, int], tuple[object, ...], tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Version:
    """A semantic version."""

    major: int
    minor: int
    patch: int
    prerelease: str = ""
    build: str = ""

    @classmethod
    def parse(cls, text: str) -> Version:
        """Returns the version that a text spells.

        Raises:
            ValueError: it is not a semantic version, or a number exceeds 64 bits.
        """
        match = _VERSION.fullmatch(text)
        if match is None:
            raise ValueError(f"`{text}` is not a semantic version such as `1.2.3` or `0.2.0-rc.1`")
        # 64 bits have at most 20 digits; int() of very many digits is slow.
        if any(len(part) > 20 or int(part) > LARGEST_NUMBER for part in match.group(1, 2, 3)):
            raise ValueError(f"a number in version `{text}` exceeds 64 bits")
        major, minor, patch = map(int, match.group(1, 2, 3))
        return cls(major, minor, patch, match[4] or "", match[5] or "")

    def __str__(self) -> str:
        prerelease = f"-{self.prerelease}" if self.prerelease else ""
        build = f"+{self.build}" if self.build else ""
        return f"{self.major}.{self.minor}.{self.patch}{prerelease}{build}"

    @property
    def sort_key(self) -> SortKey:
        """What orders versions: precedence, then build metadata so that the order is total."""
        release = (1,) if not self.prerelease else (0, *_identifiers(self.prerelease))
        build = () if not self.build else _identifiers(self.build)
        return (self.major, self.minor, self.patch), release, build


def _identifiers(dotted: str) -> tuple[object, ...]:
    # Numeric identifiers come before others and compare by value: by length first, then digits.
    return tuple(
        (0, len(part.lstrip("0")), part.lstrip("0"), part)
        if part.isdecimal()
        else (1, 0, part, part)
        for part in dotted.split(".")
    )
