"""What no service gets by with: tokens that are not its own, not in time, or not about this."""

from __future__ import annotations

import asyncio
import base64
import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from wasmtime_attestation.errors import PolicyError, RejectedError, UnsupportedError
from wasmtime_attestation.evidence.envelope import Evidence
from wasmtime_attestation.services import Collector, Request
from wasmtime_attestation.services.awaiting import aissue
from wasmtime_attestation.services.ita import ItaService
from wasmtime_attestation.services.ita_settings import Settings as ItaSettings
from wasmtime_attestation.services.nras import NrasService
from wasmtime_attestation.services.nras_settings import Settings as NrasSettings

from tests.emulation.ita_service import KEY, UNMATCHED, ItaMiniature
from tests.emulation.json_service import Reply
from tests.emulation.maa_service import MaaMiniature
from tests.emulation.nras_service import NrasMiniature
from tests.emulation.web import WebAuthority, WebRequest
from tests.fakes.amd import AT
from tests.fakes.host import Clock
from tests.fakes.ita import POLICY
from tests.fakes.jose import Members, Signer
from tests.fakes.nras import failed
from tests.fakes.token import Forger
from tests.services.asking import ALL, Attested, Gpu, request
from tests.services.cases import CASES, ITA, MAA, NRAS, TRUSTEE, Case, Running, key_place

every = pytest.mark.parametrize("case", CASES, ids=str)


def rejection(running: Running, **changes: object) -> tuple[str, str]:
    """Asks for a token that must not come back; returns the check that failed, and why."""
    with pytest.raises(RejectedError) as caught:
        running.issue(**changes)
    (finding,) = caught.value.findings
    return finding.check, finding.detail


@every
def test_another_issuer(case: Case, authority: WebAuthority, tmp_path: Path) -> None:
    with case.started(authority, tmp_path) as running:
        running.miniature.forge = lambda claims: claims | {"iss": "https://other.example"}
        check, detail = rejection(running)
    assert check == "token.issuer"
    assert "https://other.example" in detail


@pytest.mark.parametrize("name", ["https://nras.attestation.nvidia.com", "Intel Trust Authority"])
@pytest.mark.parametrize("case", [MAA, TRUSTEE], ids=str)
def test_well_known_issuers_are_others_too(
    case: Case, name: str, authority: WebAuthority, tmp_path: Path
) -> None:
    with case.started(authority, tmp_path) as running:
        running.miniature.forge = lambda claims: claims | {"iss": name}
        assert rejection(running)[0] == "token.issuer"


@pytest.mark.parametrize("value", [None, 1, ["a"], {"a": 1}], ids=str)
@every
def test_an_issuer_that_is_no_text(
    case: Case, value: object, authority: WebAuthority, tmp_path: Path
) -> None:
    with case.started(authority, tmp_path) as running:
        running.miniature.forge = lambda claims: claims | {"iss": value}
        assert rejection(running)[0] == "token.issuer"


@every
def test_an_evidence_token_is_no_service_s(
    case: Case, authority: WebAuthority, tmp_path: Path
) -> None:
    """It is authentic in its own way, and its key is anybody's."""
    forged = Forger().token()
    with case.started(authority, tmp_path) as running:
        real = running.miniature.respond
        body = {"token": forged} if case is not NRAS else [["JWT", forged], {}]

        def respond(sent: WebRequest) -> Reply:
            is_attestation = sent in running.miniature.asked(case.attest_path)
            return ("200 OK", body) if is_attestation else real(sent)

        running.miniature.respond = respond  # type: ignore[method-assign, assignment]
        with pytest.raises(RejectedError) as caught:
            running.issue()
    assert caught.value.findings[0].check in ("token.issuer", "token.format")


@pytest.mark.parametrize("case", [MAA, ITA], ids=str)
def test_keys_that_are_elsewhere(case: Case, authority: WebAuthority, tmp_path: Path) -> None:
    """Whoever answers in the service's place names the keys of its own."""
    with case.started(authority, tmp_path) as running:
        assert isinstance(running.miniature, MaaMiniature | ItaMiniature)
        running.miniature.jku = "https://evil.example/certs"
        check, detail = rejection(running)
        assert running.fetched() == 0
    assert check == "token.key"
    assert "https://evil.example/certs" in detail


