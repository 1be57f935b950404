"""A table of a policy that is being learnt: settings, why they are so, and what to review."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from wasmtime_attestation.policy.table import Json
from wasmtime_attestation.policy.toml_text import assignment, comment, hex_list


@dataclass(slots=True)
class Section:
    """One table, as it grows.

    Attributes:
        name: of the table, dotted.
        lines: what is written.
        review: what weakens the policy, for the person who reviews it.
        choices: settings with more than one reference value.
    """

    name: str
    lines: list[str] = field(default_factory=list)
    review: list[str] = field(default_factory=list)
    choices: list[str] = field(default_factory=list)

    def text(self) -> Iterator[str]:
        """Yields the lines of the table."""
        yield from ("", f"[{self.name}]", *self.lines)

    def set(self, key: str, why: str, *, to: Json) -> None:
        """Writes a setting below a comment."""
        self.lines += [*comment(why), *assignment(key, to)]

    def weaken(self, key: str, why: str, *, to: Json) -> None:
        """Writes a setting that accepts more than the strict preset: somebody must agree to it."""
        self.remark(key, why)
        self.lines += assignment(key, to)

    def remark(self, key: str, why: str) -> None:
        """Names what the policy does not constrain: somebody must agree to it."""
        self.review.append(f"{self.name}.{key}: {why}")
        self.lines += comment(f"REVIEW: {why}")

    def values(self, key: str, values: Iterable[bytes], why: str) -> None:
        """Writes reference values."""
        accepted = hex_list(set(values))
        if len(accepted) > 1:
            self.choices.append(f"{self.name}.{key}")
        self.set(key, why, to=accepted)

    def suggest(self, key: str, values: Iterable[bytes], why: str) -> None:
        """Writes reference values that do not hold until somebody removes the comment signs."""
        lines = assignment(key, hex_list(set(values)))
        self.lines += [*comment(why), *(f"# {line}" for line in lines)]
