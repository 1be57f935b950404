"""The JSON of the legacy ABI, read by Python's json and, for parameters, written by it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import fields

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from wasmtime_attestation import wit
from wasmtime_attestation.errors import InternalError, InvalidArgumentError, UnavailableError
from wasmtime_attestation.world import _generated_legacy as generated
from wasmtime_attestation.world import legacy_json as write
from wasmtime_attestation.world import legacy_parameters as read
from wasmtime_attestation.world.binding.misfit import MisfitError

TEE_NAMES = {
    "none": "None",
    "intel-tdx": "Intel TDX",
    "intel-sgx": "intel-sgx",
    "amd-sev": "AMD SEV",
    "amd-sev-snp": "AMD SEV-SNP",
    "arm-cca": "arm-cca",
    "ibm-se": "ibm-se",
    "nvidia-gpu": "NVIDIA GPU",
    "simulated": "Simulated",
    "other": "other",
}
PLAIN = "".join(chr(c) for c in range(0x20, 0x7F) if chr(c) not in '"\\')

tee_types = st.sampled_from(wit.TeeType)
u32 = st.integers(0, 2**32 - 1)
u64 = st.integers(0, 2**64 - 1)
string = st.text(st.characters(exclude_categories=["Cs"]))
any_text = st.text(st.characters(exclude_categories=()))
"""Lone surrogates too, which Python's own errors can hold."""
results = st.builds(
    wit.AttestationResult, st.text(PLAIN), st.none() | string, st.integers(0, 2**53), tee_types
)


