"""Tokens changed at random and signed anew by their own host: the evidence still decides.

Its key signs anything here, so that what lies behind the signature is reached.
"""

from __future__ import annotations

import base64
import random
from functools import cache

import pytest
from wasmtime_attestation.endorsements.x509 import der
from wasmtime_attestation.errors import AttestationError
from wasmtime_attestation.verifier.token import VerifiedToken

from tests.fakes import certificates
from tests.fakes.amd import MILAN
from tests.fakes.token import Claims, Forger, encode, serialise
from tests.verifier.relying_party import verify

HOST = Forger()


@cache
def payload() -> Claims:
    """Returns right claims, with every member there is and a revocation list."""
    claims = HOST.payload(guest_digest=bytes(32), user_data=b"data", audience="somebody")
    ark = MILAN.amd.ark
    crl = certificates.crl(ark.certificate, ark.key, revoked=[5])
    claims["evidence"][0]["endorsements"].append({"type": "x509-crl", "data": encode(der(crl))})
    return claims


def mutate(data: bytes, chance: random.Random) -> bytes:
    """Changes, inserts or deletes a few bytes."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 5))):
        place = chance.randrange(len(changed))
        match chance.randrange(4):
            case 0:
                changed[place] ^= 1 << chance.randrange(8)
            case 1:
                changed[place] = chance.choice(b'"{}[],:-.0129aAzZ_\\ \0\xff')
            case 2:
                del changed[place : place + chance.randrange(1, 4)]
            case _:
                changed[place:place] = chance.randbytes(chance.randrange(1, 4))
    return bytes(changed)


def accepted(text: str) -> VerifiedToken | None:
    """Verifies a token; whatever is wrong with it is an error of this package."""
    try:
        return verify(text)
    except AttestationError:
        return None


def change_payload(seeds: range) -> None:
    original = verify(HOST.sign(payload()))
    for seed in seeds:
        chance = random.Random(seed)  # noqa: S311
        verified = accepted(HOST.sign(mutate(serialise(payload()), chance)))
        assert verified is None or bound(verified) == bound(original)


def bound(verified: VerifiedToken) -> tuple[object, ...]:
    """Returns what the evidence vouches for, and the evidence."""
    token = verified.token
    statements = (token.profile, token.nonce, token.key, token.guest_digest)
    return (*statements, token.user_data, token.audience, token.evidence[0].data)


def change_evidence(seeds: range) -> None:
    """Changes the report or an endorsement."""
    for seed in seeds:
        chance = random.Random(seed)  # noqa: S311
        claims = payload()
        evidence = dict(claims["evidence"][0])
        endorsements = [dict(item) for item in evidence["endorsements"]]
        target = chance.choice([evidence, *endorsements])
        report = evidence["data"]
        target["data"] = encode(mutate(base64.urlsafe_b64decode(target["data"] + "=="), chance))
        changed = claims | {"evidence": [evidence | {"endorsements": endorsements}]}
        verified = accepted(HOST.sign(changed))
        # A change of an endorsement may be one that matters to nobody, one of the report never is.
        assert verified is None or evidence["data"] == report


def test_a_changed_payload_is_accepted_only_for_what_the_evidence_is_bound_to() -> None:
    change_payload(range(400))


def test_changed_evidence_is_refused_in_order() -> None:
    change_evidence(range(200))


@pytest.mark.slow
@pytest.mark.parametrize("start", range(1000, 11_000, 5_000))
def test_many_changed_payloads(start: int) -> None:
    change_payload(range(start, start + 5_000))


@pytest.mark.slow
@pytest.mark.parametrize("start", range(1000, 6_000, 2_500))
def test_much_changed_evidence(start: int) -> None:
    change_evidence(range(start, start + 2_500))
