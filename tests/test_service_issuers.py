"""The service takes tokens of the services that its settings name, and of no others."""

from __future__ import annotations

import json

import pytest
from wasmtime_attestation.claims.verdict import TokenKind
from wasmtime_attestation.endorsements import jwks
from wasmtime_attestation.errors import PolicyError, RejectedError, UnavailableError
from wasmtime_attestation.policy import HARDWARE_ONLY
from wasmtime_attestation.service import Settings
from wasmtime_attestation.verifier.issuers import Issuer
from wasmtime_attestation.wit import Expectations, Status, TeeType, World

from tests.fakes import ita, maa, nras
from tests.fakes.amd import real_anchors
from tests.fakes.host import start
from tests.fakes.token import encode

INSTANCE = Issuer("ours", TokenKind.MAA, frozenset({maa.ISSUER}), jwks.decode(maa.keys()))
GOOD = maa.sign(maa.sev_snp_vm())
DEBUG = maa.sign(maa.sev_snp_vm() | {"x-ms-sevsnpvm-is-debuggable": True})


@pytest.fixture
def world() -> World:
    return start(settings=Settings(real_anchors(), issuers=(INSTANCE,))).world()


def test_a_configured_service(world: World) -> None:
    assert world.verify_token(GOOD)
    verdict = world.verify(GOOD, Expectations(nonce=bytes(range(8)), max_age_seconds=300))
    assert (verdict.issuer, verdict.tee_type) == (maa.ISSUER, TeeType.AMD_SEV_SNP)
    assert verdict.status is Status.NONE
    assert json.loads(verdict.claims)["token"] == maa.sev_snp_vm()
    named = Expectations(policy=HARDWARE_ONLY.name)
    assert world.verify(GOOD, named).status is Status.AFFIRMING


def test_what_its_issuer_does_not_accept(world: World) -> None:
    assert not world.verify_token(DEBUG)
    for expected in (Expectations(), Expectations(policy=HARDWARE_ONLY.name)):
        with pytest.raises(PolicyError, match=r"policy\.debug"):
            world.verify(DEBUG, expected)


def test_a_service_that_is_not_configured(world: World) -> None:
    other = maa.sign(maa.sev_snp_vm() | {"iss": "https://other.example.attest.azure.net"})
    assert not world.verify_token(other)
    with pytest.raises(RejectedError, match=r"token\.issuer"):
        world.verify(other, Expectations())


def test_a_well_known_service_whose_keys_are_not_configured(world: World) -> None:
    token = ita.SIGNER.sign(ita.version_1())
    assert not world.verify_token(token)
    with pytest.raises(UnavailableError, match=r"token\.key"):
        world.verify(token, Expectations())


def test_another_nonce(world: World) -> None:
    with pytest.raises(RejectedError, match=r"token\.nonce"):
        world.verify(GOOD, Expectations(nonce=bytes(8)))


def test_nvidias_answer_in_one_text() -> None:
    """A guest hands on the text that a guest got: all tokens are in it."""
    service = Issuer("theirs", TokenKind.NRAS, frozenset({nras.ISSUER}), jwks.decode(nras.keys()))
    world = start(settings=Settings(real_anchors(), issuers=(service,))).world()
    compact = json.dumps(json.loads(nras.answer()), separators=(",", ":")).encode()
    verdict = world.verify(encode(compact), Expectations(nonce=nras.NONCE))
    assert (verdict.issuer, verdict.tee_type) == (nras.ISSUER, TeeType.NVIDIA_GPU)
    for broken in (encode(compact[:-1]), encode(compact) + "A", json.loads(compact)[0][1]):
        assert not world.verify_token(broken)
        with pytest.raises(RejectedError):
            world.verify(broken, Expectations())
