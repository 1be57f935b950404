"""Components whose types, strings and lists are not what anybody would pass."""

from __future__ import annotations

import pytest
from wasmtime_attestation.world.guest import Guest
from wasmtime_attestation.world.limits import Limits

from tests.hostile.bombs import section
from tests.hostile.runs import ended
from tests.world.components import IMPORTS, command
from tests.world.scripted_world import ScriptedWorld

WORLD = IMPORTS.replace("{v}", "0.1.0")
REFUSED = "not started: hostile.wasm "
LIMITS = Limits(seconds=20.0)


def guest(imports: str, run: str = "i32.const 0", core_imports: str = "", rest: str = "") -> Guest:
    wasm = command(run, outside=imports, imports=core_imports, rest=rest)
    return Guest("hostile.wasm", wasm)


def nested(depth: int, kind: str = "option") -> str:
    """Returns imports in which `verify-token` takes a type of some depth."""
    types = ["(type $n0 string)"] + [f"(type $n{i} ({kind} $n{i - 1}))" for i in range(1, depth)]
    ours = '(param "token" string) (result bool)'
    assert ours in WORLD
    inside = " ".join(types)
    return WORLD.replace(
        '(import "wasmtime:attestation/attestation@0.1.0" (instance $attestation',
        f'(import "wasmtime:attestation/attestation@0.1.0" (instance $attestation {inside}',
    ).replace(ours, f'(param "token" $n{depth - 1}) (result bool)')


OTHER_TYPES = {
    "a resource for an enum": (
        '(import "wasmtime:attestation/types@0.1.0" (instance'
        ' (export "tee-type" (type (sub resource)))))'
    ),
    "a function for an interface": '(import "wasmtime:attestation/attestation@0.1.0" (func))',
    "a component for an interface": (
        '(import "wasmtime:attestation/attestation@0.1.0" (component))'
    ),
    "an instance for a function": (
        '(import "wasmtime:attestation/attestation@0.1.0" (instance'
        ' (export "clear-cache" (instance))))'
    ),
    "a resource that is not there": (
        '(import "wasmtime:attestation/attestation@0.1.0" (instance'
        ' (export "session" (type (sub resource)))))'
    ),
    "an async function": '(import "wasmtime:attestation/attestation@0.1.0" (instance'
    ' (export "clear-cache" (func async))))',
    "a thousand parameters": (
        '(import "wasmtime:attestation/attestation@0.1.0" (instance (export "clear-cache" (func '
        + " ".join(f'(param "p{i}" u32)' for i in range(1000))
        + "))))"
    ),
    "options of options": nested(50),
    "lists of lists": nested(50, "list"),
    "a record of 1,000 fields": WORLD.replace(
        '(field "gpu-count" u32)',
        " ".join(['(field "gpu-count" u32)', *(f'(field "f{i}" u32)' for i in range(1000))]),
    ),
}


@pytest.mark.parametrize("imports", OTHER_TYPES.values(), ids=OTHER_TYPES.keys())
def test_other_types_than_ours_do_not_start(imports: str) -> None:
    world = ScriptedWorld()
    assert ended(guest(imports), world).startswith(REFUSED)
    assert world.calls == []


def passing(
    function: str, interface: str, flat: str, *, pages: int, options: str = "", data: str = ""
) -> Guest:
    """Returns a guest that calls a function once, with these flat arguments."""
    parameters = "(param i32)" * flat.count("(i32.const")
    canon = f"(memory $memory) (realloc $realloc) {options}"
    outside = f"""{WORLD} (alias export ${interface} "{function}" (func $f))
    (core func $f (canon lower (func $f) {canon}))
    (core instance $host (export "f" (func $f)))"""
    result = " (result i32)" if function == "verify-token" else ""
    call = f"(call $f {flat})"
    call = f"(drop {call})" if result else call
    run = f"""
    (if (i32.eq (memory.grow (i32.const {pages})) (i32.const -1)) (then unreachable))
    {data} {call} i32.const 0"""
    return guest(outside, run, f'(import "host" "f" (func $f {parameters}{result}))')


ZERO = "(i32.const 0)"
AREA = "(i32.const 64)"


def verifying(length: int, pages: int) -> Guest:
    """A token of `length` bytes."""
    flat = f"{ZERO} (i32.const {length})"
    return passing("verify-token", "attestation", flat, pages=pages)


def test_a_token_of_32_mebibytes_arrives() -> None:
    world = ScriptedWorld()
    assert ended(verifying(1 << 25, 512), world, LIMITS) == "exit 0"
    assert [len(str(call[1])) for call in world.calls] == [1 << 25]


