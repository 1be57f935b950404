"""A world that misbehaves: the guest sees an error of the world, and Python sees its exceptions.

Numbered bugs are those of wasmtime-py 50 that the component linker works around.
"""

from __future__ import annotations

import copy
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from wasmtime import Store, WasmtimeError
from wasmtime.component import Component, Linker, Variant
from wasmtime_attestation import wit
from wasmtime_attestation.errors import (
    AttestationError,
    DeniedError,
    Finding,
    RejectedError,
)
from wasmtime_attestation.world.component import link_component

from tests.world.components import ARGUMENTS, Embedder, forwarder, record
from tests.world.scripted_world import ATTESTED, SNP, VERDICT, ScriptedWorld

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
NO_TEE = {"tee-type": "none", "supports-attestation": False, "provider": "", "gpu-count": 0}
INTERNAL = ("internal", "the host failed; its log says why")
RESULTS = ["attest-vm", "attest-gpu", "gpus", "attest", "verify"]
CHALLENGE = record(nonce=b"", user_data=None, audience=None)
GPU = wit.GpuInfo(0, "u", "n", confidential=True)


@pytest.fixture(scope="module", params=[True, False], ids=["fast", "wasmtime-py"])
def guest(request: pytest.FixtureRequest) -> Embedder:
    return Embedder(forwarder(), fast=request.param)


def failing(error: BaseException) -> ScriptedWorld:
    """Returns a world whose every function raises `error`."""
    return ScriptedWorld(error, error, error, error, error, error, error, error)


def altered(original: T, field: str, value: object) -> T:
    """Returns a frozen record with a value in it that its types do not allow."""
    changed = copy.copy(original)
    object.__setattr__(changed, field, value)
    return changed


def with_answer(name: str, answer: object) -> wit.World:
    """Returns a world one of whose functions answers what its type does not allow."""
    world = ScriptedWorld()
    setattr(world, name, lambda *_: answer)
    return world


@pytest.mark.parametrize("error", [ValueError("secret"), RecursionError()])
def test_an_exception_of_the_host_is_an_internal_error(guest: Embedder, error: Exception) -> None:
    world = failing(error)
    for name in RESULTS:
        assert guest.call(world, name, *ARGUMENTS[name]) == INTERNAL
    assert guest.call(world, "detect-tee") == NO_TEE
    assert guest.call(world, "verify-token", "t") is False
    assert guest.call(world, "clear-cache") is None


def test_errors_without_a_result_to_put_them_in(guest: Embedder) -> None:
    world = failing(DeniedError("no"))
    assert guest.call(world, "detect-tee") == NO_TEE
    assert guest.call(world, "verify-token", "t") is False
    assert guest.call(world, "clear-cache") is None


class HomemadeError(AttestationError):
    case = "homemade"


@pytest.mark.parametrize("error", [AttestationError("bare"), HomemadeError("bare")])
def test_an_error_outside_the_closed_set_is_internal(
    guest: Embedder, error: AttestationError
) -> None:
    assert guest.call(failing(error), "attest-vm") == (
        "internal",
        "the host failed; its log says why",
    )