@every
def test_another_key_of_the_same_name(case: Case, authority: WebAuthority, tmp_path: Path) -> None:
    with case.started(authority, tmp_path) as running:
        right, other = running.miniature.signer, case.another_key()
        running.miniature.signer = Signer(other.key, other.algorithm, right.key_id)
        assert rejection(running)[0] == "token.signature"


@every
def test_a_key_that_is_nowhere_is_looked_for_once(
    case: Case, authority: WebAuthority, tmp_path: Path
) -> None:
    with case.started(authority, tmp_path) as running:
        running.issue()
        assert running.fetched() == 1
        running.miniature.signer = case.another_key()
        assert rejection(running)[0] == "token.key"
        assert running.fetched() == 2


@every
def test_keys_that_change_between_two_calls(
    case: Case, authority: WebAuthority, tmp_path: Path
) -> None:
    with case.started(authority, tmp_path) as running:
        running.issue()
        running.issue()
        assert running.fetched() == 1
        running.miniature.signer = case.another_key()
        running.miniature.published = [running.miniature.signer]
        running.issue()
        assert running.fetched() == 2
        known = [key.key_id for key in running.service.issuer.keys.keys]
    assert known == [running.miniature.signer.key_id]


@every
def test_clocks(case: Case, authority: WebAuthority, tmp_path: Path) -> None:
    """A service may be a minute ahead; one that is behind gives tokens that end sooner."""
    with case.started(authority, tmp_path) as running:
        for ahead in (60, 0, -60, -case.lifetime + 1):
            running.miniature.clock.now = AT.timestamp() + ahead
            running.issue()
        for ahead, why in ((61, "begins in 61 s"), (300, "begins in 300 s")):
            running.miniature.clock.now = AT.timestamp() + ahead
            check, detail = rejection(running)
            assert (check, why in detail) == ("token.time", True)
        running.miniature.clock.now = AT.timestamp() - case.lifetime
        check, detail = rejection(running)
    assert (check, "expired" in detail) == ("token.time", True)


@every
def test_five_minutes_behind(case: Case, authority: WebAuthority, tmp_path: Path) -> None:
    """Tokens of five minutes are over then; longer ones are not, and are fresh by their nonce."""
    with case.started(authority, tmp_path) as running:
        running.miniature.clock.now = AT.timestamp() - 300
        if case.lifetime == 300:
            assert rejection(running)[0] == "token.time"
        else:
            running.issue()


@every
def test_the_clock_is_read_when_the_token_is_there(
    case: Case, authority: WebAuthority, tmp_path: Path
) -> None:
    clock = Clock(AT.timestamp() - 10_000)

    with case.started(authority, tmp_path) as running:
        right = case.machine().collector

        def vm(data: bytes, nonce: bytes | None) -> Evidence:
            clock.now = AT.timestamp()
            return right.vm(data, nonce)

        def gpu(index: int, nonce: bytes) -> Evidence:
            clock.now = AT.timestamp()
            return right.gpu(index, nonce)

        late = Collector(right.info, vm, gpu, right.devices)
        running.service.issue(late, case.request(clock=clock))


@every
def test_evidence_that_is_bound_to_something_else(
    case: Case, authority: WebAuthority, tmp_path: Path
) -> None:
    """A token that the service made for another request with other evidence."""
    other = bytes(64)
    with case.started(authority, tmp_path) as running:
        tokens: list[Members] = []

        def remember(claims: Members) -> Members:
            tokens.append(claims)
            return claims

        running.miniature.forge = remember
        running.issue(bound=other)
        running.miniature.forge = lambda _claims: tokens[0]
        check, _ = rejection(running)
    assert check in ("evidence.binding", "token.nonce", "nras.digests")


