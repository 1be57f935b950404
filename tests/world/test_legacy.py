"""Every function of the world, called by a core module through the legacy ABI."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest
from wasmtime import Engine, Linker, Module, Store, WasmtimeError
from wasmtime_attestation import wit
from wasmtime_attestation.errors import (
    AttestationError,
    DeniedError,
    Finding,
    InternalError,
    InvalidArgumentError,
    PolicyError,
    RejectedError,
    UnavailableError,
    UnsupportedError,
)
from wasmtime_attestation.world.binding.failure import Failure
from wasmtime_attestation.world.legacy import link_legacy

from tests.world.core_guest import PARAMETERS, CoreGuest, forwarder
from tests.world.scripted_world import ATTESTED, NO_TEE, TOKEN, ScriptedWorld, without_tee

pytestmark = pytest.mark.usefixtures("either_path")

NONCE = bytes(range(8))
NONCE_TEXT = "AAECAwQFBgc"


def guest_of(world: wit.World) -> CoreGuest:
    return CoreGuest(forwarder(), world)


def text(guest: CoreGuest, name: str, *arguments: int) -> str:
    return guest.bytes_at(guest.call(name, *arguments)).decode()


def test_detect_tee() -> None:
    assert text(guest_of(ScriptedWorld()), "detect_tee") == (
        '{"tee_type":"AMD SEV-SNP","supports_attestation":true,'
        '"provider":"configfs-tsm","gpu_count":1}'
    )


def test_success_envelope() -> None:
    assert text(guest_of(ScriptedWorld()), "attest_vm") == (
        f'{{"success":true,"token":"{TOKEN}","evidence":null,"error":null,'
        '"timestamp":1767225600,"tee_type":"AMD SEV-SNP"}'
    )


def test_an_answer_that_changes_is_written_anew() -> None:
    class Detected:
        tee_type, supports_attestation, provider, gpu_count = wit.TeeType.OTHER, True, "first", 0

    world = ScriptedWorld(tee=Detected())  # type: ignore[arg-type]
    guest = guest_of(world)
    assert guest.answer("detect_tee")["provider"] == "first"
    Detected.provider = "second"
    assert guest.answer("detect_tee")["provider"] == "second"


def test_failure_envelope() -> None:
    assert text(guest_of(without_tee()), "attest_vm") == (
        f'{{"success":false,"token":null,"evidence":null,"error":"{NO_TEE}",'
        '"timestamp":0,"error_code":"unsupported"}'
    )


def test_evidence_is_a_string() -> None:
    result = wit.AttestationResult(TOKEN, '{"a":"b"}', 5, wit.TeeType.OTHER)
    answer = guest_of(ScriptedWorld(vm=result)).answer("attest_vm")
    assert answer["evidence"] == '{"a":"b"}'
    assert answer["tee_type"] == "other"


@pytest.mark.parametrize(("passed", "index"), [(0, 0), (7, 7), (-1, 0xFFFF_FFFF)])
def test_gpu_index_is_unsigned(passed: int, index: int) -> None:
    world = ScriptedWorld()
    assert guest_of(world).answer("attest_gpu", passed)["tee_type"] == "NVIDIA GPU"
    assert world.calls == [("attest_gpu", index)]


def test_verify_token() -> None:
    guest = guest_of(ScriptedWorld(accepted="naïve"))
    assert guest.call("verify_token", *guest.write(64, "naïve".encode())) == 1
    assert guest.call("verify_token", *guest.write(64, b"naive")) == 0


def test_clear_cache() -> None:
    world = ScriptedWorld()
    guest_of(world).call("clear_cache")
    assert world.calls == [("clear_cache",)]


def test_clear_cache_needs_no_memory() -> None:
    world = ScriptedWorld()
    CoreGuest(forwarder(memory="", rest=""), world).call("clear_cache")
    assert world.calls == [("clear_cache",)]


def test_gpus() -> None:
    world = ScriptedWorld(listed=[wit.GpuInfo(3, "GPU-1", 'H100 "80GB"', confidential=True)])
    assert text(guest_of(world), "gpus") == (
        '{"ok":[{"index":3,"uuid":"GPU-1","name":"H100 \\"80GB\\"","confidential":true}]}'
    )


@pytest.mark.parametrize(
    ("passed", "target"),
    [
        ('{"case":"vm"}', wit.TargetVm()),
        ('{"case":"all","value":null}', wit.TargetAll()),
        ('{"value":4294967295,"case":"gpu"}', wit.TargetGpu(0xFFFF_FFFF)),
    ],
)
def test_attest_passes_the_target(passed: str, target: wit.Target) -> None:
    world = ScriptedWorld()
    guest = guest_of(world)
    asked = guest.write(0, passed.encode()) + guest.write(
        100, f'{{"nonce":"{NONCE_TEXT}"}}'.encode()
    )
    assert guest.answer("attest", *asked)["token"] == TOKEN
    assert world.calls == [("attest", target, wit.Challenge(NONCE))]


def test_attest_passes_the_whole_challenge() -> None:
    world = ScriptedWorld()
    guest = guest_of(world)
    asked = f'{{"nonce":"{NONCE_TEXT}","user_data":"","audience":"bank \\u20ac"}}'
    guest.call("attest", *guest.write(0, b'{"case":"vm"}'), *guest.write(100, asked.encode()))
    assert world.calls[0][2] == wit.Challenge(NONCE, b"", "bank €")


def test_attest_fails_in_the_envelope() -> None:
    guest = guest_of(without_tee())
    asked = guest.write(0, b'{"case":"vm"}') + guest.write(100, b'{"nonce":"AAECAwQFBgc"}')
    answer = guest.answer("attest", *asked)
    assert (answer["success"], answer["error_code"]) == (False, "unsupported")


def test_verify() -> None:
    world = ScriptedWorld()
    guest = guest_of(world)
    expected = f'{{"nonce":"{NONCE_TEXT}","audience":null,"max_age_seconds":60,"policy":"p"}}'
    arguments = guest.write(0, TOKEN.encode()) + guest.write(200, expected.encode())
    assert text(guest, "verify", *arguments) == (
        '{"ok":{"issuer":"host","tee_type":"Intel TDX","status":"affirming","issued_at":1,'
        '"expires_at":301,"guest_digest":"-vv8_f7_","claims":"{\\"a\\":1}"}}'
    )
    assert world.calls == [("verify", TOKEN, wit.Expectations(NONCE, None, 60, "p"))]


def test_verify_expects_nothing_by_default() -> None:
    world = ScriptedWorld()
    guest = guest_of(world)
    guest.call("verify", *guest.write(0, b"t"), *guest.write(10, b"{}"))
    assert world.calls == [("verify", "t", wit.Expectations())]


ERRORS: list[tuple[AttestationError, object]] = [
    (UnsupportedError("a"), {"case": "unsupported", "value": "a"}),
    (UnavailableError("b"), {"case": "unavailable", "value": "b"}),
    (DeniedError('"'), {"case": "denied", "value": '"'}),
    (InvalidArgumentError("d"), {"case": "invalid-argument", "value": "d"}),
    (InternalError("e"), {"case": "internal", "value": "e"}),
    (
        RejectedError.of("snp.signature", "wrong key"),
        {"case": "rejected", "value": [{"check": "snp.signature", "detail": "wrong key"}]},
    ),
    (
        PolicyError([Finding("snp.debug", "on"), Finding("snp.vmpl", "is 3")]),
        {
            "case": "policy",
            "value": [
                {"check": "snp.debug", "detail": "on"},
                {"check": "snp.vmpl", "detail": "is 3"},
            ],
        },
    ),
]


@pytest.mark.parametrize(("error", "expected"), ERRORS)
def test_every_error_of_a_result(error: AttestationError, expected: object) -> None:
    guest = guest_of(ScriptedWorld(listed=error, verdict=error))
    assert guest.answer("gpus") == {"err": expected}
    assert guest.answer("verify", 0, 0, *guest.write(10, b"{}")) == {"err": expected}


@pytest.mark.parametrize(("error", "expected"), ERRORS)
def test_every_error_of_the_envelope(error: AttestationError, expected: dict[str, str]) -> None:
    answer = guest_of(ScriptedWorld(vm=error)).answer("attest_vm")
    assert answer["error_code"] == expected["case"]
    assert answer["error"] == str(error).replace('"', "'")


@pytest.mark.parametrize(
    ("error", "case", "message"),
    [
        (wit.ErrorDenied("no"), "denied", "no"),
        (wit.ErrorRejected([wit.Finding("snp.vmpl", "is 3")]), "rejected", "snp.vmpl: is 3"),
    ],
)
def test_an_error_may_be_raised_as_the_wit_has_it(
    error: wit.Error, case: str, message: str
) -> None:
    guest = guest_of(ScriptedWorld(vm=Failure(error), listed=Failure(error)))
    answer = guest.answer("attest_vm")
    assert (answer["error"], answer["error_code"]) == (message, case)
    assert guest.answer("gpus")["err"]["case"] == case  # type: ignore[index]


def test_host_failure_is_an_internal_error() -> None:
    guest = guest_of(ScriptedWorld(vm=ZeroDivisionError("secret"), listed=KeyError("secret")))
    answer = guest.answer("attest_vm")
    assert answer["error_code"] == "internal"
    assert "secret" not in json.dumps([answer, guest.answer("gpus")])


class MistypedWorld(ScriptedWorld):
    """A world whose answers break its promise, as a careless implementation might."""

    def attest_vm(self) -> wit.AttestationResult:
        return replace(ATTESTED, token=TOKEN.encode())  # type: ignore[arg-type]

    def verify_token(self, token: str) -> bool:
        return len(token) + 1  # type: ignore[return-value]


def test_mistyped_answer_is_an_internal_error() -> None:
    guest = guest_of(MistypedWorld())
    assert guest.answer("attest_vm")["error_code"] == "internal"
    assert guest.call("verify_token", 0, 0) == 0


@pytest.mark.parametrize("token", ['a"b', "a\\b", "é", "a\nb", "a\0b", "\x7f"])
def test_token_that_old_guests_would_misread_is_refused(token: str) -> None:
    result = wit.AttestationResult(token, None, 1, wit.TeeType.AMD_SEV_SNP)
    answer = guest_of(ScriptedWorld(vm=result)).answer("attest_vm")
    assert (answer["success"], answer["error_code"]) == (False, "internal")


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("name", ["detect_tee", "attest_vm", "attest_gpu", "gpus", "verify_token"])
def test_an_interrupt_comes_out_of_the_run_unchanged(name: str, kind: type[BaseException]) -> None:
    stop = kind("now")
    world = ScriptedWorld(tee=stop, vm=stop, gpu=stop, listed=stop, accepted=stop)
    guest = guest_of(world)
    with pytest.raises(kind) as caught:
        guest.call(name, *[0] * PARAMETERS[name])
    assert caught.value is stop
    world.vm = UnsupportedError("later")
    assert guest.answer("attest_vm")["error"] == "later"


@pytest.mark.parametrize("name", ["attest", "verify", "clear_cache"])
def test_an_interrupt_comes_out_of_every_other_function(name: str) -> None:
    stop = KeyboardInterrupt()
    guest = guest_of(ScriptedWorld(fresh=stop, verdict=stop, cleared=stop))
    target = guest.write(0, b'{"case":"vm"}')
    challenge = guest.write(100, b'{"nonce":"AAECAwQFBgc"}' if name == "attest" else b"{}")
    with pytest.raises(KeyboardInterrupt) as caught:
        guest.call(name, *(target + challenge if name != "clear_cache" else ()))
    assert caught.value is stop


def test_exact_core_types() -> None:
    """A module that imports a function with another type does not link."""
    linker = Linker(Engine())
    link_legacy(linker, ScriptedWorld())
    linker.instantiate(Store(linker.engine), Module(linker.engine, forwarder()))
    imported = '(module (import "wasmtime_attestation" "attest_vm" (func (result i64))))'
    with pytest.raises(WasmtimeError, match="attest_vm"):
        linker.instantiate(Store(linker.engine), Module(linker.engine, imported))


def test_a_linker_takes_one_world() -> None:
    linker = Linker(Engine())
    link_legacy(linker, ScriptedWorld())
    with pytest.raises(WasmtimeError, match="wasmtime_attestation"):
        link_legacy(linker, ScriptedWorld())


def test_digest_reads_back() -> None:
    guest = guest_of(ScriptedWorld())
    answer = guest.answer("verify", 0, 0, *guest.write(10, b"{}"))
    assert isinstance(answer["ok"], dict)
    digest = answer["ok"]["guest_digest"]
    assert base64.urlsafe_b64decode(digest) == bytes(range(250, 256))
