"""Attestation results of both generations; a status never claims more than its vector."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasmtime_attestation.claims.trustworthiness import Aspect, tier
from wasmtime_attestation.claims.verdict import TokenKind
from wasmtime_attestation.endorsements import jwks
from wasmtime_attestation.endorsements.jwa import Algorithm
from wasmtime_attestation.errors import UnavailableError
from wasmtime_attestation.verifier.expectations import Expected
from wasmtime_attestation.verifier.issuers import Issuer, check_distinct
from wasmtime_attestation.wit import Status, TeeType

from tests.fakes import jose, trustee
from tests.fakes.amd import AT
from tests.fakes.jose import Members, Signer, p256
from tests.fakes.token import NOW, without
from tests.fakes.trustee import CURRENT, current, former, sign_former
from tests.verifier.service_verification import cuts_and_flips, rejected, survives, verify

FORMER_ISSUER = Issuer(
    "our Trustee",
    TokenKind.EAR,
    frozenset(),
    keys=jwks.of_json(trustee.TRUSTEE.jwk),
    algorithms=None,
)
CURRENT_ISSUER = Issuer(
    "our Verifier",
    TokenKind.EAR,
    frozenset({"https://verifier.example"}),
    keys=jwks.of_json(CURRENT.jwk),
)
ISSUERS = [FORMER_ISSUER, CURRENT_ISSUER]


def sign(claims: Members) -> str:
    is_current = "ear_verifier_id" in claims
    return CURRENT.sign(claims) if is_current else sign_former(claims)


def refused(claims: Members, expected: Expected | None = None) -> tuple[str, str]:
    return rejected(sign(claims), issuers=ISSUERS, expected=expected)


each_generation = pytest.mark.parametrize("claims", [former, current], ids=["former", "current"])


def test_a_token_of_trustee() -> None:
    verdict = verify(sign_former(former()), issuers=ISSUERS)
    assert (verdict.kind, verdict.issuer) == ("ear", "our Trustee")
    assert verdict.status is Status.AFFIRMING
    (machine,) = verdict.environments
    assert (machine.name, machine.tee_type) == ("cpu0", TeeType.INTEL_TDX)
    assert machine.measurements == {"mrtd": "ab" * 48, "rtmr0": "01" * 48}


def test_a_token_of_the_current_draft() -> None:
    verdict = verify(CURRENT.sign(current()), issuers=ISSUERS)
    assert (verdict.kind, verdict.issuer) == ("ear", "https://verifier.example")
    assert (verdict.status, verdict.tee_type) == (Status.AFFIRMING, TeeType.OTHER)


def test_draft_04_names_the_tee() -> None:
    claims = current() | {"eat_profile": "tag:ietf.org,2026:rats/ear#04"}
    stated = {"tee": "snp", "claims": {"measurement": "cd" * 48}}
    claims["submods"]["cpu0"]["ear_attester_claims"] = stated
    (machine,) = verify(CURRENT.sign(claims), issuers=ISSUERS).environments
    assert machine.tee_type is TeeType.AMD_SEV_SNP
    assert machine.measurements == {"measurement": "cd" * 48}


class TestIssuer:
    def test_it_must_be_configured(self) -> None:
        check, why = rejected(sign_former(former()))
        assert check == "token.issuer"
        assert "names no issuer" in why
        assert rejected(CURRENT.sign(current()), issuers=[FORMER_ISSUER])[0] == "token.issuer"

    def test_the_key_in_the_header_is_not_asked(self) -> None:
        attacker = Signer(p256(666), "ES256", None)
        token = attacker.sign(former(), attacker.header | {"jwk": attacker.jwk})
        assert rejected(token, issuers=ISSUERS)[0] == "token.signature"

    def test_its_keys_may_come_with_the_endorsements(self) -> None:
        """If they can be of nobody else: NVIDIA's service signs with ES384."""
        keys = jose.jwks(trustee.TRUSTEE.jwk)
        unnamed = Issuer("ours", TokenKind.EAR, frozenset())
        with pytest.raises(UnavailableError, match="or of NVIDIA Remote Attestation Service"):
            verify(sign_former(former()), keys, [unnamed])
        verify(
            sign_former(former()),
            keys,
            [replace(unnamed, algorithms=frozenset({Algorithm.ES256}))],
        )
        with pytest.raises(UnavailableError, match="public key in PEM"):
            verify(sign_former(former()), None, [unnamed])

    def test_one_issuer_answers_for_a_token(self) -> None:
        check_distinct(ISSUERS)
        for twice in ([FORMER_ISSUER, FORMER_ISSUER], [*ISSUERS, CURRENT_ISSUER]):
            with pytest.raises(ValueError, match="two issuers"):
                check_distinct(twice)

    def test_no_report_data(self) -> None:
        """Trustee's runtime data can have it, and this token has none."""
        expected = Expected(report_data=bytes(64))
        found = rejected(sign(current()), issuers=ISSUERS, expected=expected)
        assert found == (
            "evidence.binding",
            "an environment does not say what its evidence is bound to",
        )