@pytest.mark.parametrize(
    ("case", "check"),
    [
        (MAA, "evidence.binding"),
        (ITA, "token.nonce"),
        (NRAS, "token.nonce"),
        (TRUSTEE, "evidence.binding"),
    ],
    ids=str,
)
def test_the_answer_to_another_request(
    case: Case, check: str, authority: WebAuthority, tmp_path: Path
) -> None:
    """All of it, as it was: authentic, in time, about the same machine."""
    with case.started(authority, tmp_path) as running:
        real = running.miniature.respond
        answers: list[Reply] = []

        def respond(sent: WebRequest) -> Reply:
            if sent not in running.miniature.asked(case.attest_path):
                return real(sent)
            answers.append(real(sent))
            return answers[0]

        running.miniature.respond = respond  # type: ignore[method-assign, assignment]
        running.issue(bound=bytes(64))
        assert rejection(running)[0] == check


def _with_measurement(claims: Members) -> Members:
    altered = copy.deepcopy(claims)
    for part in (altered, altered.get("tdx", {}), *_trustee_bodies(altered)):
        for name in ("x-ms-sevsnpvm-launchmeasurement", "tdx_mrtd", "mr_td"):
            if name in part:
                part[name] = "cc" * 48
    return altered


def _trustee_bodies(claims: Members) -> list[Any]:
    submodules = claims.get("submods", {}).values()
    found = [s.get("ear.veraison.annotated-evidence", {}) for s in submodules]
    return [each["tdx"]["quote"]["body"] for each in found if "tdx" in each]


@pytest.mark.parametrize("case", [MAA, ITA, TRUSTEE], ids=str)
def test_another_machine_with_the_same_binding(
    case: Case, authority: WebAuthority, tmp_path: Path
) -> None:
    with case.started(authority, tmp_path) as running:
        running.miniature.forge = _with_measurement
        check, detail = rejection(running)
    assert check == "service.evidence"
    assert "another machine" in detail


def _as_snp(claims: Members) -> Members:
    """A SEV-SNP machine in place of a trust domain, bound to the same."""
    about = {
        "attester_type": "SEVSNP",
        "sevsnp_is_debuggable": False,
        "verifier_nonce": claims["tdx"]["verifier_nonce"],
        "attester_held_data": claims["tdx"]["attester_held_data"],
    }
    return {name: value for name, value in claims.items() if name != "tdx"} | about


def _with_enclave(claims: Members) -> Members:
    return claims | {"sgx": {"sgx_is_debuggable": False}}


@pytest.mark.parametrize("forge", [_as_snp, _with_enclave])
def test_intel_answers_about_another_kind_of_machine(
    forge: Callable[[Members], Members], authority: WebAuthority, tmp_path: Path
) -> None:
    with ITA.started(authority, tmp_path) as running:
        running.miniature.forge = forge
        check, detail = rejection(running)
    assert (check, "machine" in detail) == ("service.evidence", True)


def test_azure_answers_about_another_kind_of_machine(
    authority: WebAuthority, tmp_path: Path
) -> None:
    def forge(claims: Members) -> Members:
        claims = {n: v for n, v in claims.items() if not n.startswith("x-ms-sevsnpvm")}
        return claims | {
            "x-ms-attestation-type": "tdxvm",
            "tdx_mrtd": "00" * 48,
            "tdx_td_attributes_debug": False,
        }

    with MAA.started(authority, tmp_path) as running:
        running.miniature.forge = forge
        check, detail = rejection(running)
    assert (check, "another machine" in detail) == ("service.evidence", True)


def test_another_device(authority: WebAuthority, tmp_path: Path) -> None:
    with NRAS.started(authority, tmp_path) as running:
        assert isinstance(running.miniature, NrasMiniature)
        running.miniature.forge_device = lambda claims: claims | {"ueid": "1"}
        assert rejection(running)[0] == "nras.device"