class Text(str):
    """A text that pretends to be others."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return Octets(f"{encoding}{errors}".encode() + b"\xff")

    def __str__(self) -> str:
        return "\ud800"


class Octets(bytes):
    def __len__(self) -> int:
        return 300


class Mutable(wit.AttestationResult):
    """A record whose fields can change."""

    __setattr__ = object.__setattr__


def test_what_a_subclass_overrides_never_reaches_wasmtime(guest: Embedder) -> None:
    answer = guest.call(ScriptedWorld(tee=altered(SNP, "provider", Text("plain"))), "detect-tee")
    assert isinstance(answer, dict)
    assert answer["provider"] == "plain"
    world = with_answer("verify", altered(VERDICT, "guest_digest", Octets(b"ab")))
    assert guest.call(world, "verify", *ARGUMENTS["verify"]) == INTERNAL
    world = with_answer("attest_vm", Mutable("token", None, 1, wit.TeeType.OTHER))
    assert guest.call(world, "attest-vm") == INTERNAL


def test_error_texts_that_utf8_cannot_encode_are_escaped(guest: Embedder) -> None:
    assert guest.call(failing(DeniedError("file \udcff")), "gpus") == ("denied", r"file \udcff")
    rejected = RejectedError([Finding("a\ud800", "\udfff!")])
    assert guest.call(failing(rejected), "attest-vm") == (
        "rejected",
        [{"check": r"a\ud800", "detail": r"\udfff!"}],
    )


@pytest.mark.parametrize(
    "answer",
    [
        altered(ATTESTED, "timestamp", 2**64),
        altered(ATTESTED, "timestamp", -1),
        altered(ATTESTED, "timestamp", value=True),
        altered(ATTESTED, "timestamp", 1.0),
        altered(ATTESTED, "token", b"bytes"),
        altered(ATTESTED, "token", "\ud800"),
        altered(ATTESTED, "evidence", "\udfff"),
        altered(ATTESTED, "evidence", 1),
        altered(ATTESTED, "tee_type", "simulated"),
        None,
        VERDICT,
    ],
)
def test_bug_7_attestation_results_out_of_type_are_internal_errors(
    guest: Embedder, answer: object, caplog: pytest.LogCaptureFixture
) -> None:
    for function, name in (
        ("attest_vm", "attest-vm"),
        ("attest_gpu", "attest-gpu"),
        ("attest", "attest"),
    ):
        assert guest.call(with_answer(function, answer), name, *ARGUMENTS[name]) == INTERNAL
    assert "the host failed while it served a guest" in caplog.text


@pytest.mark.parametrize(
    "answer",
    [
        altered(SNP, "gpu_count", 2**32),
        altered(SNP, "gpu_count", -1),
        altered(SNP, "supports_attestation", 1),
        altered(SNP, "provider", None),
        altered(SNP, "tee_type", wit.Status.NONE),
        "none",
    ],
)
def test_bug_7_a_tee_info_out_of_type_is_no_tee(guest: Embedder, answer: object) -> None:
    assert guest.call(with_answer("detect_tee", answer), "detect-tee") == NO_TEE


@pytest.mark.parametrize("answer", [1, "yes", None])
def test_bug_7_only_true_is_true(guest: Embedder, answer: object) -> None:
    assert guest.call(with_answer("verify_token", answer), "verify-token", "t") is False


@pytest.mark.parametrize(
    "answer",
    [
        (GPU,),
        [GPU, None],
        [altered(GPU, "index", 2**32)],
        [altered(GPU, "uuid", None)],
        [altered(GPU, "name", "\ud800")],
        [altered(GPU, "confidential", 0)],
    ],
)
def test_bug_7_gpus_out_of_type_are_internal_errors(guest: Embedder, answer: object) -> None:
    assert guest.call(with_answer("gpus", answer), "gpus") == INTERNAL


@pytest.mark.parametrize(
    "answer",
    [
        altered(VERDICT, "issuer", None),
        altered(VERDICT, "tee_type", "intel-tdx"),
        altered(VERDICT, "status", wit.TeeType.NONE),
        altered(VERDICT, "issued_at", -1),
        altered(VERDICT, "expires_at", 2**64),
        altered(VERDICT, "guest_digest", bytearray(32)),
        altered(VERDICT, "guest_digest", "00"),
        altered(VERDICT, "claims", {}),
    ],
)
def test_bug_7_verdicts_out_of_type_are_internal_errors(guest: Embedder, answer: object) -> None:
    world = with_answer("verify", answer)
    assert guest.call(world, "verify", *ARGUMENTS["verify"]) == INTERNAL


def test_bug_9_a_value_from_a_function_without_result(guest: Embedder) -> None:
    assert guest.call(with_answer("clear_cache", 1), "clear-cache") is None


OTHER_TYPES: list[tuple[str, str, tuple[object, ...]]] = [
    ('"gpu-index" u32', '"gpu-index" s32', ("attest-gpu", -1)),
    ('"gpu-index" u32', '"gpu-index" bool', ("attest-gpu", True)),
    ('(case "all")', '(case "every")', ("attest", Variant("every"), CHALLENGE)),
    (
        '(field "nonce" (list u8))',
        '(field "nonce" (list s8))',
        ("attest", Variant("vm"), record(nonce=[-1], user_data=None, audience=None)),
    ),
    ('"token" string) (result', '"token" (list u8)) (result', ("verify-token", b"t")),
]


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize(("ours", "theirs", "call"), OTHER_TYPES)
def test_a_component_with_types_of_its_own_traps(
    ours: str, theirs: str, call: tuple[object, ...], *, fast: bool
) -> None:
    guest, world = Embedder(forwarder().replace(ours, theirs), fast=fast), ScriptedWorld()
    with pytest.raises(WasmtimeError, match=f"{call[0]}: the guest has another type"):
        guest.calls(world, call)
    assert world.calls == []


BUG_1 = """
import sys
from tests.world.components import ARGUMENTS, Embedder, forwarder
from tests.world.test_component_failures import failing

for fast in (True, False):
    guest = Embedder(forwarder(), fast=fast)
    for error in (KeyboardInterrupt(), SystemExit(3), GeneratorExit()):
        for name, arguments in ARGUMENTS.items():
            try:
                guest.call(failing(error), name, *arguments)
            except BaseException as raised:
                assert raised is error and raised.__context__ is None, (name, raised)
            else:
                sys.exit(f"{name} lost {error!r}")
print("unharmed")
"""


def test_bug_1_what_no_guest_may_see_comes_out_unchanged() -> None:
    # Unguarded, this ends in a segmentation fault, which must not be pytest's.
    process = subprocess.run(
        [sys.executable, "-c", BUG_1], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert (process.returncode, process.stdout) == (0, "unharmed\n"), process.stderr


def in_threads(count: int, work: Callable[[int], None]) -> list[BaseException]:
    """Runs `work` in threads and returns what they raised."""
    raised: list[BaseException] = []

    def run(number: int) -> None:
        try:
            work(number)
        except BaseException as error:  # noqa: BLE001 - for the test to look at
            raised.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_bug_2_each_thread_gets_its_own_exception(guest: Embedder) -> None:
    def work(number: int) -> None:
        for turn in range(30):
            error = SystemExit(f"{number}.{turn}")
            with pytest.raises(SystemExit) as caught:
                guest.call(failing(error), "attest-vm")
            assert caught.value is error

    assert in_threads(8, work) == []


def test_threads_do_not_mistake_each_others_cases(guest: Embedder) -> None:
    # wasmtime-py looks up the class of a case in a set that all threads share.
    def work(_: int) -> None:
        for _ in range(60):
            assert guest.call(failing(DeniedError("no")), "gpus") == ("denied", "no")

    assert in_threads(8, work) == []


def test_an_exception_without_anybody_to_take_it_traps(guest: Embedder) -> None:

    linker, store = Linker(guest.engine), Store(guest.engine)
    link_component(linker, failing(KeyboardInterrupt()))
    instance = linker.instantiate(store, Component(guest.engine, forwarder()))
    function = instance.get_func(store, "attest-vm")
    assert function is not None
    with pytest.raises(WasmtimeError, match="a host function raised KeyboardInterrupt"):
        function(store)
