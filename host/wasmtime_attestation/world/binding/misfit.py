"""The error for values that their WIT type cannot hold."""

from __future__ import annotations


class MisfitError(ValueError):
    """A value that its WIT type cannot hold; the message says where it stands."""

    def within(self, place: str) -> MisfitError:
        """Returns this error for a value that holds the misfit.

        Args:
            place: the field, case or parameter that the misfit is in.
        """
        return MisfitError(f"{place}: {self}")