def test_azure_repeats_another_nonce(authority: WebAuthority, tmp_path: Path) -> None:
    with MAA.started(authority, tmp_path) as running:
        running.miniature.forge = lambda claims: claims | {"nonce": "AAAAAAAAAAA"}
        assert rejection(running)[0] == "token.nonce"


def test_intel_answers_another_nonce(authority: WebAuthority, tmp_path: Path) -> None:
    """The nonce of another request, with the quote of this one."""
    old = {"val": base64.b64encode(bytes(40)).decode(), "iat": "AAAA", "signature": "AAAA"}
    with ITA.started(authority, tmp_path) as running:
        running.miniature.forge = lambda claims: (
            claims | {"tdx": claims["tdx"] | {"verifier_nonce": old}}
        )
        assert rejection(running)[0] == "token.nonce"


def test_intel_policies_that_did_not_match(authority: WebAuthority, tmp_path: Path) -> None:
    place = key_place(tmp_path, KEY)
    with ItaMiniature(authority) as miniature:
        account = ItaSettings(place, url=miniature.url, portal=miniature.url)
        collector = ITA.machine().collector

        strict = ItaService(replace(account, policy_ids=(POLICY, UNMATCHED)))
        with pytest.raises(RejectedError, match=r"does not match.*it means a policy"):
            strict.issue(collector, ITA.request())

        matching = ItaService(replace(account, policy_ids=(POLICY,)))
        matching.issue(collector, ITA.request())
        # The service is told, and the token says otherwise.
        miniature.forge = lambda claims: (
            claims
            | {
                "policy_ids_matched": [],
                "policy_ids_unmatched": [{"id": POLICY}],
            }
        )
        with pytest.raises(PolicyError, match="required policies did not match"):
            matching.issue(collector, ITA.request())

        miniature.forge = lambda claims: claims
        lax = ItaService(replace(account, policy_ids=(UNMATCHED,), must_match=False))
        lax.issue(collector, ITA.request())


GPUS = tuple(Gpu(number=n, is_altered=n == 5) for n in range(8))


@pytest.mark.parametrize("case", [ITA, TRUSTEE], ids=str)
def test_one_gpu_of_eight_is_not_as_it_should_be(
    case: Case, authority: WebAuthority, tmp_path: Path
) -> None:
    machine = Attested(case.hardware, GPUS)
    with case.started(authority, tmp_path) as running, pytest.raises(PolicyError) as caught:
        running.service.issue(machine.collector, replace(case.request(), target=ALL))
    assert "5" in str(caught.value)


def test_nvidia_says_no_to_one_of_eight(authority: WebAuthority) -> None:
    with NrasMiniature(authority) as miniature:
        service = NrasService(NrasSettings(miniature.url, devices_only=True))
        with pytest.raises(PolicyError) as caught:
            service.issue(Attested(devices=GPUS).collector, request(ALL))
    details = [finding.detail for finding in caught.value.findings]
    assert any("x-nvidia-overall-att-result" in each for each in details)
    assert any(each.startswith("GPU-5: measres") for each in details)
    assert not any(each.startswith("GPU-4") for each in details)


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        (4003, "the nonce in the request is invalid"),
        (4005, "the evidence is malformed"),
        (4007, "certificate chain is not valid"),
        (4010, "another nonce"),
        (4013, "signature is not the device's"),
        (4014, "certificate chain is not valid"),
        (4015, "certificate chain is not valid"),
        (5013, "reference manifest"),
    ],
)
def test_nvidia_explains_what_it_did_not_authenticate(
    code: int, meaning: str, authority: WebAuthority, tmp_path: Path
) -> None:
    with NRAS.started(authority, tmp_path) as running:
        assert isinstance(running.miniature, NrasMiniature)
        running.miniature.forge_device = lambda claims: (
            failed(code, "words of the service") | {"iss": claims["iss"]}
        )
        check, detail = rejection(running)
    assert check == "nras.evidence"
    assert meaning in detail
    assert str(code) in detail
    assert "words of the service" in detail


