"""Every type of WIT through the C++ header's legacy ABI, against a host of the tests' own."""

from __future__ import annotations

import base64
import json
import math

import pytest
import wasmtime
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.guests import cpp_guests, legacy_host
from tests.guests.legacy_host import CoreValue, Json, LegacyHost

TEXTS = {"text", "maybe_text"}
BYTES = {"bytes", "maybe_bytes"}
DIRECT = {"enumeration": ["red", "green", "blue-green"]}


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return cpp_guests.torture_core(tmp_path_factory.mktemp("legacy"))


@pytest.fixture(scope="module")
def host(code: bytes) -> LegacyHost:
    return LegacyHost(code)


def handed_back(host: LegacyHost, name: str) -> Json:
    """Returns the JSON value that the guest's second call means."""
    arguments, data = host.received[1]
    if name in DIRECT:
        return DIRECT[name][int(arguments[0])]
    if name.startswith("scalar_f"):
        return arguments[0]
    if name in TEXTS | BYTES and arguments[0] == 0:
        return None
    if name in TEXTS:
        return data.decode()
    if name in BYTES:
        return base64.urlsafe_b64encode(data).decode().rstrip("=")
    return json.loads(data)


def number(value: Json) -> Json:
    names = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
    return names.get(value, value) if isinstance(value, str) else value


@pytest.mark.parametrize("name", legacy_host.VALUES)
@settings(max_examples=50)
@given(data=st.data())
def test_json_comes_back_as_it_was(host: LegacyHost, name: str, data: st.DataObject) -> None:
    host.answer = data.draw(legacy_host.VALUES[name])
    host.call(name)
    assert len(host.received) == 2
    back = handed_back(host, name)
    if name.startswith("scalar_f"):
        assert back == pytest.approx(number(host.answer), rel=0, abs=0, nan_ok=True)
    else:
        assert back == host.answer


@pytest.mark.parametrize("name", legacy_host.INTEGERS)
@given(data=st.data())
def test_integers_come_back_as_they_were(host: LegacyHost, name: str, data: st.DataObject) -> None:
    number = data.draw(legacy_host.INTEGERS[name])
    host.answer = CoreValue(number)
    host.call(name)
    bits = 64 if name.endswith("64") else 32
    assert host.received[1][0][0] % 2**bits == number % 2**bits


@pytest.mark.parametrize("name", ["rich", "shapes", "texts"])
def test_answers_are_freed(code: bytes, name: str) -> None:
    host = LegacyHost(code)
    long = "x" * 40_000
    host.answer = {
        "rich": {
            "type": long,
            "self": long,
            "points": [],
            "nested": [1, [2, long], True],
            "access": [],
            "colour": "red",
        },
        "shapes": [{"case": "text", "value": long}],
        "texts": [long],
    }[name]
    host.call(name)
    host.call(name)
    size = host.size
    for _ in range(200):
        host.call(name)
    assert host.size == size


@pytest.mark.parametrize(
    "answer",
    [
        b"null",
        b"{",
        b'{"x":1}',
        b'{"x":1,"y":2,"x":1}',
        b'{"x":1,"y":2147483648}',
        b'{"x":1,"y":2}}',
    ],
)
def test_what_cannot_be_read_stops_the_guest(code: bytes, answer: bytes) -> None:
    host = LegacyHost(code)
    host.answer = b"[" + answer + b"]"
    with pytest.raises(wasmtime.Trap):
        host.call("aliased")


@given(garbage=st.binary(max_size=60) | st.text(alphabet='{}[]",:\\u0dc8x1e-', max_size=60))
def test_no_answer_breaks_memory(host: LegacyHost, garbage: bytes | str) -> None:
    host.answer = garbage.encode() if isinstance(garbage, str) else garbage
    try:
        host.call("rich")
    except wasmtime.Trap as trap:
        assert trap.trap_code is wasmtime.TrapCode.UNREACHABLE  # noqa: PT017
