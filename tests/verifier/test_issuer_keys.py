"""A key speaks for the issuer whose key it is said to be, and for no other."""

from __future__ import annotations

from dataclasses import replace

import pytest
from wasmtime_attestation.claims.verdict import TokenKind
from wasmtime_attestation.endorsements import jwks
from wasmtime_attestation.errors import UnavailableError
from wasmtime_attestation.verifier.issuers import Issuer

from tests.fakes import ita, maa, nras
from tests.verifier.service_verification import rejected, verify

INSTANCE = Issuer("an instance", TokenKind.MAA, frozenset({maa.ISSUER}))
OWN = replace(INSTANCE, keys=jwks.decode(maa.keys()))
FILE = "jwks-shared.example.attest.azure.net.json"
PORTAL = "endorsements/jwks-portal.trustauthority.intel.com.json"
BY_INTEL = ita.SIGNER.sign(ita.version_1())
FORGED = replace(maa.SIGNER, key_id=None).sign(ita.version_1())
"""Somebody with the key of Azure's instance says that they are Intel."""


def test_a_key_of_one_issuer_does_not_speak_for_another() -> None:
    with pytest.raises(UnavailableError, match="could be of Intel Trust Authority or of"):
        verify(FORGED, maa.keys(), [INSTANCE])
    assert verify(BY_INTEL, ita.keys(), [OWN]).kind == "ita"


def test_well_known_issuers_claim_keys_too() -> None:
    """Whoever is given Intel's keys has given nobody those of Azure's instance."""
    with pytest.raises(UnavailableError, match="or of Intel Trust Authority: name them in the"):
        verify(maa.sign(maa.sev_snp_vm()), maa.keys(), [INSTANCE])
    assert verify(nras.answer(), nras.keys(), [INSTANCE]).kind == "nras"


def test_files_that_are_named_after_a_service() -> None:
    assert verify(maa.sign(maa.sev_snp_vm()), maa.keys(), [INSTANCE], file=FILE).kind == "maa"
    assert verify(BY_INTEL, ita.keys(), [INSTANCE], file=PORTAL).kind == "ita"
    for issuers in ([], [INSTANCE], [OWN]):
        with pytest.raises(UnavailableError, match="the keys of Intel Trust Authority are missing"):
            verify(FORGED, maa.keys(), issuers, file=FILE)
    with pytest.raises(UnavailableError, match="the keys of an instance are missing"):
        verify(maa.sign(maa.sev_snp_vm()), ita.keys(), [INSTANCE], file=PORTAL)


def test_keys_that_are_another_issuers() -> None:
    """The keys of Azure's instance lie among the endorsements too, under any name."""
    with pytest.raises(UnavailableError, match="the keys of Intel Trust Authority are missing"):
        verify(FORGED, maa.keys(), [OWN])
    both = ita.keys()[:-2] + b"," + maa.keys()[len(b'{"keys":[') :]
    check, _ = rejected(FORGED, both, [OWN])
    assert check == "token.signature"
    assert verify(BY_INTEL, both, [OWN]).kind == "ita"


def test_a_file_that_is_named_after_the_host_of_two_issuers() -> None:
    """Two services at ports of one host: the name of the file does not say whose keys they are."""
    other = replace(INSTANCE, name="another port", names=frozenset({f"{maa.ISSUER}:8443"}))
    token = maa.sign(maa.sev_snp_vm())
    for issuers in ([INSTANCE, other], [other, INSTANCE]):
        with pytest.raises(UnavailableError, match="could be of an instance or of another port"):
            verify(token, maa.keys(), issuers, file=FILE)
    with_keys = replace(other, keys=jwks.decode(ita.keys()))
    assert verify(token, maa.keys(), [INSTANCE, with_keys], file=FILE).kind == "maa"
