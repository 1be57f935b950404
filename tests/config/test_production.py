"""Every configuration of docs/production.md: guest, host, evidence, service, token, verified."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from wasmtime_attestation import wit
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims.verdict import Verdict
from wasmtime_attestation.endorsements import jwks
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.service import AttestationService
from wasmtime_attestation.verifier import tokens
from wasmtime_attestation.verifier.expectations import Expected
from wasmtime_attestation.verifier.issuers import Issuer
from wasmtime_attestation.verifier.tokens import Trust
from wasmtime_attestation.world.runtime import Guest, Runtime

from tests.config.production import Witness, host, written
from tests.emulation.maa_service import MaaMiniature
from tests.emulation.web import WebAuthority
from tests.example_guests import cpp_reporter
from tests.fakes import azure
from tests.fakes.amd import AT
from tests.services.asking import Attested

NONCE = bytes(range(16))
VM = wit.TargetVm()


@pytest.fixture(scope="module", params=["legacy", "component"])
def guest(request: pytest.FixtureRequest) -> Guest:
    legacy = cpp_reporter()
    path = legacy if request.param == "legacy" else legacy.with_name("cpp-reporter-component.wasm")
    return Guest.from_file(path)


def ran(service: AttestationService, guest: Guest, *arguments: str) -> Witness:
    world = Witness(service.for_guest(guest.digest))
    assert Runtime().run(guest, world, args=arguments, timeout=60) == 0
    return world


def relying(token: str, issuer: Issuer, expected: Expected) -> Verdict:
    """Verifies as somebody does who has the issuer's keys and nothing of the host's."""
    return tokens.verify(token, expected, Trust(Anchors(()), (issuer,)), at=AT, ledger=Ledger())


def bound(nonce: bytes, guest: bytes | None, user_data: bytes | None, audience: str | None) -> bytes:
    """Computes D as docs/binding.md and docs/production.md have it."""
    fields = (
        b"tag:wasmtime-attestation,2026:service-token#1",
        nonce,
        b"",
        guest,
        user_data,
        None if audience is None else audience.encode(),
    )
    data = b"wasmtime:attestation binding\0"
    for value in fields:
        data += b"\0" if value is None else b"\1" + len(value).to_bytes(4, "big") + value
    return hashlib.sha512(data).digest()


def test_azure(authority: WebAuthority, tmp_path: Path, guest: Guest) -> None:
    with MaaMiniature(authority) as service:
        chosen = written(
            tmp_path, "azure", {"https://sharedweu.weu.attest.azure.net": service.url}
        )
        started = host(chosen, Attested(azure.SNP))
        world = ran(started, guest)
        challenge = wit.Challenge(NONCE, b"key", "them")
        answered = started.attest(guest.digest, VM, challenge).token
        keys = jwks.decode(service._jwk(service.signer) and _keys(service))
    issuer = Issuer("MAA", tokens.TokenKind.MAA, frozenset({service.url}), keys)
    assert world.answers[:2] == [True, False]
    relying(world.tokens[0], issuer, Expected())
    expected = Expected(NONCE, report_data=bound(NONCE, guest.digest, b"key", "them"))
    assert relying(answered, issuer, expected).kind == "maa"


def _keys(service: MaaMiniature) -> bytes:
    from tests.fakes import jose

    return jose.jwks(*map(service._jwk, service.published))
