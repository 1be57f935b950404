"""Evidence tokens of TDX that bring Intel's collateral along, so that nothing else is needed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from wasmtime_attestation.attesters.machine import Machine
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims.tdx import TdxClaims
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.x509 import der
from wasmtime_attestation.errors import RejectedError, UnavailableError
from wasmtime_attestation.issuer import TokenIssuer
from wasmtime_attestation.policy import load
from wasmtime_attestation.service import AttestationService, Settings
from wasmtime_attestation.verifier.expectations import Expected
from wasmtime_attestation.verifier.token import VerifiedToken
from wasmtime_attestation.wit import Expectations, Status

from tests.fakes.amd import MILAN
from tests.fakes.intel import AT, PLATFORM, QE_IDENTITY, TCB_INFO, crl, real_anchors, signed
from tests.fakes.token import NONCE, Forger, bind, encode
from tests.verifier.alike import verify_token

ROOT, CA = "Intel SGX Root CA", PLATFORM.ca
SIGNER = PLATFORM.key("Intel SGX TCB Signing")
COLLATERAL = {
    "intel-collateral": (
        signed("tcbInfo", TCB_INFO, SIGNER),
        signed("enclaveIdentity", QE_IDENTITY, SIGNER),
    ),
    "x509-certificate": (der(PLATFORM.signer),),
    "x509-crl": (der(crl(ROOT, PLATFORM.key(ROOT))), der(crl(CA, PLATFORM.key(CA)))),
}


def token(**endorsements: tuple[bytes, ...]) -> str:
    """Returns a token of a TDX machine; the keywords have `_` where the types have `-`."""
    forger = Forger()
    quote = PLATFORM.quote(report_data=bind(NONCE, forger.thumbprint, None, None, None))
    changes = {kind.replace("_", "-"): data for kind, data in endorsements.items()}
    items = [
        {"type": kind, "data": encode(item)}
        for kind, data in (COLLATERAL | changes).items()
        for item in data
    ]
    evidence: dict[str, Any] = {"type": "intel-tdx", "data": encode(quote), "endorsements": items}
    return forger.sign(forger.payload() | {"evidence": [evidence]})


def verify(text: str, endorsements: Endorsements | None = None) -> VerifiedToken:
    return verify_token(
        text,
        Expected(nonce=NONCE),
        endorsements or Endorsements(),
        at=AT + timedelta(seconds=10),
        anchors=real_anchors(),
        ledger=Ledger(),
    )


def test_nothing_else_is_needed() -> None:
    details = verify(token()).claims[0].details
    assert isinstance(details, TdxClaims)
    assert details.tcb_status == "UpToDate"
    assert details.revocation_checked


def test_what_does_not_come_along_is_named() -> None:
    with pytest.raises(UnavailableError, match=r"intel\.tcb-info.*intel\.qe-identity"):
        verify(token(intel_collateral=()))


def test_what_the_host_brings_counts_for_no_more_than_intel_signed() -> None:
    forged = signed("tcbInfo", TCB_INFO, PLATFORM.key("somebody's"))
    brought = (forged, COLLATERAL["intel-collateral"][1])
    with pytest.raises(RejectedError, match=r"intel\.tcb-info"):
        verify(token(intel_collateral=brought))


def test_a_guests_policy_may_do_without_revocation_lists() -> None:
    """As `verify` of the world: the policy that the guest names says so, and the status warns."""
    text = f"""
        schema = 1
        accept = ["intel-tdx"]
        [tdx]
        mrtd = ["{bytes(range(1, 49)).hex()}"]
    """
    waiving = f"{text}unsafe-allow-missing-revocation-lists = true"
    policies = {name: load(name, t.encode()) for name, t in (("strict", text), ("lax", waiving))}
    settings = Settings(real_anchors(), policies=policies)
    service = AttestationService(
        Machine(MILAN), settings, lambda: AT.timestamp() + 10, TokenIssuer(300)
    )
    world, bare = service.for_guest(None), token(x509_crl=())

    verdict = world.verify(bare, Expectations(nonce=NONCE, policy="lax"))

    assert verdict.status is Status.WARNING
    for policy in ("strict", None):
        with pytest.raises(UnavailableError, match=r"intel\.root-crl.*intel\.pck-crl"):
            world.verify(bare, Expectations(nonce=NONCE, policy=policy))


@pytest.mark.parametrize("data", [b"", b"{}", b'{"tcbInfo":{}}', der(PLATFORM.signer)])
def test_collateral_that_cannot_be_read(data: bytes) -> None:
    with pytest.raises(RejectedError, match=r"evidence\.endorsements"):
        verify(token(intel_collateral=(data,)))