@pytest.mark.parametrize("value", range(-128, 128))
def test_tiers(value: int) -> None:
    """AR4SI section 2.3.2, written out again."""
    expected = {
        Status.NONE: {-1, 0, 1},
        Status.AFFIRMING: {*range(2, 32), *range(-32, -1)},
        Status.WARNING: {*range(32, 96), *range(-96, -32)},
        Status.CONTRAINDICATED: {*range(96, 128), *range(-128, -96)},
    }
    assert value in expected[tier(value)]


@each_generation
@pytest.mark.parametrize("aspect", [*Aspect])
@pytest.mark.parametrize(
    ("status", "value", "holds"),
    [
        ("affirming", 2, True),
        ("affirming", 31, True),
        ("affirming", 0, True),
        ("affirming", 32, False),
        ("affirming", 95, False),
        ("affirming", 96, False),
        ("affirming", -33, False),
        ("affirming", 127, False),
        ("warning", 2, True),
        ("warning", 32, True),
        ("warning", 96, False),
        ("warning", -128, False),
        ("contraindicated", 96, True),
        ("contraindicated", 2, True),
        ("none", 2, True),
        ("none", 0, True),
        ("none", 32, False),
        ("none", 97, False),
    ],
)
def test_a_status_claims_no_more_than_its_vector(
    claims: Any,  # noqa: ANN401
    aspect: str,
    status: str,
    value: int,
    holds: bool,
) -> None:
    token = claims(status, {"sourced-data": 2, "hardware": 2, aspect: value})
    if holds:
        assert verify(sign(token), issuers=ISSUERS).status == status
    else:
        assert refused(token)[0] == "ear.status"


@each_generation
def test_reasons_are_named(claims: Any) -> None:  # noqa: ANN401
    verdict = verify(sign(claims("contraindicated", {"hardware": 97})), issuers=ISSUERS)
    (reason,) = verdict.reasons
    assert reason.check == "policy.issuer-status"
    assert "hardware 97 (contraindicated)" in reason.detail


def test_the_worst_part_is_the_whole() -> None:
    claims = current()
    claims["submods"]["gpu0"] = {"ear_status": "warning"}
    assert verify(sign(claims), issuers=ISSUERS).status is Status.WARNING
    claims["submods"]["gpu0"] = {"ear_status": "none"}
    assert verify(sign(claims), issuers=ISSUERS).status is Status.NONE
    claims["submods"]["gpu1"] = {"ear_status": "contraindicated"}
    assert verify(sign(claims), issuers=ISSUERS).status is Status.CONTRAINDICATED


def test_the_whole_claims_no_more_than_its_parts() -> None:
    assert verify(sign(current() | {"ear_status": "warning"}), issuers=ISSUERS).status == "warning"
    warned = current("warning", {"hardware": 32})
    assert refused(warned | {"ear_status": "affirming"})[0] == "ear.status"
    assert refused(warned | {"ear_status": "fine"})[0] == "ear.appraisals"


@pytest.mark.parametrize("tee", ["sample", "sampledevice", "simulated"])
def test_simulated_evidence_is_never_affirmed(tee: str) -> None:
    claims = former()
    claims["submods"]["cpu0"]["ear.veraison.annotated-evidence"] = {tee: {"svn": "1"}}
    verdict = verify(sign(claims), issuers=ISSUERS)
    assert (verdict.tee_type, verdict.status) == (TeeType.SIMULATED, Status.CONTRAINDICATED)
    assert "SIMULATED" in verdict.reasons[0].detail


