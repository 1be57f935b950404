"""What an attester bound to its evidence through Trustee's protocol, which has no field for it.

Trustee keeps three members of the runtime data alone, and repeats them in its token: its nonce, a
public key, and further evidence. D stands in the key's `alg`, which may be any collision-resistant
name (RFC 7517 section 4.4): no algorithm has that name, so nothing is ever encrypted to the key.

Source: Trustee, KBS attestation protocol; `docs/decisions/0013-trustee-binding.md`.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from functools import partial

from wasmtime_attestation.endorsements.json_object import JsonObject
from wasmtime_attestation.evidence import base64url
from wasmtime_attestation.verifier.issued import Reader

PREFIX = "tag:wasmtime-attestation,2026:binding#"
_CHECK = "evidence.binding"


def algorithm(bound: bytes) -> str:
    """Names D as the algorithm of a key.

    Args:
        bound: D, 64 bytes.
    """
    return PREFIX + base64url.encode(bound)


def claims_of(annotated: JsonObject) -> JsonObject | None:
    """Returns the runtime data in the claims about an environment; None where there is none.

    Args:
        annotated: what the Verifier annotates; draft 04 has its claims in a member.

    Raises:
        ValueError: it is malformed.
    """
    found = annotated.optional_object("runtime_data_claims")
    if found is None and isinstance(annotated.members.get("claims"), dict):
        found = annotated.object("claims").optional_object("runtime_data_claims")
    return found


def check(environments: Sequence[Sequence[JsonObject]], reader: Reader) -> None:
    """Settles `evidence.binding`: every environment's evidence is bound to the expected data.

    Args:
        environments: what the token annotates of each.
        reader: the verification.

    Raises:
        RejectedError: one is bound to other data, or does not say.
    """
    expected = reader.expected.report_data
    if expected is None:
        reader.ledger.not_checked(
            _CHECK, "no expected value was given: freshness and purpose are open"
        )
        return
    for annotated in environments:
        stated = reader.attempt(partial(_stated, annotated))
        if not stated:
            reader.ledger.reject(
                _CHECK, "an environment does not say what its evidence is bound to"
            )
        if any(not hmac.compare_digest(each, algorithm(expected)) for each in stated):
            reader.ledger.reject(
                _CHECK,
                "the evidence is bound to something else, such as another nonce, key, guest or "
                "audience",
            )
    reader.ledger.passed(_CHECK, "the runtime data of every environment has the expected value")


def _stated(annotated: Sequence[JsonObject]) -> list[str]:
    """Returns what an environment's evidence is bound to; others' keys say nothing of that."""
    claims = [found for each in annotated if (found := claims_of(each)) is not None]
    keys = [key for each in claims if (key := each.optional_object("tee-pubkey")) is not None]
    named = [name for key in keys if (name := key.optional_string("alg")) is not None]
    return [name for name in named if name.startswith(PREFIX) and name.isascii()]
