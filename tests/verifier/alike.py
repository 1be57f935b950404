"""Verifies everything twice, without a memo and with one that all tests share: it must be alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from wasmtime_attestation import verifier
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.errors import AttestationError
from wasmtime_attestation.evidence.envelope import Evidence
from wasmtime_attestation.memo import Memo
from wasmtime_attestation.verifier import token
from wasmtime_attestation.verifier.expectations import Expected
from wasmtime_attestation.verifier.token import VerifiedToken

T = TypeVar("T")
MEMO = Memo()
"""Full of what other tests verified, so that whatever it confuses is a failure somewhere."""


def alike(verification: Callable[[Ledger, Memo | None], T], ledger: Ledger) -> T:
    """Returns or raises what a verification comes to, which must be the same with a memo.

    Args:
        verification: is done twice.
        ledger: gets the checks.
    """
    remembered = Ledger()
    value, error = _outcome(lambda: verification(remembered, MEMO))
    plain_value, plain_error = _outcome(lambda: verification(ledger, None))
    assert (type(error), str(error)) == (type(plain_error), str(plain_error))
    assert remembered.checks == ledger.checks
    assert value == plain_value
    if plain_error is not None:
        raise plain_error
    assert plain_value is not None
    return plain_value


def _outcome(verification: Callable[[], T]) -> tuple[T | None, AttestationError | None]:
    try:
        return verification(), None
    except AttestationError as error:
        return None, error


def verify(
    evidence: Evidence, endorsements: Endorsements, *, ledger: Ledger, **given: object
) -> Claims:
    """Verifies evidence as `verifier.verify` does."""
    return alike(
        lambda own, memo: verifier.verify(
            evidence,
            endorsements,
            ledger=own,
            memo=memo,
            **given,  # type: ignore[arg-type]
        ),
        ledger,
    )


def verify_token(
    text: str, expected: Expected, endorsements: Endorsements, *, ledger: Ledger, **given: object
) -> VerifiedToken:
    """Verifies a token as `token.verify_token` does."""
    return alike(
        lambda own, memo: token.verify_token(
            text,
            expected,
            endorsements,
            ledger=own,
            memo=memo,
            **given,  # type: ignore[arg-type]
        ),
        ledger,
    )
