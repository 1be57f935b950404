"""Where answers of vendors' services are kept: a folder, or what several machines share."""

from __future__ import annotations

from typing import Protocol

from wasmtime_attestation.endorsers.disk_cache import Entry
from wasmtime_attestation.endorsers.question import Question


class Answers(Protocol):
    """Keeps answers; it never fails, since the service can be asked again."""

    def read(self, question: Question) -> Entry | None:
        """Returns what was answered, or None."""

    def write(self, question: Question, entry: Entry) -> None:
        """Keeps an answer."""
