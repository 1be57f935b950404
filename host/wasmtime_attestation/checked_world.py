"""The world of one guest, and why `verify-token` says no."""

from __future__ import annotations

from typing import Protocol

from wasmtime_attestation import wit


class CheckedWorld(wit.World, Protocol):
    """A world whose `verify_token` can give its reason, to those around it and to no guest."""

    def check_token(self, token: str) -> wit.Status:
        """Returns the status of a token that `verify_token` accepts.

        Raises:
            AttestationError: why `verify_token` says false.
        """
