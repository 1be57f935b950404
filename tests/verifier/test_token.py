"""The evidence token as a whole: what is accepted, and that no forgery is."""

from __future__ import annotations

import pytest
from wasmtime_attestation.checks import Ledger, Outcome
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.errors import UnavailableError
from wasmtime_attestation.verifier.expectations import Expected
from wasmtime_attestation.wit import TeeType

from tests.fakes.amd import GENOA, MACHINES, MILAN, Machine, real_anchors
from tests.fakes.forgeries import FORGERIES, Forgery
from tests.fakes.token import NONCE, NOW, Forger, encode
from tests.verifier.relying_party import rejected, verify

HOST = Forger()


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: f"{m.line}-{m.signer.name}-{m.version}")
def test_a_token_of_every_machine_is_accepted(machine: Machine) -> None:
    verified = verify(Forger(machine=machine).token())
    assert verified.claims[0].tee_type is TeeType.AMD_SEV_SNP
    assert verified.token.nonce == NONCE


def test_everything_that_a_token_can_say_comes_out() -> None:
    guest, data, audience = bytes(range(32)), b"\x00user data", "https://bücher.example/\U0001f4da"
    payload = HOST.payload(guest_digest=guest, user_data=data, audience=audience)
    token = verify(HOST.sign(payload | {"nbf": NOW})).token
    assert (token.issued_at, token.not_before, token.expires_at) == (NOW, NOW, NOW + 300)
    assert (token.guest_digest, token.user_data) == (guest, data)
    assert (token.audience, token.nonce) == (audience, NONCE)


def test_the_issuer_is_named_by_its_key() -> None:
    assert verify(HOST.token()).issuer == (
        f"urn:ietf:params:oauth:jwk-thumbprint:sha-256:{encode(HOST.thumbprint)}"
    )


def test_empty_user_data_is_not_the_same_as_none() -> None:
    assert verify(HOST.sign(HOST.payload(user_data=b""))).token.user_data == b""
    assert verify(HOST.token()).token.user_data is None


def test_the_json_form_has_statements_and_claims_but_no_raw_evidence() -> None:
    members = verify(HOST.sign(HOST.payload(audience="somebody"))).verdict.to_json()
    assert members["token"] == {
        "eat_profile": "tag:wasmtime-attestation,2026:evidence-token#1",
        "iat": NOW,
        "exp": NOW + 300,
        "eat_nonce": encode(NONCE),
        "aud": "somebody",
    }
    evidence = members["evidence"]
    assert isinstance(evidence, list)
    assert isinstance(evidence[0], dict)
    assert evidence[0]["tee_type"] == "amd-sev-snp"


@pytest.mark.parametrize("forgery", FORGERIES, ids=str)
def test_no_forgery_is_accepted(forgery: Forgery) -> None:
    ledger = Ledger()
    error = rejected(forgery.make(HOST), ledger=ledger)
    assert [finding.check for finding in error.findings] == [forgery.check]
    assert forgery.says in error.message
    failed = [check.id for check in ledger.checks if check.outcome is Outcome.FAILED]
    assert failed == [forgery.check]


@pytest.mark.parametrize(
    ("expected", "check", "says"),
    [
        (Expected(nonce=b"another nonce"), "token.nonce", "it may be a replay"),
        (Expected(nonce=NONCE[:-1]), "token.nonce", "it may be a replay"),
        (Expected(nonce=b""), "token.nonce", "it may be a replay"),
        (Expected(audience="another"), "token.audience", 'for "somebody", not'),
        (Expected(audience="Somebody"), "token.audience", 'for "somebody", not'),
        (Expected(audience=""), "token.audience", 'for "somebody", not'),
        (Expected(max_age_seconds=9), "token.age", "issued 10 s ago; at most 9 s"),
    ],
)
def test_a_token_that_is_not_as_expected_is_rejected(
    expected: Expected, check: str, says: str
) -> None:
    token = HOST.sign(HOST.payload(audience="somebody"))
    error = rejected(token, expected)
    assert error.findings[0].check == check
    assert says in error.message


def test_an_expected_audience_is_not_met_by_a_token_without_one() -> None:
    error = rejected(HOST.token(), Expected(audience="null"))
    assert "token.audience: the token is for nobody" in error.message


def test_a_token_that_is_as_expected_is_accepted() -> None:
    ledger = Ledger()
    token = HOST.sign(HOST.payload(audience="somebody"))
    verify(token, Expected(NONCE, "somebody", 10), ledger=ledger)
    outcomes = {check.id: check.outcome for check in ledger.checks}
    assert {outcomes[id_] for id_ in ("token.nonce", "token.audience", "token.age")} == {
        Outcome.PASSED
    }


def test_what_was_not_demanded_is_reported_as_not_checked() -> None:
    ledger = Ledger()
    verify(HOST.token(), ledger=ledger)
    not_checked = [c.id for c in ledger.checks if c.outcome is Outcome.NOT_CHECKED]
    assert not_checked == ["token.age", "token.nonce", "token.audience", "amd.revocation"]
    assert [c.id for c in ledger.checks][:9] == [
        "token.format",
        "token.profile",
        "token.key",
        "token.signature",
        "token.time",
        "token.age",
        "token.nonce",
        "token.audience",
        "token.evidence",
    ]


def test_what_a_failure_leaves_undone_is_reported() -> None:
    ledger = Ledger()
    rejected(FORGERIES[0].make(HOST), ledger=ledger)
    by_id = {check.id: check for check in ledger.checks}
    assert by_id["token.signature"].outcome is Outcome.NOT_CHECKED
    assert "earlier check failed" in by_id["token.signature"].detail


def test_a_root_that_a_user_trusts_is_simulated() -> None:
    anchors = Anchors(()).trusting([MILAN.amd.root_fingerprint])
    claims = verify(HOST.token(), anchors=anchors).claims[0]
    assert claims.simulated
    assert claims.tee_type is TeeType.SIMULATED


def test_a_trusted_root_of_another_line_does_not_count() -> None:
    error = rejected(HOST.token(), anchors=real_anchors(GENOA.line))
    assert error.findings[0].check == "amd.ark"


def test_endorsements_may_come_beside_the_token() -> None:
    payload = HOST.payload()
    payload["evidence"][0]["endorsements"] = []
    token = HOST.sign(payload)
    with pytest.raises(UnavailableError, match=r"the VCEK .* is missing"):
        verify(token)
    assert verify(token, endorsements=MILAN.endorsements()).token.nonce == NONCE
