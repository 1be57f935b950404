"""Every configuration of docs/production.md: guest, host, evidence, service, token, verified."""

from __future__ import annotations

import hashlib
import ssl
import urllib.request
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from wasmtime_attestation import wit
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims.verdict import TokenKind, Verdict
from wasmtime_attestation.endorsements import jwks
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.jwks import JwkSet
from wasmtime_attestation.endorsements.x509 import der, pem
from wasmtime_attestation.errors import PolicyError, RejectedError, UnavailableError
from wasmtime_attestation.evidence import jwt
from wasmtime_attestation.service import AttestationService
from wasmtime_attestation.verifier import tokens
from wasmtime_attestation.verifier.expectations import Expected
from wasmtime_attestation.verifier.issuers import Issuer
from wasmtime_attestation.verifier.tokens import Trust
from wasmtime_attestation.world.runtime import Guest, Runtime

from tests.config.production import Witness, host, written
from tests.emulation.ita_service import KEY as ITA_KEY
from tests.emulation.ita_service import ItaMiniature
from tests.emulation.kbs_service import KbsMiniature
from tests.emulation.maa_service import MaaMiniature
from tests.emulation.nras_service import SERVICE_KEY, NrasMiniature
from tests.emulation.web import WebAuthority, answer
from tests.example_guests import cpp_reporter
from tests.fakes import azure, intel, jose
from tests.fakes.amd import AT
from tests.services.asking import Attested, Gpu

NONCE = bytes(range(16))
VM = wit.TargetVm()


@pytest.fixture(scope="module", params=["legacy", "component"])
def guest(request: pytest.FixtureRequest) -> Guest:
    legacy = cpp_reporter()
    path = legacy if request.param == "legacy" else legacy.with_name("cpp-reporter-component.wasm")
    return Guest.from_file(path)


def ran(service: AttestationService, guest: Guest, *arguments: str) -> Witness:
    world = Witness(service.for_guest(guest.digest))
    Runtime().run(guest, world, args=arguments).check()
    return world


def relying(token: str, issuer: Issuer, expected: Expected) -> Verdict:
    """Verifies as somebody does who has the issuer's keys and nothing of the host's."""
    return tokens.verify(token, expected, Trust(Anchors(()), (issuer,)), at=AT, ledger=Ledger())


def bound(
    nonce: bytes, guest: bytes | None, user_data: bytes | None, audience: str | None
) -> bytes:
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


def keys_at(url: str, authority: WebAuthority) -> JwkSet:
    """Fetches keys as a relying party does, with nothing of the host's."""
    context = ssl.create_default_context(cafile=authority.file)
    with urllib.request.urlopen(url, context=context) as answer:  # noqa: S310
        return jwks.decode(answer.read())


def test_azure(authority: WebAuthority, tmp_path: Path, guest: Guest) -> None:
    with MaaMiniature(authority) as service:
        changes = {"https://sharedweu.weu.attest.azure.net": service.url}
        started = host(written(tmp_path, "azure", changes), Attested(azure.SNP))
        world = ran(started, guest)
        challenge = wit.Challenge(NONCE, b"key", "them")
        answered = started.attest(guest.digest, VM, challenge).token
        keys = keys_at(f"{service.url}/certs", authority)
    issuer = Issuer("MAA", TokenKind.MAA, frozenset({service.url}), keys)
    assert world.answers[:2] == [True, False]
    relying(world.tokens[0], issuer, Expected())
    expected = Expected(NONCE, report_data=bound(NONCE, guest.digest, b"key", "them"))
    assert relying(answered, issuer, expected).kind == "maa"
    another = bound(NONCE, guest.digest, b"key", "others")
    with pytest.raises(RejectedError):
        relying(answered, issuer, Expected(NONCE, report_data=another))


def ita_host(folder: Path, service: ItaMiniature) -> AttestationService:
    (folder / "secrets").mkdir()
    (folder / "secrets" / "ita").write_text(f"{ITA_KEY}\n")
    changes = {
        "https://api.trustauthority.intel.com": service.url,
        "https://portal.trustauthority.intel.com": service.url,
    }
    return host(written(folder, "ita", changes), Attested(intel.PLATFORM))


def test_tdx_with_ita(authority: WebAuthority, tmp_path: Path, guest: Guest) -> None:
    with ItaMiniature(authority) as service:
        started = ita_host(tmp_path, service)
        world = ran(started, guest)
        answered = started.attest(guest.digest, VM, wit.Challenge(NONCE, None, None)).token
        keys = keys_at(f"{service.url}/certs", authority)
    issuer = Issuer("ITA", TokenKind.ITA, frozenset({service.name}), keys)
    assert world.answers[:2] == [True, False]
    relying(world.tokens[0], issuer, Expected())
    expected = Expected(report_data=bound(NONCE, guest.digest, None, None))
    assert relying(answered, issuer, expected).kind == "ita"


