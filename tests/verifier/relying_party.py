"""A relying party for which the miniature AMD is real; it looks ten seconds after `NOW`."""

from __future__ import annotations

from datetime import timedelta

import pytest
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.verifier.expectations import Expected
from wasmtime_attestation.verifier.token import VerifiedToken

from tests.fakes.amd import AT, real_anchors
from tests.verifier.alike import verify_token


def verify(
    text: str,
    expected: Expected | None = None,
    *,
    anchors: Anchors | None = None,
    ledger: Ledger | None = None,
    endorsements: Endorsements | None = None,
) -> VerifiedToken:
    """Verifies a token."""
    return verify_token(
        text,
        expected or Expected(),
        endorsements or Endorsements(),
        at=AT + timedelta(seconds=10),
        anchors=anchors or real_anchors(),
        ledger=ledger or Ledger(),
    )


def rejected(
    text: str,
    expected: Expected | None = None,
    *,
    anchors: Anchors | None = None,
    ledger: Ledger | None = None,
) -> RejectedError:
    """Verifies a token that must not be accepted, and returns why it is not."""
    with pytest.raises(RejectedError) as caught:
        verify(text, expected, anchors=anchors, ledger=ledger)
    return caught.value
