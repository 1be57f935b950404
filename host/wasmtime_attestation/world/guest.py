"""A guest: its bytes, their digest, and which of the two ABIs it speaks."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from wasmtime_attestation.errors import InvalidArgumentError

MAX_BYTES = 256 * 1024 * 1024

# WebAssembly 3.0 §5.5.16 and the component model's Binary.md: magic, version, layer.
_MAGIC = b"\0asm"
_CORE = _MAGIC + b"\x01\0\0\0"
_COMPONENT = _MAGIC + b"\x0d\0\x01\0"
_COMPONENT_LAYER = b"\x01\0"
_ELF = b"\x7fELF"


class Abi(StrEnum):
    """How a guest calls its host."""

    COMPONENT = "component"
    CORE = "core module"


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Guest:
    """A WebAssembly file that is to run; two guests are equal if their names and bytes are.

    Args:
        name: what the guest is called in messages, and its `argv[0]`.
        wasm: the bytes of the file, in WebAssembly's binary format.
        path: where the file is, absolute and without links, which rules for guests may name;
            None where there is none.

    Attributes:
        digest: SHA-256 of `wasm`, which tokens state as the guest's digest.
        abi: decided by the header of `wasm` alone.

    Raises:
        InvalidArgumentError: `wasm` is neither a component nor a core module.
    """

    name: str
    wasm: bytes = field(repr=False, compare=False)
    path: Path | None = field(default=None, repr=False, compare=False)
    digest: bytes = field(init=False)
    abi: Abi = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "abi", _abi(self.name, self.wasm))
        object.__setattr__(self, "digest", hashlib.sha256(self.wasm).digest())

    @classmethod
    def from_file(cls, file: str | os.PathLike[str]) -> Guest:
        """Reads a guest and names it after its file.

        Raises:
            InvalidArgumentError: the file cannot be read, is larger than
                `MAX_BYTES`, or is no guest.
        """
        path = Path(file)
        try:
            with path.open("rb") as opened:
                wasm = opened.read(MAX_BYTES + 1)
        except OSError as error:
            raise InvalidArgumentError(
                f"cannot read the guest {path}: {error.strerror or error}"
            ) from error
        if len(wasm) > MAX_BYTES:
            raise InvalidArgumentError(
                f"{path} is larger than {MAX_BYTES >> 20} MiB: this is more than any guest needs; "
                "strip its debug information"
            )
        return cls(path.name, wasm, path.resolve())


def _abi(name: str, wasm: bytes) -> Abi:
    header = wasm[:8]
    if header == _COMPONENT:
        return Abi.COMPONENT
    if header == _CORE:
        return Abi.CORE
    raise InvalidArgumentError(f"{name} is not a guest: {_why_not(wasm)}")


def _why_not(wasm: bytes) -> str:
    if wasm.startswith(_ELF):
        return (
            "it is machine code, perhaps precompiled by Wasmtime, which nobody can check; "
            "give the .wasm file that it was made from"
        )
    if _is_text(wasm):
        return "it is WebAssembly text; assemble it first, with `wasm-tools parse` or `wat2wasm`"
    if not wasm or (len(wasm) < len(_CORE) and wasm.startswith(_MAGIC[: len(wasm)])):
        return f"it ends after {len(wasm)} bytes, within the header; copy or build it again"
    if not wasm.startswith(_MAGIC):
        return "it does not begin with WebAssembly's magic number `\\0asm`"
    version = int.from_bytes(wasm[4:6], "little")
    if wasm[6:8] == _COMPONENT_LAYER:
        return (
            f"it is a component of the pre-standard version {version}, not of version 13; "
            "build it again with current tools"
        )
    return f"its WebAssembly version {int.from_bytes(wasm[4:8], 'little')} is not known, only 1 is"


def _is_text(wasm: bytes) -> bool:
    # Comments may precede the text proper, as licences do.
    return wasm[:256].lstrip().startswith((b"(module", b"(component", b";;", b"(;"))
