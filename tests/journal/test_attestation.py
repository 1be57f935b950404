"""The token that attests the journal's key, and the border between both uses of that key."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from wasmtime_attestation.endorsements import jwk
from wasmtime_attestation.endorsements.jwa import Algorithm, check_signature
from wasmtime_attestation.errors import UnavailableError
from wasmtime_attestation.evidence.token import KeyPoint
from wasmtime_attestation.issuer import TokenIssuer
from wasmtime_attestation.journal.attestation import AUDIENCE
from wasmtime_attestation.journal.files import listing
from wasmtime_attestation.journal.writer import Journal
from wasmtime_attestation.verifier import checkpoint

from tests.fakes.amd import MILAN
from tests.fakes.host import Clock
from tests.fakes.token import NOW, assemble
from tests.journal.kept import (
    DECISION,
    TAG,
    Forger,
    Members,
    check,
    keep,
    lines_of,
    problem,
    settings,
)
from tests.verifier.relying_party import verify

Issue = Callable[[bytes, str], str]


def issuing(issuer: TokenIssuer) -> Issue:
    """Returns what the service hands to the journal."""

    def issue(nonce: bytes, audience: str) -> str:
        text, _ = issuer.issue(
            lambda bound: (MILAN.collect(bound),),
            nonce=nonce,
            audience=audience,
            guest_digest=None,
            user_data=None,
            now=NOW,
        )
        return text

    return issue


def attested(directory: Path, issuer: TokenIssuer, issue: Issue | None = None) -> Path:
    """Keeps a journal with a token in it, and returns its file."""
    with Journal(settings(directory), issuer, Clock()) as journal:
        journal.attest(issue or issuing(issuer))
        journal.record(DECISION)
    (path,) = listing(directory)
    return path


def test_an_auditor_gets_from_the_journal_to_the_hardware(tmp_path: Path) -> None:
    issuer = TokenIssuer()
    path = attested(tmp_path / "journal", issuer)
    found = check([path])
    assert found.problem is None
    (attestation,) = found.attestations
    opened = json.loads(lines_of(path)[0])
    token = verify(json.loads(lines_of(path)[1])["token"]).token
    assert token.nonce.hex() == opened["hash"] == attestation.nonce
    assert token.audience == AUDIENCE == "wasmtime:attestation journal"
    assert attestation.key_thumbprint == issuer.key_thumbprint.hex()
    assert dict(found.signers) == {attestation.key_thumbprint: 1}
    last = json.loads(lines_of(path)[-1])
    assert last["attestation"] == json.loads(lines_of(path)[1])["token_sha256"]


def test_a_token_of_another_key_is_found(tmp_path: Path) -> None:
    path = attested(tmp_path / "journal", TokenIssuer(), issuing(TokenIssuer()))
    assert problem([path]) == (path.name, 4, "journal.attestation")


def test_a_token_for_something_else_is_found(tmp_path: Path) -> None:
    issuer = TokenIssuer()
    issue = issuing(issuer)
    wrong: dict[str, Issue] = {
        "nonce": lambda _, audience: issue(bytes(32), audience),
        "audience": lambda nonce, _: issue(nonce, "you"),
        "text": lambda _nonce, _audience: "no token",
        "signature": lambda nonce, audience: issue(nonce, audience)[:-8] + "AAAAAAAA",
    }
    for name, other in wrong.items():
        path = attested(tmp_path / name, issuer, other)
        assert problem([path]) == (path.name, 2, "journal.attestation"), name


def test_a_token_of_another_hash_is_found(tmp_path: Path) -> None:
    path = attested(tmp_path / "journal", TokenIssuer())

    def changed(members: Members) -> Members:
        if members["kind"] == "attestation":
            members["token_sha256"] = "0" * 64
        return members

    path.write_bytes(Forger.new().rewrite(lines_of(path), changed))
    assert problem([path])[1:] == (2, "journal.attestation")


def test_a_checkpoint_that_names_another_token_is_found(tmp_path: Path) -> None:
    path = attested(tmp_path / "journal", TokenIssuer())
    lines, forger = lines_of(path), Forger.new()
    without = [line for line in lines if json.loads(line)["kind"] != "attestation"]
    path.write_bytes(forger.rewrite(without))
    assert check([path]).problem is None

    def changed(members: Members) -> Members:
        if members["kind"] == "checkpoint":
            members["attestation"] = "0" * 64
        if members["kind"] == "attestation":
            members |= {"token": None}
        return members

    path.write_bytes(forger.rewrite(lines, changed))
    assert problem([path])[1:] == (4, "journal.attestation")


def test_no_token_means_no_record(tmp_path: Path) -> None:
    def issue(nonce: bytes, audience: str) -> str:
        raise UnavailableError(f"no device ({len(nonce)}, {audience})")

    with Journal(settings(tmp_path / "journal"), TokenIssuer()) as journal:
        with pytest.raises(UnavailableError, match="no device"):
            journal.attest(issue)
        journal.record(DECISION)
    found = check(listing(tmp_path / "journal"))
    assert (found.problem, found.attestations) == (None, [])


def point(issuer: TokenIssuer) -> KeyPoint:
    return KeyPoint.from_jwk(issuer.key_jwk)


def test_the_key_signs_checkpoints_by_es384(tmp_path: Path) -> None:
    issuer = TokenIssuer()
    signature = issuer.sign_checkpoint(b"checkpoint")
    assert len(signature) == 96
    key = jwk.of_json(issuer.key_jwk)
    assert key is not None
    check_signature(Algorithm.ES384, key.key, signature, TAG + b"checkpoint")
    checkpoint.check(point(issuer), signature, b"checkpoint")
    (path,) = keep(tmp_path / "journal", 1, issuer)
    last = lines_of(path)[-1]
    signed, _, rest = last.partition(b',"signature":"')
    raw = base64.urlsafe_b64decode(rest[:128])
    check_signature(Algorithm.ES384, key.key, raw, TAG + signed)


def test_neither_signature_passes_for_the_other() -> None:
    issuer = TokenIssuer()
    signing_input = assemble({"alg": "ES384"}, {"iat": 1}, b"").rpartition(".")[0].encode()
    key = jwk.of_json(issuer.key_jwk)
    assert key is not None
    of_token = base64.urlsafe_b64decode(Forger(issuer._key).sign(signing_input))
    check_signature(Algorithm.ES384, key.key, of_token, signing_input)
    with pytest.raises(ValueError, match="did not make"):
        checkpoint.check(point(issuer), of_token, signing_input)
    of_checkpoint = issuer.sign_checkpoint(signing_input)
    checkpoint.check(point(issuer), of_checkpoint, signing_input)
    with pytest.raises(ValueError, match="did not make"):
        check_signature(Algorithm.ES384, key.key, of_checkpoint, signing_input)
    # RFC 7515 section 5.1: what a JWS signs has no character that the tag begins to end with.
    allowed = set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")
    assert not set(TAG) <= allowed
    assert set(signing_input) <= allowed


@pytest.mark.parametrize("size", [0, 4097])
def test_a_checkpoint_is_bounded(size: int) -> None:
    with pytest.raises(ValueError, match="1 to 4096 bytes"):
        TokenIssuer().sign_checkpoint(bytes(size))


def test_the_private_key_is_nowhere_in_the_journal(tmp_path: Path) -> None:
    issuer = TokenIssuer()
    data = attested(tmp_path / "journal", issuer).read_bytes()
    private = issuer._key.private_numbers().private_value.to_bytes(48, "big")
    assert base64.urlsafe_b64encode(private) not in data
    assert private.hex().encode() not in data
