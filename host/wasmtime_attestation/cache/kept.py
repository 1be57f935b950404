"""A token that was kept, and until when it is handed out."""

from __future__ import annotations

from dataclasses import dataclass

from wasmtime_attestation.wit import AttestationResult


@dataclass(frozen=True, slots=True)
class Kept:
    """A token, with the times that bound its use; all in seconds since the Unix epoch.

    Attributes:
        result: what the guest gets.
        expires_at: its `exp`.
        collected_at: when its evidence was collected; `result.timestamp` where that is the same.
    """

    result: AttestationResult
    expires_at: int
    collected_at: int

    @property
    def size(self) -> int:
        """How many bytes it takes, about."""
        return len(self.result.token) + len(self.result.evidence or "")


@dataclass(frozen=True, slots=True)
class Freshness:
    """Until when tokens are handed out.

    Attributes:
        margin: seconds before expiry from which a token is no longer good.
        max_age: seconds after which evidence is collected anew, whatever the token says.
    """

    margin: int
    max_age: int

    def begin(self, kept: Kept) -> int:
        """Returns the first second in which a token may be handed out."""
        return max(kept.result.timestamp, kept.collected_at)

    def end(self, kept: Kept) -> int:
        """Returns the first second in which it may not be handed out any more."""
        return min(kept.expires_at - self.margin, kept.collected_at + self.max_age)

    def holds(self, kept: Kept, now: int) -> bool:
        """Whether a token is good; not before it was issued either: then the clock was set back."""
        return self.begin(kept) <= now < self.end(kept)
