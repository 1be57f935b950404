"""The keys of an issuer: where they come from, which one signed, and who certified it."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
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
from wasmtime_attestation.verifier.issuers import KEYS, WELL_KNOWN, Issuer


@dataclass(frozen=True, slots=True)
class IssuerKeys:
    """Where the keys of an issuer are looked for; no key speaks for another's tokens.

    Attributes:
        issuer: whose keys are wanted.
        configured: all whose tokens count, besides the well-known ones.
        endorsements: what may hold its keys, if it has none of its own.
    """

    issuer: Issuer
    configured: Sequence[Issuer]
    endorsements: Endorsements

    @property
    def are_given(self) -> bool:
        """Whether there are keys of which it is clear that they are this issuer's."""
        found = self._own or self._nobodys
        return bool(self.issuer.keys or (found and self._rival is None))

    def found(self, ledger: Ledger) -> JwkSet:
        """Returns the configured keys, or where there are none those among the endorsements.

        Raises:
            RejectedError: `token.key`, key sets contradict each other.
            UnavailableError: `token.key`, there are no keys, or nobody said whose they are.
        """
        if self.issuer.keys:
            return self.issuer.keys
        sets = self._own or self._nobodys
        if not sets:
            ledger.unavailable(
                "token.key",
                f"the keys of {self.issuer.name} are missing: give {KEYS[self.issuer.kind]}, as "
                "the issuer's jwks, or with --endorsements",
            )
        if (rival := self._rival) is not None:
            ledger.unavailable(
                "token.key",
                f"keys among the endorsements could be of {self.issuer.name} or of {rival.name}: "
                "name them in the issuer's file (jwks), or name their file after the host of the "
                "service (jwks-HOST.json)",
            )
        return _joined(sets, ledger)

    @property
    def _own(self) -> tuple[JwkSet, ...]:
        """The sets in files that are named after the issuer."""
        hosts = self.issuer.hosts
        return tuple(keys for keys in self.endorsements.key_sets if keys.owner in hosts)

    @property
    def _nobodys(self) -> tuple[JwkSet, ...]:
        """The sets of which nobody said whose they are, without keys of other issuers."""
        others = {
            key.spki for other in self.configured if other != self.issuer for key in other.keys.keys
        }
        sets = [
            JwkSet(tuple(key for key in keys.keys if key.spki not in others))
            for keys in self.endorsements.key_sets
            if keys.owner is None
        ]
        return tuple(filter(None, sets))

    @property
    def _rival(self) -> Issuer | None:
        """Another issuer without keys that signs with the same algorithms.

        Where a file is named after the host of this one: on the same host, at another port.
        """
        issuer, own = self.issuer, self._own
        for other in (*self.configured, *WELL_KNOWN):
            shared = other.accepted_algorithms & issuer.accepted_algorithms
            is_other = other != issuer and not other.names & issuer.names
            is_meant = not own or other.hosts & issuer.hosts
            if is_other and is_meant and shared and not other.keys:
                return other
        return None


def _joined(sets: Sequence[JwkSet], ledger: Ledger) -> JwkSet:
    found = JwkSet()
    for keys in sets:
        try:
            found += keys
        except ValueError as error:
            ledger.reject("token.key", f"the key sets do not fit together: {error}")
    return found


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
