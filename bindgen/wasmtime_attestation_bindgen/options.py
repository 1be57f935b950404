"""What a user can ask of every generator."""

from __future__ import annotations

from typing import NamedTuple


class Options(NamedTuple):
    """Choices that change what is generated.

    Attributes:
        legacy: generate the legacy ABI too (DESIGN section 5).
    """

    legacy: bool = False
