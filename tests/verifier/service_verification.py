"""A relying party of services, which looks ten seconds after `NOW`; no key is known to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims.verdict import Verdict
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.errors import AttestationError, RejectedError
from wasmtime_attestation.evidence.recognise import Token, recognise
from wasmtime_attestation.verifier import tokens
from wasmtime_attestation.verifier.expectations import Expected
from wasmtime_attestation.verifier.issuers import Issuer
from wasmtime_attestation.verifier.tokens import Trust

from tests.fakes.amd import AT

LATER = AT + timedelta(seconds=10)


def verify(
    data: bytes | str,
    keys: bytes | None = None,
    issuers: Sequence[Issuer] = (),
    expected: Expected | None = None,
    *,
    at: datetime = LATER,
    ledger: Ledger | None = None,
    file: str = "keys",
) -> Verdict:
    """Recognises and verifies a token; the keys are in a file of the endorsements."""
    subject = recognise(data if isinstance(data, bytes) else data.encode())
    assert isinstance(subject, Token)
    endorsements = Endorsements() if keys is None else Endorsements.from_files([(file, keys)])
    return tokens.verify(
        subject.text,
        expected or Expected(),
        Trust(Anchors.of_vendors(), issuers, endorsements),
        at=at,
        ledger=ledger or Ledger(),
        submodules=subject.submodules,
    )


def rejected(
    data: bytes | str,
    keys: bytes | None = None,
    issuers: Sequence[Issuer] = (),
    expected: Expected | None = None,
    *,
    at: datetime = LATER,
) -> tuple[str, str]:
    """Verifies a token that must not be accepted; returns the check that failed, and why."""
    with pytest.raises(RejectedError) as caught:
        verify(data, keys, issuers, expected, at=at)
    (finding,) = caught.value.findings
    return finding.check, finding.detail


def survives(
    data: bytes | str, keys: bytes | None = None, issuers: Sequence[Issuer] = ()
) -> Verdict | None:
    """Verifies what may be anything; whatever is wrong with it is an error of this package."""
    try:
        return verify(data, keys, issuers)
    except AttestationError:
        return None


def cuts_and_flips(token: str, step: int = 1) -> list[str]:
    """Returns a token with one bit turned, or cut."""
    changed = []
    for place in range(0, len(token), step):
        data = bytearray(token.encode())
        data[place] ^= 1 << (place % 7)
        changed += [data.decode(), token[:place]]
    return changed
