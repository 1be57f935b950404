"""What evidence is bound to, in tokens that say it in a roundabout way: Trustee's and Intel's."""

from __future__ import annotations

import copy
import hashlib

import pytest
from wasmtime_attestation.claims.verdict import TokenKind
from wasmtime_attestation.endorsements import jwks
from wasmtime_attestation.verifier.expectations import Expected
from wasmtime_attestation.verifier.issuers import Issuer

from tests.fakes import ita, jose, trustee
from tests.fakes.jose import Members
from tests.fakes.token import encode
from tests.verifier.service_verification import rejected, verify

BOUND = bytes(range(64))
EXPECTED = Expected(report_data=BOUND)
PREFIX = "tag:wasmtime-attestation,2026:binding#"
ISSUERS = (Issuer("ears", TokenKind.EAR, frozenset(), jwks.decode(jose.jwks(trustee.TRUSTEE.jwk))),)
BINDING = "evidence.binding"


def runtime(bound: bytes = BOUND) -> Members:
    key = {"kty": "EC", "crv": "P-256", "alg": PREFIX + encode(bound), "x": "AA", "y": "AA"}
    return {"nonce": "AAAA", "tee-pubkey": key}


def result(*stated: Members | None) -> str:
    """An attestation result about as many environments as runtime data are given."""
    claims = trustee.former()
    appraisal = claims["submods"].pop("cpu0")
    for number, each in enumerate(stated):
        part = copy.deepcopy(appraisal)
        evidence = part["ear.veraison.annotated-evidence"]
        evidence["runtime_data_claims"] = each
        if each is None:
            del evidence["runtime_data_claims"]
        claims["submods"][f"cpu{number}"] = part
    return trustee.sign_former(claims)


def test_trustees_runtime_data() -> None:
    verify(result(runtime()), issuers=ISSUERS, expected=EXPECTED)
    verify(result(runtime(), runtime()), issuers=ISSUERS, expected=EXPECTED)
    verify(result(runtime(bytes(64)), None), issuers=ISSUERS)


@pytest.mark.parametrize(
    "stated",
    [
        (None,),
        (runtime(bytes(64)),),
        (runtime(), None),
        (None, runtime()),
        (runtime(), runtime(bytes(64))),
        (runtime(BOUND[:63]),),
        ({"nonce": "AAAA"},),
        ({"tee-pubkey": {"alg": "ECDH-ES+A256KW"}},),
        ({"tee-pubkey": {"alg": PREFIX}},),
        ({"tee-pubkey": {"alg": f"{PREFIX}{encode(BOUND)}="}},),
        ({"tee-pubkey": {"alg": f"{PREFIX}{encode(BOUND)}\xe9"}},),
        ({"tee-pubkey": {"kid": PREFIX + encode(BOUND)}},),
    ],
    ids=range(12),
)
def test_every_environment_must_be_bound(stated: tuple[Members | None, ...]) -> None:
    assert rejected(result(*stated), issuers=ISSUERS, expected=EXPECTED)[0] == BINDING


@pytest.mark.parametrize("wrong", [1, [], {"alg": 1}, "a"], ids=str)
def test_malformed_runtime_data(wrong: object) -> None:
    for stated in ({"tee-pubkey": wrong}, wrong):
        token = result(stated)  # type: ignore[arg-type]
        check, _ = rejected(token, issuers=ISSUERS, expected=EXPECTED)
        assert check in ("token.format", BINDING)


def test_two_annotations_of_one_environment_do_not_count_for_two() -> None:
    """The current draft has two places for claims."""
    claims = trustee.current()
    del claims["eat_nonce"], claims["iss"]
    whole = {"runtime_data_claims": runtime()}
    twice = claims["submods"]["cpu0"] | {
        "ear_attester_claims": whole,
        "ear_veraison_annotated_evidence": whole,
    }
    silent = claims["submods"]["cpu0"]
    sign = trustee.TRUSTEE.sign
    claims["submods"] = {"cpu0": twice}
    verify(sign(claims), issuers=ISSUERS, expected=EXPECTED)
    claims["submods"] = {"cpu0": twice, "gpu0": silent}
    assert rejected(sign(claims), issuers=ISSUERS, expected=EXPECTED)[0] == BINDING
    # Draft 04 has the claims in a member.
    nested = silent | {"ear_attester_claims": {"tee": "tdx", "claims": whole}}
    claims["submods"] = {"cpu0": nested}
    verify(sign(claims), issuers=ISSUERS, expected=EXPECTED)


FROM_DATA = hashlib.sha256(b"wasmtime:attestation device nonce\0" + ita.HELD).hexdigest()
FROM_NONCE = hashlib.sha256(ita.VALUE + ita.ISSUED).hexdigest()


def intel(*nonces: str | None, machine: bool = True) -> str:
    """A token about GPUs whose evidence answers these nonces."""
    claims = ita.version_2()
    if not machine:
        del claims["tdx"]
        claims["verifier_nonce"] = ita.nonce()
    details = claims["nvgpu"]["claim_details"]
    right = details.pop("GPU-0")
    for number, nonce in enumerate(nonces):
        details[f"GPU-{number}"] = right | ({} if nonce is None else {"eat_nonce": nonce})
    return ita.SIGNER.sign(claims)


HELD = Expected(report_data=ita.HELD)


@pytest.mark.parametrize("nonce", [FROM_DATA, FROM_DATA.upper(), FROM_NONCE])
def test_gpus_beside_a_machine(nonce: str) -> None:
    verify(intel(nonce, nonce), ita.keys(), expected=HELD)
    assert rejected(intel(nonce, "00" * 32), ita.keys(), expected=HELD)[0] == BINDING
    verify(intel("00" * 32), ita.keys())


def test_gpus_alone() -> None:
    """Without a machine nothing ties the service's nonce to the data."""
    verify(intel(FROM_DATA, machine=False), ita.keys(), expected=HELD)
    for nonce in (FROM_NONCE, None, "00" * 32, ""):
        token = intel(nonce, machine=False)
        assert rejected(token, ita.keys(), expected=HELD)[0] == BINDING
