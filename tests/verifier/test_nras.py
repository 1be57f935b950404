"""NVIDIA's service: a detached EAT counts only as a whole, and its "no" is no "yes"."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from wasmtime_attestation.checks import Ledger, Outcome
from wasmtime_attestation.endorsements import jwks
from wasmtime_attestation.endorsements.x509 import spki_sha256
from wasmtime_attestation.errors import InvalidArgumentError, UnavailableError
from wasmtime_attestation.verifier.expectations import Expected
from wasmtime_attestation.verifier.issuers import NVIDIA, Issuer
from wasmtime_attestation.wit import Status, TeeType

from tests import vectors
from tests.fakes import nras
from tests.fakes.amd import AT
from tests.fakes.jose import Members, Signer, certificate, p384, rsa_key, x5c
from tests.fakes.nras import SIGNER, answer, device, document, overall
from tests.verifier.service_verification import cuts_and_flips, rejected, survives, verify

KEYS = nras.keys()
VECTOR = "nvidia/nvsdk_hopperClaimsv3_detached_eat.json"


def parts(data: bytes) -> tuple[str, dict[str, str]]:
    value = json.loads(data)
    return value[0][1], value[1]


@pytest.mark.parametrize("version", nras.VERSIONS)
def test_a_right_answer(version: str) -> None:
    verdict = verify(answer(version=version), KEYS, expected=Expected(nonce=nras.NONCE))
    assert (verdict.kind, verdict.issuer) == ("nras", nras.ISSUER)
    assert (verdict.status, verdict.tee_type) == (Status.AFFIRMING, TeeType.NVIDIA_GPU)
    assert verdict.nonce == nras.NONCE.hex()
    (gpu,) = verdict.environments
    assert (gpu.name, gpu.debug) == ("GPU-0", False)
    assert gpu.measurements["driver-version"] == "driver 1"
    assert verdict.token["submodules"] == {"GPU-0": device(version)}


def test_eight_gpus_and_a_switch() -> None:
    devices = {f"GPU-{n}": device(serial=n + 1) for n in range(8)}
    devices["SWITCH-0"] = device(kind="switch", serial=99)
    verdict = verify(answer(devices), KEYS)
    assert verdict.status is Status.AFFIRMING
    assert [e.name for e in verdict.environments] == sorted(devices)


def test_a_device_does_not_stand_for_two() -> None:
    """The service answers as often as it is asked, also about the same evidence."""
    twice = {f"GPU-{n}": device(serial=5) for n in range(2)}
    check, detail = rejected(answer(twice), KEYS)
    assert check == "nras.device"
    assert "device 5 stands twice" in detail


def test_devices_without_identity_are_not_counted() -> None:
    nameless = {f"GPU-{n}": device() | {"ueid": None} for n in range(2)}
    check, detail = rejected(answer(nameless), KEYS)
    assert (check, "no ueid" in detail) == ("nras.device", True)


def test_an_answer_as_nvattest_prints_it() -> None:
    printed = {"result_code": 0, "claims": [], "detached_eat": json.loads(answer())}
    assert verify(json.dumps(printed), KEYS).status is Status.AFFIRMING


def test_the_real_answers_digests() -> None:
    """Its keys are not public; the digests hold without them."""
    ledger = Ledger()
    with pytest.raises(UnavailableError, match=r"token\.key: the keys of NVIDIA"):
        verify(vectors.read(VECTOR), ledger=ledger)
    outcomes = {check.id: check for check in ledger.checks}
    assert outcomes["nras.digests"].outcome is Outcome.PASSED
    assert "d7c2a949a5c69bff1a12de3da0c9a23bc966041b811b99a89dfe44c2dde8c37c" in (
        outcomes["nras.digests"].detail
    )
    assert outcomes["token.issuer"].outcome is Outcome.PASSED
    assert outcomes["token.signature"].outcome is Outcome.NOT_CHECKED


def test_the_real_answer_with_another_services_keys() -> None:
    assert rejected(vectors.read(VECTOR), KEYS)[0] == "token.key"


def test_a_real_devices_claims() -> None:
    """Signed by the miniature, since nobody has the real key."""
    claims = json.loads(vectors.read("nvidia/nvsdk_hopperClaimsv3_decoded.json"))["GPU-0"]
    nonce = claims["eat_nonce"]
    at = AT.fromtimestamp(claims["iat"] + 5, AT.tzinfo)
    times = {name: claims[name] for name in ("iat", "nbf", "exp")}
    verdict = verify(answer({"GPU-0": claims}, eat_nonce=nonce, **times), KEYS, at=at)
    assert verdict.status is Status.AFFIRMING
    assert verdict.environments[0].measurements == {
        "ueid": "478176379286082186618948445787393647364802107249",
        "driver-version": "550.90.07",
        "vbios-version": "96.00.9F.00.01",
        "hwmodel": "GH100 A01 GSP BROM",
    }


def test_without_keys_it_says_what_is_missing() -> None:
    with pytest.raises(UnavailableError, match="give its JWKS") as caught:
        verify(answer())
    assert caught.value.exit_code == 6


def test_another_issuer() -> None:
    check, why = rejected(answer(iss="https://nras.attestation-stg.nvidia.com"), KEYS)
    assert check == "token.issuer"
    assert "attestation-stg" in why
    assert "--issuer" in why


def test_only_es384() -> None:
    for header in ({"alg": "HS256"}, {"alg": "none"}, SIGNER.header | {"alg": "ES256"}):
        tokens = {"GPU-0": SIGNER.sign(device())}
        data = document(SIGNER.sign(overall(tokens), header), tokens)
        assert rejected(data, KEYS)[0] == "token.profile"
        tokens = {"GPU-0": SIGNER.sign(device(), header)}
        data = document(SIGNER.sign(overall(tokens)), tokens)
        assert rejected(data, KEYS)[0] == "nras.submodules"


class TestDigests:
    def test_another_devices_token(self) -> None:
        total, _ = parts(answer())
        other = {"GPU-0": SIGNER.sign(device(serial=5))}
        assert rejected(document(total, other), KEYS)[0] == "nras.digests"

    def test_the_same_claims_signed_again(self) -> None:
        total, _ = parts(answer())
        again = {"GPU-0": SIGNER.sign(device())}
        assert rejected(document(total, again), KEYS)[0] == "nras.digests"

    def test_a_token_too_many_or_too_few(self) -> None:
        devices = {f"GPU-{n}": device(serial=n + 1) for n in range(2)}
        total, tokens = parts(answer(devices))
        assert rejected(document(total, {"GPU-0": tokens["GPU-0"]}), KEYS)[0] == "nras.digests"
        assert rejected(document(total, {}), KEYS)[0] == "nras.digests"
        more = tokens | {"GPU-2": tokens["GPU-0"]}
        assert rejected(document(total, more), KEYS)[0] == "nras.digests"
        swapped = {"GPU-0": tokens["GPU-1"], "GPU-1": tokens["GPU-0"]}
        assert rejected(document(total, swapped), KEYS)[0] == "nras.digests"

    def test_the_overall_token_alone(self) -> None:
        total, _ = parts(answer())
        check, why = rejected(total, KEYS)
        assert check == "nras.digests"
        assert "whole answer" in why

    @pytest.mark.parametrize(
        "stated",
        [
            ["DIGEST", ["SHA256", "right"]],
            ["DIGEST", ["MD5", "right"]],
            ["DIGEST", ["SHA-256", "RIGHT"]],
            ["DIGEST", ["SHA-256", ""]],
            ["DIGEST", ["SHA-256"]],
            ["DIGEST"],
            [],
            None,
            "right",
            {"DIGEST": "right"},
        ],
        ids=repr,
    )
    def test_other_digests(self, stated: Any) -> None:  # noqa: ANN401
        tokens = {"GPU-0": SIGNER.sign(device())}
        right = nras.digest(tokens["GPU-0"])[1][1]
        filled = json.loads(
            json.dumps(stated).replace("right", right).replace("RIGHT", right.upper())
        )
        total = SIGNER.sign(overall(tokens, submods={"GPU-0": filled}))
        assert rejected(document(total, tokens), KEYS)[0] == "nras.digests"

    @pytest.mark.parametrize("submods", [{}, None, [], "GPU-0"], ids=repr)
    def test_no_devices_at_all(self, submods: object) -> None:
        assert rejected(document(SIGNER.sign(overall({}, submods=submods)), {}), KEYS)[0] == (
            "nras.digests"
        )

    def test_another_subject(self) -> None:
        assert rejected(answer(sub="NVIDIA-GPU-ATTESTATION"), KEYS)[0] == "nras.digests"


class TestSubmodules:
    def refused(self, claims: Members, signer: Signer = SIGNER) -> str:
        tokens = {"GPU-0": signer.sign(claims)}
        check, why = rejected(document(SIGNER.sign(overall(tokens)), tokens), KEYS)
        assert check == "nras.submodules"
        assert "GPU-0" in why
        return why

    def test_signed_by_somebody_else(self) -> None:
        self.refused(device(), Signer(p384(9), "ES384", SIGNER.key_id))

    def test_of_another_time(self) -> None:
        assert "expired" in self.refused(device() | {"iat": 1000, "nbf": 1000, "exp": 4600})
        self.refused(device() | {"exp": None})
        self.refused({n: v for n, v in device().items() if n != "iat"})

    def test_of_another_issuer(self) -> None:
        self.refused(device() | {"iss": "https://nras.attestation-stg.nvidia.com"})

    @pytest.mark.parametrize("nonce", [bytes(32).hex(), None, "", 5], ids=repr)
    def test_of_another_nonce(self, nonce: object) -> None:
        assert "nonce" in self.refused(device() | {"eat_nonce": nonce})


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        (4003, "the nonce in the request is invalid"),
        (4010, "another nonce"),
        (4013, "signature is not the device's"),
        (5013, "RIM"),
        (9999, "did not verify"),
    ],
)
def test_a_device_whose_evidence_the_service_refused(code: int, meaning: str) -> None:
    devices = {"GPU-0": nras.failed(code, "the service's words"), "GPU-1": device()}
    check, why = rejected(answer(devices, result=False), KEYS, expected=Expected(nras.NONCE))
    assert check == "nras.evidence"
    assert f"GPU-0: error {code}" in why
    assert meaning in why
    assert "the service's words" in why


def test_the_overall_result_cannot_make_up_for_a_refused_device() -> None:
    devices = {"GPU-0": nras.failed(4010, "nonce"), "GPU-1": device()}
    assert rejected(answer(devices, result=True), KEYS)[0] == "nras.evidence"


REPORT = "x-nvidia-gpu-attestation-report"


@pytest.mark.parametrize("wrong", [False, None, "true", 1], ids=repr)
@pytest.mark.parametrize(
    ("version", "name"),
    [
        *((v, f"{REPORT}-parsed") for v in nras.VERSIONS),
        *((v, f"{REPORT}-signature-verified") for v in nras.VERSIONS),
        *((v, f"{REPORT}-nonce-match") for v in nras.VERSIONS),
        *((v, "x-nvidia-gpu-arch-check") for v in nras.VERSIONS),
        ("2.0", f"{REPORT}-cert-chain-validated"),
        ("3.0", f"{REPORT}-cert-chain-fwid-match"),
        ("3.0", f"{REPORT}-cert-chain"),
    ],
)
def test_evidence_that_is_not_authentic(version: str, name: str, wrong: object) -> None:
    check, why = rejected(answer({"GPU-0": device(version) | {name: wrong}}, version), KEYS)
    assert check == "nras.evidence"
    assert name in why


@pytest.mark.parametrize("chain", [("expired", "good"), ("valid", "revoked"), ("valid", "unknown")])
def test_a_device_chain_that_does_not_hold(chain: tuple[str, str]) -> None:
    claims = device() | {f"{REPORT}-cert-chain": nras.chain(*chain)}
    assert rejected(answer({"GPU-0": claims}), KEYS)[0] == "nras.evidence"


AGAINST: list[tuple[str, Members]] = [
    ("3.0", {"measres": "fail"}),
    ("3.0", {"measres": None}),
    ("3.0", {"measres": True}),
    ("3.0", {"secboot": False}),
    ("3.0", {"secboot": 1}),
    ("3.0", {"secboot": None}),
    ("3.0", {"dbgstat": "enabled"}),
    ("3.0", {"dbgstat": None}),
    ("3.0", {"x-nvidia-gpu-driver-rim-signature-verified": False}),
    ("3.0", {"x-nvidia-gpu-vbios-rim-version-match": False}),
    ("3.0", {"x-nvidia-gpu-vbios-rim-cert-chain": nras.chain("expired")}),
    ("3.0", {"x-nvidia-gpu-driver-rim-cert-chain": nras.chain("valid", "revoked")}),
    ("3.0", {"x-nvidia-gpu-vbios-index-no-conflict": False}),
    ("2.0", {"x-nvidia-gpu-driver-rim-cert-validated": False}),
    ("2.0", {"x-nvidia-gpu-vbios-rim-fetched": False}),
]


@pytest.mark.parametrize(("version", "change"), AGAINST, ids=lambda value: str(value)[:60])
def test_a_device_that_is_not_as_it_should_be(version: str, change: Members) -> None:
    """The token is authentic; its answer is no, whatever the overall result says."""
    for result in (True, False):
        verdict = verify(answer({"GPU-0": device(version) | change}, version, result=result), KEYS)
        assert verdict.status is Status.CONTRAINDICATED
        assert any(next(iter(change)) in reason.detail for reason in verdict.reasons)


@pytest.mark.parametrize("result", [False, None, "true", 1], ids=repr)
def test_an_overall_result_that_is_not_true(result: object) -> None:
    changes = {"x-nvidia-overall-att-result": result}
    verdict = verify(answer(None, "3.0", result=True, **changes), KEYS)
    assert verdict.status is Status.CONTRAINDICATED
    assert "the service says no" in verdict.reasons[0].detail


def test_a_warning_is_one() -> None:
    claims = device() | {"x-nvidia-attestation-warning": "old firmware"}
    verdict = verify(answer({"GPU-0": claims}), KEYS)
    assert verdict.status is Status.WARNING
    assert "old firmware" in verdict.reasons[0].detail


@pytest.mark.parametrize("version", ["1.0", "4.0", "", None, 3], ids=repr)
def test_versions_of_claims_that_are_not_known(version: object) -> None:
    changes = {"x-nvidia-ver": version}
    check, why = rejected(answer(None, "3.0", result=True, **changes), KEYS)
    assert check == "token.format"
    assert "known are 2.0, 3.0" in why


def test_time() -> None:
    for seconds, fails in ((-61, True), (-60, False), (3599, False), (3600, True)):
        at = AT + timedelta(seconds=seconds)
        if fails:
            assert rejected(answer(), KEYS, at=at)[0] == "token.time"
        else:
            verify(answer(), KEYS, at=at)


def test_expectations() -> None:
    assert rejected(answer(), KEYS, expected=Expected(nonce=bytes(32)))[0] == "token.nonce"
    assert rejected(answer(), KEYS, expected=Expected(audience="us"))[0] == "token.audience"
    assert rejected(answer(), KEYS, expected=Expected(max_age_seconds=9))[0] == "token.age"
    verify(answer(aud="us"), KEYS, expected=Expected(nras.NONCE, "us", 10))
    with pytest.raises(InvalidArgumentError, match="no report data"):
        verify(answer(), KEYS, expected=Expected(report_data=bytes(64)))


def test_the_devices_are_those_of_the_evidence() -> None:
    devices = {f"GPU-{n}": device(serial=n + 1) for n in range(11)}
    verify(answer(devices), KEYS, expected=Expected(device_serials=tuple(range(1, 12))))
    for serials in ((2, 1), (1,), (), tuple(range(2, 13)), tuple(range(1, 13))):
        expected = Expected(device_serials=serials)
        assert rejected(answer(devices), KEYS, expected=expected)[0] == "nras.device"
    for ueid in (None, "", "x", "-1", "٣", "1" * 51):
        data = answer({"GPU-0": device() | {"ueid": ueid}})
        expected = Expected(device_serials=(1,))
        assert rejected(data, KEYS, expected=expected)[0] == "nras.device"


class TestPins:
    def issuer(self, *pins: bytes, **changes: Any) -> Issuer:  # noqa: ANN401
        jwk = {n: v for n, v in (nras.key() | changes).items() if v is not None}
        return Issuer(
            "pinned",
            NVIDIA.kind,
            NVIDIA.names,
            jwks.of_json({"keys": [jwk]}),
            pins=frozenset(pins),
        )

    def test_the_pinned_authority(self) -> None:
        assert verify(answer(), issuers=[self.issuer(bytes(32), nras.PIN)]).status
        check, why = rejected(answer(), issuers=[self.issuer(bytes(32))])
        assert check == "token.key"
        assert "no certificate (x5c) from a pinned authority" in why

    def test_a_key_without_a_chain(self) -> None:
        assert rejected(answer(), issuers=[self.issuer(nras.PIN, x5c=None)])[0] == "token.key"

    def test_a_chain_that_does_not_hold(self) -> None:
        """The pinned certificate stands in the chain, and did not certify the key."""
        attacker = rsa_key(43)
        leaf = certificate(SIGNER.key, "leaf", (nras.NAME, attacker))
        chain = x5c(leaf, nras.intermediate())
        check, why = rejected(answer(), issuers=[self.issuer(nras.PIN, x5c=chain)])
        assert check == "token.key"
        assert "does not hold" in why

    def test_a_leaf_that_is_pinned_itself_is_no_authority(self) -> None:
        leaf = certificate(SIGNER.key, "leaf")
        issuer = self.issuer(spki_sha256(leaf), x5c=x5c(leaf))
        assert rejected(answer(), issuers=[issuer])[0] == "token.key"

    def test_a_chain_that_has_expired(self) -> None:
        leaf = certificate(SIGNER.key, "leaf", (nras.NAME, nras.INTERMEDIATE), days=0)
        chain = x5c(leaf, nras.intermediate())
        check, why = rejected(answer(), issuers=[self.issuer(nras.PIN, x5c=chain)])
        assert check == "token.key"
        assert "expired" in why


@pytest.mark.parametrize(
    "data",
    [
        [["JWT", "a.b.c"]],
        [["JWT", "a.b.c"], []],
        [["JWT"], {}],
        [["JWT", 5], {}],
        [["JWT", "a.b.c", ""], {}],
        [["JWT", "a.b.c"], {"GPU-0": 5}],
        [["JWT", "a.b.c"], {"gpu": "a.b.c"}],
        [["JWT", "a.b.c"], {"GPU-0\n": "a.b.c"}],
        [["JWT", "a.b.c"], {"GPU-٣": "a.b.c"}],
        [["JWT", "a.b.c"], {f"GPU-{n}": "a.b.c" for n in range(65)}],
        [["JWT", "a.b.c"], {}, {}],
        {"detached_eat": {}},
        {"detached_eat": None},
    ],
    ids=lambda value: str(value)[:50],
)
def test_what_is_no_detached_eat(data: object) -> None:
    with pytest.raises(Exception, match=r"input\.format"):
        verify(json.dumps(data), KEYS)


def test_every_change_of_a_token_is_rejected() -> None:
    total, tokens = parts(answer())
    for changed in cuts_and_flips(total, 7):
        assert survives(document(changed, tokens), KEYS) is None
    for changed in cuts_and_flips(tokens["GPU-0"], 23):
        assert survives(document(total, {"GPU-0": changed}), KEYS) is None


@pytest.mark.weekly
def test_every_bit_of_a_token() -> None:
    total, tokens = parts(answer())
    for changed in cuts_and_flips(total):
        assert survives(document(changed, tokens), KEYS) is None
    for changed in cuts_and_flips(tokens["GPU-0"]):
        assert survives(document(total, {"GPU-0": changed}), KEYS) is None
