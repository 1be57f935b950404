"""The issuer: what it signs is what its attester bound, and its key stays with it."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384
from wasmtime_attestation.errors import UnavailableError
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.issuer import TokenIssuer

from tests.fakes.amd import MILAN
from tests.fakes.token import NONCE, NOW, PROFILE, Claims, bind, encode, recipe
from tests.verifier.relying_party import verify

GUEST = bytes(range(32, 64))


@dataclass
class Recorder:
    """A machine that remembers what it was asked to bind."""

    asked: list[bytes] = field(default_factory=list)

    def collect(self, report_data: bytes) -> tuple[Evidence, ...]:
        self.asked.append(report_data)
        return (MILAN.collect(report_data),)


class Broken:
    """A machine whose device does not answer."""

    def collect(self, report_data: bytes) -> tuple[Evidence, ...]:
        raise UnavailableError(f"the device does not answer ({len(report_data)} bytes)")


def issue(
    issuer: TokenIssuer,
    machine: Recorder | None = None,
    *,
    nonce: bytes | None = NONCE,
    audience: str | None = None,
    guest_digest: bytes | None = None,
    user_data: bytes | None = None,
) -> str:
    text, _ = issuer.issue(
        (machine or Recorder()).collect,
        nonce=nonce,
        audience=audience,
        guest_digest=guest_digest,
        user_data=user_data,
        now=NOW,
    )
    return text


def decoded(part: str) -> Claims:
    members: Claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return members


def test_a_token_has_the_documented_header_and_claims() -> None:
    text = issue(TokenIssuer(), audience="für dich", guest_digest=GUEST, user_data=b"data")
    header, payload, _ = text.split(".")
    claims = decoded(payload)
    jwk = claims["cnf"]["jwk"]
    kid = encode(recipe("P-384", jwk["x"], jwk["y"]))
    assert decoded(header) == {"alg": "ES384", "typ": "eat+jwt", "kid": kid}
    assert {name: claims[name] for name in claims if name not in {"cnf", "evidence"}} == {
        "eat_profile": PROFILE,
        "iat": NOW,
        "exp": NOW + 300,
        "eat_nonce": encode(NONCE),
        "aud": "für dich",
        "guest_digest": encode(GUEST),
        "user_data": encode(b"data"),
    }
    assert [item["type"] for item in claims["evidence"]] == ["amd-sev-snp"]


def test_what_is_absent_is_left_out() -> None:
    claims = decoded(issue(TokenIssuer()).split(".")[1])
    assert set(claims) == {"eat_profile", "iat", "exp", "eat_nonce", "cnf", "evidence"}


def test_the_evidence_is_bound_to_the_claims() -> None:
    issuer, machine = TokenIssuer(), Recorder()
    issue(issuer, machine, audience="you", guest_digest=GUEST, user_data=b"")
    assert machine.asked == [bind(NONCE, issuer.key_thumbprint, GUEST, b"", "you")]


def test_the_signature_is_that_of_jws() -> None:
    text = issue(TokenIssuer())
    signing_input, _, signature = text.rpartition(".")
    jwk = decoded(text.split(".")[1])["cnf"]["jwk"]
    raw = base64.urlsafe_b64decode(signature)
    assert len(raw) == 96
    x, y = (int.from_bytes(base64.urlsafe_b64decode(jwk[name]), "big") for name in "xy")
    r, s = int.from_bytes(raw[:48], "big"), int.from_bytes(raw[48:], "big")
    key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP384R1()).public_key()
    key.verify(encode_dss_signature(r, s), signing_input.encode(), ec.ECDSA(SHA384()))


def test_what_is_issued_is_accepted() -> None:
    token = verify(issue(TokenIssuer(), audience="you", guest_digest=GUEST)).token
    assert (token.nonce, token.audience, token.guest_digest) == (NONCE, "you", GUEST)


def test_without_a_challenge_each_nonce_is_new() -> None:
    issuer = TokenIssuer()
    nonces = {verify(issue(issuer, nonce=None)).token.nonce for _ in range(4)}
    assert len(nonces) == 4
    assert {len(nonce) for nonce in nonces} == {32}


def test_each_issuer_has_a_key_of_its_own() -> None:
    thumbprints = {TokenIssuer().key_thumbprint for _ in range(4)}
    assert len(thumbprints) == 4


def test_the_private_key_is_in_no_token() -> None:
    issuer = TokenIssuer()
    private = issuer._key.private_numbers().private_value.to_bytes(48, "big")
    text = issue(issuer)
    assert "d" not in decoded(text.split(".")[1])["cnf"]["jwk"]
    assert encode(private) not in text
    assert private.hex() not in text


@pytest.mark.parametrize("lifetime", [1, 60, 3600])
def test_the_life_of_a_token_can_be_chosen(lifetime: int) -> None:
    claims = decoded(issue(TokenIssuer(lifetime)).split(".")[1])
    assert (claims["iat"], claims["exp"]) == (NOW, NOW + lifetime)


@pytest.mark.parametrize("lifetime", [0, -1, 3601])
def test_a_token_lives_an_hour_at_most(lifetime: int) -> None:
    with pytest.raises(ValueError, match="1 to 3600 seconds"):
        TokenIssuer(lifetime)


def test_no_evidence_means_no_token() -> None:
    with pytest.raises(UnavailableError, match="does not answer"):
        TokenIssuer().issue(
            Broken().collect, nonce=None, audience=None, guest_digest=None, user_data=None, now=NOW
        )


@pytest.mark.parametrize(
    ("count", "size", "message"),
    [(17, 64, "17 pieces of evidence"), (3, 250_000, "the token would have 1")],
)
def test_what_no_verifier_reads_is_not_issued(count: int, size: int, message: str) -> None:
    piece = Evidence(EvidenceType.NVIDIA_GPU, bytes(size))
    with pytest.raises(UnavailableError, match=message):
        TokenIssuer().issue(
            lambda _: (piece,) * count,
            nonce=None,
            audience=None,
            guest_digest=None,
            user_data=None,
            now=NOW,
        )