def without_padding(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().replace("=", "")


def test_every_tee_name() -> None:
    names = {kind: json.loads(generated._write_tee_type(kind)) for kind in wit.TeeType}
    assert names == TEE_NAMES


@given(st.builds(wit.TeeInfo, tee_types, st.booleans(), string, u32))
def test_tee_info(info: wit.TeeInfo) -> None:
    assert json.loads(generated._write_tee_info(info), object_pairs_hook=list) == [
        ("tee_type", TEE_NAMES[info.tee_type]),
        ("supports_attestation", info.supports_attestation),
        ("provider", info.provider),
        ("gpu_count", info.gpu_count),
    ]


@given(results)
def test_envelope_of_a_success(result: wit.AttestationResult) -> None:
    answer = generated._write_envelope(result)
    assert json.loads(answer, object_pairs_hook=list) == [
        ("success", True),
        ("token", result.token),
        ("evidence", result.evidence),
        ("error", None),
        ("timestamp", result.timestamp),
        ("tee_type", TEE_NAMES[result.tee_type]),
    ]
    assert answer.startswith(f'{{"success":true,"token":"{result.token}",')


@given(any_text)
@example("lone \ud800 surrogate")
def test_envelope_of_a_failure(message: str) -> None:
    answer = write.attestation_failure(UnavailableError(message))
    members = json.loads(answer, object_pairs_hook=list)
    error = dict(members)["error"]
    assert members == [
        ("success", False),
        ("token", None),
        ("evidence", None),
        ("error", error),
        ("timestamp", 0),
        ("error_code", "unavailable"),
    ]
    assert len(error) == len(message)
    assert set(error) <= set(PLAIN)
    assert [c for c in message if c in PLAIN] == [
        e for c, e in zip(message, error, strict=True) if c in PLAIN
    ]


@given(
    st.builds(
        wit.Verdict,
        string,
        tee_types,
        st.sampled_from(wit.Status),
        u64,
        u64,
        st.none() | st.binary(),
        string,
    )
)
def test_verdict(verdict: wit.Verdict) -> None:
    value = json.loads(generated._write_verdict(verdict))
    assert list(value) == [field.name for field in fields(wit.Verdict)]
    for name in ("issued_at", "expires_at"):
        number = getattr(verdict, name)
        assert value[name] == (number if number <= 2**53 else str(number))
    digest = verdict.guest_digest
    assert value["guest_digest"] == (None if digest is None else without_padding(digest))
    assert value["claims"] == verdict.claims
    assert value["status"] == verdict.status.value


@given(any_text)
@example("lone \ud800 surrogate")
def test_error_of_a_result(message: str) -> None:
    answer = json.loads(write.attestation_error(UnavailableError(message)))
    assert answer == {"err": {"case": "unavailable", "value": message}}


@pytest.mark.parametrize(
    ("number", "written"),
    [(2**53, 9007199254740992), (2**53 + 1, "9007199254740993"), (2**64 - 1, str(2**64 - 1))],
)
def test_large_integers(number: int, written: int | str) -> None:
    assert json.loads(write.u64(number)) == written


def test_text_is_not_escaped_more_than_json_demands() -> None:
    assert write.text("é") == '"é"'
    assert write.text('"\\\n') == '"\\"\\\\\\n"'


@pytest.mark.parametrize("token", ['a"b', "a\\b", "é", "a\nb", "\x7f"])
def test_a_token_is_plain(token: str) -> None:
    with pytest.raises(InternalError):
        write.token(token)


@pytest.mark.parametrize(
    ("writer", "value"),
    [
        (write.boolean, 1),
        (write.u32, True),
        (write.u32, -1),
        (write.u32, 2**32),
        (write.u32, 1.0),
        (write.u64, 2**64),
        (write.s8, 128),
        (write.s64, -(2**63) - 1),
        (write.text, b"a"),
        (write.text, None),
        (write.octets, "a"),
        (write.octets, bytearray(1)),
        (write.char, "ab"),
        (write.f64, "1"),
        (write.f32, 1e39),
        (write.array(write.u8), (1,)),
        (write.fixed(write.u8, 2), [1]),
    ],
)
def test_what_does_not_fit_is_not_written(writer: Callable[[object], str], value: object) -> None:
    with pytest.raises(MisfitError):
        writer(value)


@given(st.binary(), st.none() | st.binary(), st.none() | string, st.booleans(), st.booleans())
def test_challenge(
    nonce: bytes, data: bytes | None, audience: str | None, ascii_: bool, omit: bool
) -> None:
    members = {
        "nonce": without_padding(nonce),
        "user_data": None if data is None else without_padding(data),
        "audience": audience,
    }
    if omit:
        members = {key: value for key, value in members.items() if value is not None}
    written = json.dumps(members, ensure_ascii=ascii_).encode()
    assert read.parameter("challenge", written, generated._read_challenge) == wit.Challenge(
        nonce, data, audience
    )


@given(st.none() | st.binary(), st.none() | u32, st.none() | string)
def test_expectations(nonce: bytes | None, age: int | None, policy: str | None) -> None:
    members = {
        "policy": policy,
        "max_age_seconds": age,
        "nonce": None if nonce is None else without_padding(nonce),
    }
    read = _expectations(json.dumps(members))
    assert read == wit.Expectations(nonce, None, age, policy)


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        (b"", "not strict JSON"),
        (b"\xff", "not strict JSON"),
        (b"null", "not an object but null"),
        (b"[]", "not an object"),
        (b'"vm"', "not an object"),
        (b"{}", "case is missing"),
        (b'{"case":null}', "case is missing"),
        (b'{"case":"tpm"}', "no case 'tpm'"),
        (b'{"case":7}', "case: an integer, not a string"),
        (b'{"case":"vm","value":0}', "no value"),
        (b'{"case":"gpu"}', "value is missing"),
        (b'{"case":"gpu","value":null}', "value is missing"),
        (b'{"case":"gpu","value":true}', "value: a bool, not an integer"),
        (b'{"case":"gpu","value":"0"}', "value: a string, not an integer"),
        (b'{"case":"gpu","value":0.0}', "not strict JSON"),
        (b'{"case":"gpu","value":1e3}', "not strict JSON"),
        (b'{"case":"gpu","value":NaN}', "not strict JSON"),
        (b'{"case":"gpu","value":-1}', "does not fit"),
        (b'{"case":"gpu","value":4294967296}', "does not fit"),
        (b'{"case":"gpu","value":' + b"9" * 5000 + b"}", "not strict JSON"),
        (b'{"case":"vm","case":"vm"}', "duplicate"),
        (b'{"case":"vm","Case":"vm"}', "no such key as 'Case'"),
        (b'{"case":"vm"} x', "not strict JSON"),
        (b"[" * 60_000, "nested"),
        (b'{"case":' * 5_000, "nested"),
        (b" " * 65_537, "65537 bytes"),
    ],
)
def test_what_is_no_target(parameter: bytes, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message) as caught:
        read.parameter("target", parameter, generated._read_target)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ("{}", "nonce is missing"),
        ('{"nonce":[1,2]}', "nonce: an array, not a string"),
        ('{"nonce":"AA=="}', "base64url"),
        ('{"nonce":"A"}', "base64url"),
        ('{"nonce":"A/+="}', "base64url"),
        ('{"nonce":"AB"}', "base64url"),
        ('{"nonce":"AA\\n"}', "base64url"),
        ('{"nonce":"AA","audience":1}', "audience: an integer, not a string"),
        ('{"nonce":"AA","audience":"\\ud800"}', "JSON"),
        ('{"nonce":"AA","user-data":"AA"}', "no such key as 'user-data'"),
    ],
)
def test_what_is_no_challenge(parameter: str, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        read.parameter("challenge", parameter.encode(), generated._read_challenge)


@pytest.mark.parametrize("age", ["true", "-1", "4294967296", '"60"', "60.0", "[]"])
def test_what_is_no_age(age: str) -> None:
    with pytest.raises(InvalidArgumentError):
        _expectations(f'{{"max_age_seconds":{age}}}')


def _expectations(text: str) -> wit.Expectations:
    return read.parameter("expected", text.encode(), generated._read_expectations)