@pytest.mark.parametrize("length", [1 << 28, 1 << 29])
def test_a_token_that_is_too_long_ends_its_guest(length: int) -> None:
    world = ScriptedWorld()
    assert "too much data" in ended(verifying(length, (length >> 16) + 1), world, LIMITS)
    assert world.calls == []


@pytest.mark.parametrize("length", [0xFFFF_FFFF, 0x8000_0000, 1 << 20])
def test_a_token_that_is_not_there_ends_its_guest(length: int) -> None:
    world = ScriptedWorld()
    assert ended(verifying(length, 1), world).startswith("trap: ")
    assert world.calls == []


def attesting(nonce: int, user_data: int, audience: int) -> Guest:
    """A challenge whose fields have these lengths."""
    some = "(i32.const 1)"
    flat = [ZERO, ZERO, ZERO, f"(i32.const {nonce})"]
    flat += [some, ZERO, f"(i32.const {user_data})", some, ZERO, f"(i32.const {audience})", AREA]
    return passing("attest", "attester", " ".join(flat), pages=64)


@pytest.mark.parametrize("sizes", [(300_000, 0, 0), (0, 300_000, 0), (100_000, 100_000, 2_000_000)])
def test_hundreds_of_thousands_of_elements(sizes: tuple[int, int, int]) -> None:
    world = ScriptedWorld()
    assert ended(attesting(*sizes), world, LIMITS) == "exit 0"
    assert len(world.calls) == 1


def test_more_elements_than_a_host_would_hold() -> None:
    world = ScriptedWorld()
    assert ended(attesting(4_000_000, 4_000_000, 0), world, LIMITS).startswith(
        ("trap: too much data", "host bytes")
    )
    assert world.calls == []


def test_huge_names_of_policies_and_audiences() -> None:
    long = f"(i32.const 1) {ZERO} (i32.const 2000000)"
    none = " ".join([ZERO] * 3)
    flat = f"{ZERO} {ZERO} {none} {long} {ZERO} {ZERO} {long} {AREA}"
    world = ScriptedWorld()
    guest_ = passing("verify", "verifier", flat, pages=64)
    assert ended(guest_, world, LIMITS) == "exit 0"
    assert len(world.calls) == 1


BAD_TEXT = {
    "a lone surrogate in UTF-16": ("string-encoding=utf16", 0xD800, 1),
    "the end of a pair in UTF-16": ("string-encoding=utf16", 0xDC00DC00, 2),
    "half a character": ("string-encoding=utf8", 0x00C3, 1),
    "an overlong slash": ("string-encoding=utf8", 0xAFC0, 2),
    "a surrogate in UTF-8": ("string-encoding=utf8", 0x80A0ED, 3),
    "beyond Unicode": ("string-encoding=utf8", 0x808090F5, 4),
}


@pytest.mark.parametrize(("encoding", "text", "length"), BAD_TEXT.values(), ids=BAD_TEXT.keys())
def test_text_that_is_none(encoding: str, text: int, length: int) -> None:
    world = ScriptedWorld()
    flat = f"(i32.const 128) (i32.const {length})"
    store = f"(i32.store (i32.const 128) (i32.const {text}))"
    guest_ = passing("verify-token", "attestation", flat, pages=1, options=encoding, data=store)
    assert ended(guest_, world).startswith("trap: ")
    assert world.calls == []


@pytest.mark.parametrize(
    ("encoding", "text", "length"),
    [("string-encoding=utf16", 0xDC00D83D, 2), ("string-encoding=latin1+utf16", 0xE9, 1)],
)
def test_text_in_other_encodings_arrives(encoding: str, text: int, length: int) -> None:
    world = ScriptedWorld()
    flat = f"(i32.const 128) (i32.const {length})"
    store = f"(i32.store (i32.const 128) (i32.const {text}))"
    guest_ = passing("verify-token", "attestation", flat, pages=1, options=encoding, data=store)
    assert ended(guest_, world) == "exit 0"
    assert world.calls == [("verify_token", "\U0001f400" if length == 2 else "é")]


@pytest.mark.parametrize("depth", [500, 3_000])
def test_components_within_components(depth: int) -> None:
    header = b"\0asm\x0d\0\x01\0"
    wasm = header
    for _ in range(depth):
        wasm = header + section(4, wasm)
    assert ended(Guest("hostile.wasm", wasm)).startswith(REFUSED)
