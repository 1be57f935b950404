"""Tokens that nobody may accept: what an attacker who holds a token, evidence or a key would try.

Each is tried through the library, the service and the command line tool.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.fakes.token import NOW, Forger, assemble, encode, serialise, without


@dataclass(frozen=True)
class Forgery:
    """A forgery, made from what a host's key and machine can make.

    Attributes:
        name: what is wrong.
        make: makes it.
        check: the check that must fail.
        says: what the message must say.
    """

    name: str
    make: Callable[[Forger], str]
    check: str
    says: str

    def __str__(self) -> str:
        return self.name


def other_host(host: Forger) -> Forger:
    """Returns a host with another key, on a machine of another vendor with the same names."""
    return Forger(2000, replace(host.machine, owner="nobody"))


def holder(host: Forger) -> Forger:
    """Returns somebody who has this host's tokens, but neither its key nor its machine."""
    return Forger(3000, host.machine)


def duplicate(json_text: bytes, member: str) -> bytes:
    """Repeats a member: the first object that has it gets it twice."""
    at = json_text.index(f'"{member}":'.encode())
    return json_text[:at] + f'"{member}":0,'.encode() + json_text[at:]


def hmac_token(host: Forger, secret: bytes) -> str:
    """Returns a token that is `signed` with HMAC, under what everybody knows."""
    header = host.header | {"alg": "HS256"}
    body = f"{encode(serialise(header))}.{encode(serialise(host.payload()))}"
    return f"{body}.{encode(hmac.digest(secret, body.encode('ascii'), sha256))}"


def pem(host: Forger) -> bytes:
    """Returns the public key in PEM."""
    return host.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def swapped(host: Forger) -> str:
    """Returns one token with the evidence of another, signed by the host of both."""
    one, other = host.payload(b"one nonce"), host.payload(b"another nonce")
    return host.sign(one | {"evidence": other["evidence"]})


def resigned(host: Forger) -> str:
    """Returns a token of a host, taken over: own key in `cnf`, own signature, its evidence."""
    thief = holder(host)
    return thief.sign(host.payload() | {"cnf": {"jwk": thief.jwk}})


def claims_changed(host: Forger, **claims: object) -> str:
    """Returns a token whose host states something else than the evidence is bound to."""
    return host.sign(host.payload() | claims)


FORGERIES = (
    Forgery(
        "alg none, no signature",
        lambda h: assemble(h.header | {"alg": "none"}, h.payload(), b""),
        "token.profile",
        'alg is "none"',
    ),
    Forgery(
        "alg none, signature kept",
        lambda h: h.sign(h.payload(), h.header | {"alg": "none"}),
        "token.profile",
        'alg is "none"',
    ),
    Forgery(
        "HS256 with the public key in PEM",
        lambda h: hmac_token(h, pem(h)),
        "token.profile",
        'alg is "HS256"',
    ),
    Forgery(
        "HS256 with the public key as JWK",
        lambda h: hmac_token(h, json.dumps(h.jwk).encode()),
        "token.profile",
        'alg is "HS256"',
    ),
    Forgery(
        "another key's signature",
        lambda h: holder(h).sign(h.payload(), h.header),
        "token.signature",
        "the key in cnf did not sign this token",
    ),
    Forgery("expired", lambda h: h.sign(h.payload(iat=NOW - 400)), "token.time", "expired 110 s"),
    Forgery("no exp", lambda h: h.sign(without(h.payload(), "exp")), "token.format", "lacks exp"),
    Forgery(
        "not yet issued",
        lambda h: h.sign(h.payload(iat=NOW + 200)),
        "token.time",
        "not yet valid: it begins in 190 s",
    ),
    Forgery(
        "not yet valid",
        lambda h: h.sign(h.payload() | {"nbf": NOW + 200}),
        "token.time",
        "not yet valid: it begins in 190 s",
    ),
    Forgery(
        "duplicate member in the header",
        lambda h: h.sign(h.payload(), duplicate(serialise(h.header), "alg")),
        "token.format",
        "its header cannot be read: a JSON object has a duplicate member",
    ),
    Forgery(
        "duplicate member in the payload",
        lambda h: h.sign(duplicate(serialise(h.payload()), "exp")),
        "token.format",
        "its payload cannot be read: a JSON object has a duplicate member",
    ),
    Forgery(
        "duplicate member in the key",
        lambda h: h.sign(duplicate(serialise(h.payload()), "crv")),
        "token.format",
        "its payload cannot be read: a JSON object has a duplicate member",
    ),
    Forgery(
        "another nonce than the evidence has",
        lambda h: claims_changed(h, eat_nonce=encode(b"another nonce")),
        "evidence.binding",
        "another nonce, key, guest or audience",
    ),
    Forgery(
        "another audience than the evidence has",
        lambda h: claims_changed(h, aud="somebody else"),
        "evidence.binding",
        "another nonce, key, guest or audience",
    ),
    Forgery(
        "another guest than the evidence has",
        lambda h: claims_changed(h, guest_digest=encode(bytes(32))),
        "evidence.binding",
        "another nonce, key, guest or audience",
    ),
    Forgery(
        "user data that the evidence does not have",
        lambda h: claims_changed(h, user_data=""),
        "evidence.binding",
        "another nonce, key, guest or audience",
    ),
    Forgery("evidence of another token", swapped, "evidence.binding", "made for something else"),
    Forgery("re-signed by its holder", resigned, "evidence.binding", "made for something else"),
    Forgery(
        "an untrusted root", lambda h: other_host(h).token(), "amd.ark", "not given as trusted"
    ),
    Forgery("truncated", lambda h: h.token()[:-4], "token.signature", "did not sign this token"),
    Forgery(
        "truncated to two parts",
        lambda h: h.token().rpartition(".")[0],
        "token.format",
        "a token has three parts",
    ),
)
