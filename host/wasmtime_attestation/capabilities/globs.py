"""Patterns of paths: `*` stands for any characters, `/` too, and `?` for one."""

from __future__ import annotations


def matches(pattern: str, path: str) -> bool:
    """Whether a path is of a pattern."""
    # Places in the pattern up to which it can be used up: no backtracking, however many stars.
    reached = _past_stars(pattern, {0})
    for character in path:
        stay = {place for place in reached if pattern[place : place + 1] == "*"}
        step = {p + 1 for p in reached if p < len(pattern) and pattern[p] in (character, "?")}
        reached = _past_stars(pattern, stay | step)
    return len(pattern) in reached


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