@each_generation
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", None),
        ("status", "Affirming"),
        ("status", 2),
        ("vector", []),
        ("vector", {"hardware": "2"}),
        ("vector", {"hardware": 2.0}),
        ("vector", {"hardware": True}),
        ("vector", {"hardware": 128}),
        ("vector", {"hardware": -129}),
        ("vector", {"hardware": None}),
        ("vector", {"Hardware": 2}),
        ("vector", {"file_system": 2}),
    ],
    ids=repr,
)
def test_malformed_appraisals(claims: Any, name: str, value: object) -> None:  # noqa: ANN401
    names = {
        "former": {"status": "ear.status", "vector": "ear.trustworthiness-vector"},
        "current": {"status": "ear_status", "vector": "ear_trustworthiness_vector"},
    }[claims.__name__]
    token = claims()
    token["submods"]["cpu0"][names[name]] = value
    assert refused(token)[0] == "ear.appraisals"


@each_generation
@pytest.mark.parametrize(
    "submods",
    [None, {}, [], {"cpu0": "a.b.c"}, {"": {}}, {"cpu0": ["DIGEST", []]}, {"n" * 257: {}}],
    ids=lambda value: str(value)[:30],
)
def test_malformed_submodules(claims: Any, submods: object) -> None:  # noqa: ANN401
    assert refused(claims() | {"submods": submods})[0] == "ear.appraisals"


def test_generations_are_not_mixed() -> None:
    mixed = former() | {"eat_profile": trustee.CURRENT_PROFILE}
    assert refused(mixed)[0] == "ear.profile"
    mixed = current() | {"eat_profile": "tag:github.com,2023:veraison/ear"}
    assert refused(mixed)[0] == "ear.profile"
    for claims, name in ((current(), "ear.status"), (former(), "ear_status")):
        claims["submods"]["cpu0"][name] = "contraindicated"
        assert refused(claims)[0] == "ear.profile"


@pytest.mark.parametrize(
    "change",
    [
        {"eat_profile": "tag:ietf.org,2026:rats/ear#05"},
        {"eat_profile": "tag:ietf.org,2026:rats/ear"},
        {"eat_profile": None},
        {"eat_profile": ["tag:ietf.org,2026:rats/ear#03"]},
        {"ear_verifier_id": "somebody"},
        {"ear_verifier_id": {"developer": "somebody"}},
        {"ear_verifier_id": {"developer": 1, "build": "1"}},
    ],
    ids=str,
)
def test_profiles_and_verifiers(change: Members) -> None:
    assert refused(current() | change)[0] == "ear.profile"


@each_generation
def test_without_an_expiry_it_lives_as_long_as_configured(claims: Any) -> None:  # noqa: ANN401
    token = without(claims(), "exp")
    assert verify(sign(token), issuers=ISSUERS).expires_at == NOW + 3600
    late = AT.fromtimestamp(NOW + 3600, AT.tzinfo)
    assert rejected(sign(token), issuers=ISSUERS, at=late)[0] == "token.time"
    patient = [Issuer(i.name, i.kind, i.names, i.keys, lifetime=7200) for i in ISSUERS]
    verify(sign(token), issuers=patient, at=late)


def test_nonces() -> None:
    expected = Expected(nonce=trustee.NONCE)
    verify(sign(current()), issuers=ISSUERS, expected=expected)
    several = current() | {"eat_nonce": ["AAAAAAAAAAA", current()["eat_nonce"]]}
    verify(sign(several), issuers=ISSUERS, expected=expected)
    for nonce in ("AAAAAAAAAAA", ["AAAAAAAAAAA"], []):
        assert refused(current() | {"eat_nonce": nonce}, expected)[0] == "token.nonce"
    assert refused(former(), expected)[0] == "token.nonce"
    malformed: tuple[object, ...] = (5, [5], {})
    for value in malformed:
        assert refused(current() | {"eat_nonce": value})[0] == "token.format"


JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-200, 200) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


@given(st.sampled_from([former, current]), st.data())
def test_any_claims_are_read_or_refused(claims: Any, data: st.DataObject) -> None:  # noqa: ANN401
    token = claims()
    appraisal = token["submods"]["cpu0"]
    target = data.draw(st.sampled_from([token, appraisal]))
    target[data.draw(st.sampled_from([*target, "aud", "nbf"]))] = data.draw(JSON)
    verdict = survives(sign(token), issuers=ISSUERS)
    assert verdict is None or verdict.environments


@each_generation
def test_every_change_is_rejected(claims: Any) -> None:  # noqa: ANN401
    for changed in cuts_and_flips(sign(claims()), 3):
        assert survives(changed, issuers=ISSUERS) is None
