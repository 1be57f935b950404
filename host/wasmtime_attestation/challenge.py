"""A guest's challenge, and its limits."""

from __future__ import annotations

from wasmtime_attestation import wit
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.evidence.token import MAX_AUDIENCE, MAX_USER_DATA, NONCE_SIZES


def check_challenge(challenge: wit.Challenge) -> None:
    """Checks the limits that `wit/attester.wit` states.

    Raises:
        InvalidArgumentError: the challenge goes beyond one.
    """
    if len(challenge.nonce) not in NONCE_SIZES:
        raise InvalidArgumentError(
            f"the nonce has {len(challenge.nonce)} bytes; it must have 8 to 64"
        )
    if len(challenge.user_data or b"") > MAX_USER_DATA:
        raise InvalidArgumentError(f"the user data has more than {MAX_USER_DATA} bytes")
    if challenge.audience is not None and not _is_audience(challenge.audience):
        raise InvalidArgumentError(f"the audience must have 1 to {MAX_AUDIENCE} bytes of UTF-8")


def _is_audience(text: str) -> bool:
    try:
        return 0 < len(text.encode("utf-8")) <= MAX_AUDIENCE
    except UnicodeEncodeError:
        return False