def test_a_service_that_is_away_gives_way_to_what_is_written_down(
    authority: WebAuthority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with ItaMiniature(authority) as service:
        started = ita_host(tmp_path, service)
        service.script = [answer("503 Service Unavailable")] * 9
        result = started.attest(None, VM, wit.Challenge(NONCE, None, None))
    assert jwt.issued(result.token) is None  # an evidence token
    assert "no token of kind ita: " in caplog.text


def test_a_services_no_is_the_answer(authority: WebAuthority, tmp_path: Path) -> None:
    with ItaMiniature(authority) as service:
        started = ita_host(tmp_path, service)
        service.forge = lambda claims: claims | {"tdx": claims["tdx"] | {"tdx_is_debuggable": True}}
        with pytest.raises((RejectedError, PolicyError)):
            started.attest(None, VM, wit.Challenge(NONCE, None, None))


def test_gpus_with_nras(
    authority: WebAuthority,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    guest: Guest,
) -> None:
    monkeypatch.setenv("NVIDIA_API_KEY", SERVICE_KEY)
    with NrasMiniature(authority) as service:
        service.wants_key = True
        changes = {"https://nras.attestation.nvidia.com": service.url}
        attested = Attested(intel.PLATFORM, [Gpu(number=n) for n in range(8)])
        started = host(written(tmp_path, "nras", changes), attested)
        world = started.for_guest(guest.digest)
        token = world.attest_gpu(7).token
        keys = keys_at(f"{service.url}/.well-known/jwks.json", authority)
        assert world.verify_token(token)
        assert not world.verify_token(token[:-8] + token[-8:][::-1])
        # For the virtual machine there is what is written down next.
        assert jwt.issued(world.attest_vm().token) is None
    issuer = Issuer("NRAS", TokenKind.NRAS, frozenset({service.url}), keys)
    assert len(relying(token, issuer, Expected()).environments) == 1


def test_other_gpus_than_written_down(authority: WebAuthority, tmp_path: Path) -> None:
    with NrasMiniature(authority) as service:
        changes = {
            "https://nras.attestation.nvidia.com": service.url,
            'api-key-env = "NVIDIA_API_KEY"': "",
        }
        started = host(written(tmp_path, "nras", changes), Attested(intel.PLATFORM, [Gpu()]))
        with pytest.raises(UnavailableError):
            started.attest(None, wit.TargetGpu(0), wit.Challenge(NONCE, None, None))
        assert service.requests == []


def test_trustee(authority: WebAuthority, tmp_path: Path, guest: Guest) -> None:
    with KbsMiniature(authority) as service:
        started = host(
            written(tmp_path, "trustee", {"https://kbs.example:8080": service.url}),
            Attested(intel.PLATFORM),
        )
        world = ran(started, guest)
        answered = started.attest(guest.digest, VM, wit.Challenge(NONCE, None, None)).token
        keys = keys_at(f"{service.url}/jwks", authority)
    issuer = Issuer("Trustee", TokenKind.EAR, frozenset(), keys)
    assert world.answers[:2] == [True, False]
    relying(world.tokens[0], issuer, Expected())
    expected = Expected(report_data=bound(NONCE, guest.digest, None, None))
    assert relying(answered, issuer, expected).kind == "ear"


def bring_collateral(folder: Path) -> None:
    """Writes what `endorsements fetch` would have for the miniature platform."""
    folder.mkdir()
    platform = intel.PLATFORM
    signing = platform.key("Intel SGX TCB Signing")
    root = "Intel SGX Root CA"
    for name, body in (("tcbInfo", intel.TCB_INFO), ("enclaveIdentity", intel.QE_IDENTITY)):
        (folder / f"{name}.json").write_bytes(intel.signed(name, body, signing))
    for name in (root, platform.ca):
        (folder / f"{name}.crl").write_bytes(der(intel.crl(name, platform.key(name))))
    (folder / "signer.pem").write_bytes(pem(platform.signer))


def test_air_gapped(tmp_path: Path, guest: Guest) -> None:
    key = jose.p384(77)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "ear.pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    bring_collateral(tmp_path / "endorsements")
    chosen = written(tmp_path, "air-gapped", {})
    assert chosen.endorsers.offline
    started = host(chosen, Attested(intel.PLATFORM))
    world = ran(started, guest)
    answered = started.attest(guest.digest, VM, wit.Challenge(NONCE, None, None)).token
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    issuer = Issuer("the host", TokenKind.EAR, frozenset(), jwks.decode(public))
    assert world.answers[:2] == [True, False]
    verdict = relying(answered, issuer, Expected(nonce=NONCE))
    assert verdict.tee_type == wit.TeeType.INTEL_TDX
