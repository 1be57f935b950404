"""What counts as a guest, and how each other thing is named."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from wasmtime import Engine, Module
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.world import guest as guest_module
from wasmtime_attestation.world.guest import Abi, Guest

CORE = bytes.fromhex("0061736d 01000000")
COMPONENT = bytes.fromhex("0061736d 0d000100")


@pytest.mark.parametrize(("wasm", "abi"), [(CORE, Abi.CORE), (COMPONENT, Abi.COMPONENT)])
def test_the_header_decides_the_abi(wasm: bytes, abi: Abi) -> None:
    guest = Guest("g", wasm)
    assert guest.abi is abi
    assert Guest("g", wasm + b"rest").abi is abi


def test_the_digest_is_sha256_of_the_bytes() -> None:
    # `printf '\0asm\1\0\0\0' | sha256sum`
    digest = "93a44bbb96c751218e4c00d479e4c14358122a389acca16205b1e4d0dc5f9476"
    assert Guest("g", CORE).digest.hex() == digest


def test_guests_are_equal_by_name_and_bytes() -> None:
    assert Guest("a", CORE) == Guest("a", bytes(bytearray(CORE)))
    assert Guest("a", CORE) != Guest("b", CORE)
    assert Guest("a", CORE) != Guest("a", CORE + b"\0")


@pytest.mark.parametrize(
    ("wasm", "why"),
    [
        (b"", "ends after 0 bytes"),
        (CORE[:4], "ends after 4 bytes"),
        (COMPONENT[:7], "ends after 7 bytes"),
        (b"\x7fELF" + bytes(60), "machine code"),
        (b"(module)", "WebAssembly text; assemble it first"),
        (b"\n ;; a licence\n(component)", "WebAssembly text"),
        (b"(; a licence ;) (component)", "WebAssembly text"),
        (b"#!/bin/sh\n", "does not begin with WebAssembly's magic number"),
        (CORE[::-1], "does not begin with WebAssembly's magic number"),
        (b"\0asm\x0a\0\x01\0", "component of the pre-standard version 10"),
        (b"\0asm\x0d\0\x02\0", "WebAssembly version 131085 is not known"),
        (b"\0asm\x02\0\0\0", "WebAssembly version 2 is not known"),
    ],
)
def test_what_is_no_guest_is_named(wasm: bytes, why: str) -> None:
    with pytest.raises(InvalidArgumentError, match=f"^g is not a guest: .*{why}"):
        Guest("g", wasm)


def test_bug_8_precompiled_code_is_refused() -> None:
    # wasmtime loads a corrupted one without an error.
    compiled = bytes(Module(Engine(), CORE).serialize())
    with pytest.raises(InvalidArgumentError, match="machine code"):
        Guest("g.cwasm", compiled)


def test_a_file_is_read_and_gives_the_name(tmp_path: Path) -> None:
    path = tmp_path / "hello.wasm"
    path.write_bytes(COMPONENT)
    guest = Guest.from_file(path)
    assert (guest.name, guest.wasm) == ("hello.wasm", COMPONENT)
    assert guest.digest == hashlib.sha256(COMPONENT).digest()


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="No such file"):
        Guest.from_file(tmp_path / "missing.wasm")
    with pytest.raises(InvalidArgumentError, match="directory"):
        Guest.from_file(tmp_path)


def test_a_file_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest_module, "MAX_BYTES", 1 << 20)
    path = tmp_path / "large.wasm"
    path.write_bytes(CORE)
    os.truncate(path, 1 << 20)
    assert len(Guest.from_file(path).wasm) == 1 << 20
    os.truncate(path, (1 << 20) + 1)
    with pytest.raises(InvalidArgumentError, match="larger than 1 MiB"):
        Guest.from_file(path)


def test_the_real_bound_is_256_mib() -> None:
    assert guest_module.MAX_BYTES == 256 * 1024 * 1024
