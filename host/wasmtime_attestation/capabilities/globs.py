"""Patterns of paths: `*` stands for any characters, `/` too, and `?` for one."""

from __future__ import annotations

import functools
import re


def matches(pattern: str, path: str) -> bool:
    """Whether a path is of a pattern."""
    return _compiled(pattern).fullmatch(path) is not None


@functools.lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    # Runs of stars are one: a pattern with many would take long to fail.
    single = re.sub(r"\*+", "*", pattern)
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(c) or re.escape(c) for c in single), re.DOTALL)


def overlap(one: str, other: str) -> bool:
    """Whether some path is of both patterns."""
    # Which characters of `other` can be used up when those of `one` so far are.
    reached = _past_stars(other, {0})
    for character in one:
        if character == "*":
            reached = _past_stars(
                other, set(range(min(reached, default=len(other)), len(other) + 1))
            )
            continue
        stay = {place for place in reached if other[place : place + 1] == "*"}
        step = {
            place + 1
            for place in reached
            if place < len(other) and (other[place] in (character, "?") or character == "?")
        }
        reached = _past_stars(other, stay | step)
        if not reached:
            return False
    return len(other) in reached


def _past_stars(pattern: str, places: set[int]) -> set[int]:
    """Adds the places behind stars, which may stand for nothing."""
    found = set(places)
    for place in sorted(places):
        while place < len(pattern) and pattern[place] == "*":
            place += 1
            found.add(place)
    return found
