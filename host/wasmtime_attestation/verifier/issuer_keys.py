"""The keys of an issuer: where they come from, which one signed, and who certified it."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from cryptography import x509

from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.jwk import Jwk
from wasmtime_attestation.endorsements.jwks import JwkSet
from wasmtime_attestation.endorsements.x509 import (
    invalid_at,
    is_authority,
    is_issued_by,
    spki_sha256,
)
from wasmtime_attestation.evidence.strict_json import brief
from wasmtime_attestation.verifier.issuers import KEYS, Issuer


def keys_of(issuer: Issuer, endorsements: Endorsements, ledger: Ledger) -> JwkSet:
    """Returns the configured keys, or where there are none those among the endorsements.

    Raises:
        RejectedError: `token.key`, key sets contradict each other.
        UnavailableError: `token.key`, there are no keys.
    """
    if issuer.keys:
        return issuer.keys
    found = JwkSet()
    for keys in endorsements.key_sets:
        try:
            found += keys
        except ValueError as error:
            ledger.reject("token.key", f"the key sets do not fit together: {error}")
    if not found:
        ledger.unavailable(
            "token.key",
            f"the keys of {issuer.name} are missing: give {KEYS[issuer.kind]}, with --endorsements",
        )
    return found


def check_owner(issuer: Issuer, configured: Sequence[Issuer], ledger: Ledger) -> None:
    """Refuses key sets of which nobody said whose they are: a key could speak for another issuer.

    Raises:
        UnavailableError: `token.key`, another issuer without keys signs with the same algorithms.
    """
    if issuer.keys:
        return
    for other in configured:
        shared = other.accepted_algorithms & issuer.accepted_algorithms
        if other != issuer and not other.keys and shared:
            ledger.unavailable(
                "token.key",
                f"keys among the endorsements could be of {issuer.name} or of {other.name}: name "
                "them in the issuers' files (jwks)",
            )


def check_pins(jwk: Jwk, issuer: Issuer, at: datetime, ledger: Ledger) -> None:
    """Settles `token.key`: a pinned authority certified the key, if any is pinned.

    Raises:
        RejectedError: none did, or a certificate is not valid.
    """
    named = "a key without a kid" if jwk.key_id is None else f"the key {brief(jwk.key_id)}"
    if not issuer.pins:
        ledger.passed("token.key", f"{named} of the issuer's key set, which is trusted as given")
        return
    chain = _up_to_pin(jwk.chain, issuer.pins)
    if chain is None:
        ledger.reject("token.key", f"{named} has no certificate (x5c) from a pinned authority")
    if (reason := invalid_at(chain, at)) is not None:
        ledger.reject("token.key", f"{named}: {reason}")
    for certificate, authority in pairwise(chain):
        if not is_authority(authority) or not is_issued_by(certificate, authority):
            ledger.reject("token.key", f"{named} has a chain (x5c) that does not hold")
    ledger.passed("token.key", f"{named}, certified by a pinned authority")


def _up_to_pin(
    chain: Sequence[x509.Certificate], pins: frozenset[bytes]
) -> Sequence[x509.Certificate] | None:
    """Cuts a chain after the first pinned certificate that is not the key's own."""
    for length, certificate in enumerate(chain[1:], 2):
        if any(hmac.compare_digest(spki_sha256(certificate), pin) for pin in pins):
            return chain[:length]
    return None
