"""A key set that two issuers could claim speaks for neither."""

from __future__ import annotations

import pytest
from wasmtime_attestation.claims.verdict import TokenKind
from wasmtime_attestation.endorsements import jwks
from wasmtime_attestation.errors import UnavailableError
from wasmtime_attestation.verifier.issuers import Issuer

from tests.fakes import ita, maa, nras
from tests.verifier.service_verification import verify

INSTANCE = Issuer("an instance", TokenKind.MAA, frozenset({maa.ISSUER}))


def test_a_key_of_one_issuer_does_not_speak_for_another() -> None:
    forged = maa.SIGNER.sign(ita.version_1())
    with pytest.raises(UnavailableError, match="could be of Intel Trust Authority or of"):
        verify(forged, maa.keys(), [INSTANCE])
    own = Issuer("own", TokenKind.MAA, frozenset({maa.ISSUER}), jwks.decode(maa.keys()))
    assert verify(ita.SIGNER.sign(ita.version_1()), ita.keys(), [own]).kind == "ita"


def test_a_single_claimant_and_other_algorithms() -> None:
    assert verify(maa.sign(maa.sev_snp_vm()), maa.keys(), [INSTANCE]).kind == "maa"
    assert verify(nras.answer(), nras.keys(), [INSTANCE]).kind == "nras"