def test_nvidia_gets_evidence_for_another_nonce(authority: WebAuthority, tmp_path: Path) -> None:
    """HTTP 200, a signature and the right eat_nonce: and still a no (error 4010)."""
    with NRAS.started(authority, tmp_path) as running:
        right = NRAS.machine().collector
        stale = Collector(
            right.info, right.vm, lambda index, _nonce: right.gpu(index, bytes(32)), right.devices
        )
        with pytest.raises(RejectedError, match=r"nras.evidence.*4010") as caught:
            running.service.issue(stale, NRAS.request())
    assert caught.value.exit_code == 4


def _other_session(claims: Members) -> Members:
    altered = copy.deepcopy(claims)
    evidence = altered["submods"]["cpu0"]["ear.veraison.annotated-evidence"]
    evidence["runtime_data_claims"]["nonce"] = "AAAA"
    return altered


def _without_gpu(claims: Members) -> Members:
    altered = copy.deepcopy(claims)
    del altered["submods"]["gpu7"]
    return altered


def _without_runtime(claims: Members) -> Members:
    altered = copy.deepcopy(claims)
    del altered["submods"]["gpu7"]["ear.veraison.annotated-evidence"]["runtime_data_claims"]
    return altered


def _with_real_algorithm(claims: Members) -> Members:
    altered = copy.deepcopy(claims)
    for submodule in altered["submods"].values():
        evidence = submodule["ear.veraison.annotated-evidence"]
        evidence["runtime_data_claims"]["tee-pubkey"]["alg"] = "ECDH-ES+A256KW"
    return altered


@pytest.mark.parametrize(
    ("forge", "check"),
    [
        (_other_session, "token.nonce"),
        (_without_gpu, "service.evidence"),
        (_without_runtime, "evidence.binding"),
        (_with_real_algorithm, "evidence.binding"),
    ],
)
def test_trustee_leaves_something_out(
    forge: Any,  # noqa: ANN401
    check: str,
    authority: WebAuthority,
    tmp_path: Path,
) -> None:
    machine = Attested(TRUSTEE.hardware, tuple(Gpu(number=n) for n in range(8)))
    with TRUSTEE.started(authority, tmp_path) as running:
        running.service.issue(machine.collector, request(ALL))
        running.miniature.forge = forge
        with pytest.raises(RejectedError) as caught:
            running.service.issue(machine.collector, request(ALL))
    assert caught.value.findings[0].check == check


@pytest.mark.parametrize("name", ["eat_nonce", "claim_details"])
def test_intel_is_silent_about_gpus(name: str, authority: WebAuthority, tmp_path: Path) -> None:
    def forge(claims: Members) -> Members:
        altered = copy.deepcopy(claims)
        section = altered["nvgpu"]
        if name == "claim_details":
            del section["claim_details"]["GPU-1"]
        else:
            for details in section["claim_details"].values():
                details["eat_nonce"] = "00" * 32
        return altered

    machine = Attested(ITA.hardware, tuple(Gpu(number=n) for n in range(2)))
    with ITA.started(authority, tmp_path) as running:
        running.miniature.forge = forge
        with pytest.raises(RejectedError) as caught:
            running.service.issue(machine.collector, request(ALL))
    expected = "evidence.binding" if name == "eat_nonce" else "service.evidence"
    assert caught.value.findings[0].check == expected


@pytest.mark.parametrize("case", [MAA, NRAS], ids=str)
def test_targets_that_a_service_does_not_take(
    case: Case, authority: WebAuthority, tmp_path: Path
) -> None:
    with case.started(authority, tmp_path) as running:
        with pytest.raises(UnsupportedError):
            running.service.issue(case.machine().collector, _targeting(case, ALL))
        assert running.miniature.requests == []


def _targeting(case: Case, target: Any) -> Request:  # noqa: ANN401
    return replace(case.request(), target=target)


@every
def test_event_loops(case: Case, authority: WebAuthority, tmp_path: Path) -> None:
    with case.started(authority, tmp_path) as running:
        token = asyncio.run(aissue(running.service, case.machine().collector, case.request()))
    assert token
