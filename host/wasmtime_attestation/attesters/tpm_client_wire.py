"""How commands to a TPM and its responses are written, as far as an attester needs them.

Source: TCG, "Trusted Platform Module 2.0 Library", part 1, "Command/Response Structure"; part 2
for the structures; part 3 for the commands. Integers are big-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import NoReturn

from wasmtime_attestation.errors import UnavailableError
from wasmtime_attestation.evidence.reader import Reader

MAX_SIZE = 4096
"""Bytes in a command or response; what the kernel's driver takes (TPM_BUFSIZE)."""
HEADER_SIZE = 10
OWNER = 0x40000001
"""TPM_RH_OWNER."""
PCR_COUNT = 24

_NO_SESSIONS = 0x8001
_SESSIONS = 0x8002
_PASSWORD = 0x40000009  # TPM_RS_PW
_RSA = 0x0001
_SHA256 = 0x000B
_NULL = 0x0010
_RSASSA = 0x0014
_MAX_NAME = 2 + 64
_MAX_DIGEST = 64
_MAX_ATTEST = 1024
_MAX_RSA = 512
_DEFAULT_EXPONENT = 65537
_DIGESTS_A_CALL = 8  # of a TPML_DIGEST
_PROPERTIES = 6  # TPM_CAP_TPM_PROPERTIES
# An empty nonce, continueSession, an empty HMAC: what a password session answers.
_PASSWORD_ANSWER = b"\0\0\x01\0\0"


class CommandCode(IntEnum):
    """TPM_CC of the commands that an attester sends."""

    NV_UNDEFINE_SPACE = 0x122
    NV_DEFINE_SPACE = 0x12A
    NV_WRITE = 0x137
    NV_READ = 0x14E
    QUOTE = 0x158
    NV_READ_PUBLIC = 0x169
    READ_PUBLIC = 0x173
    GET_CAPABILITY = 0x17A
    PCR_READ = 0x17E

    @property
    def title(self) -> str:
        """The command's name in part 3, such as TPM2_NV_ReadPublic."""
        head, *words = self.name.split("_")
        head = f"{head}_" if head in ("NV", "PCR") else head.capitalize()
        return f"TPM2_{head}{''.join(map(str.capitalize, words))}"


class NvAttributes(IntEnum):
    """Bits of TPMA_NV."""

    OWNER_WRITE = 1 << 1
    AUTH_WRITE = 1 << 2
    OWNER_READ = 1 << 17
    AUTH_READ = 1 << 18


@dataclass(frozen=True, slots=True)
class NvPublic:
    """TPMS_NV_PUBLIC of an index.

    Attributes:
        attributes: TPMA_NV.
        size: bytes in the index.
    """

    attributes: int
    size: int


@dataclass(frozen=True, slots=True)
class RsaPublic:
    """TPMT_PUBLIC of an RSA key that signs."""

    modulus: int
    exponent: int


class ResponseReader(Reader):
    """Reads a response; what does not fit is the device's fault and not a rejection."""

    def __init__(self, data: bytes, code: CommandCode) -> None:
        super().__init__(data, "", f"response to {code.title}")

    def reject(self, detail: str) -> NoReturn:
        """Raises `UnavailableError`."""
        raise UnavailableError(f"the TPM's answer is no valid {self._what}: {detail}")

    def sized(self, name: str, largest: int) -> bytes:
        """Returns the bytes of a TPM2B structure."""
        size = self.big_endian(2, f"the size of {name}")
        if size > largest:
            self.reject(f"{name} has {size} bytes; {largest} is the most")
        return self.take(size, name)

    def expect(self, size: int, expected: int, name: str) -> None:
        """Reads an integer that can have one value only."""
        actual = self.big_endian(size, name)
        if actual != expected:
            self.reject(f"{name} is 0x{actual:x}, not 0x{expected:x}")


def sized(data: bytes) -> bytes:
    """Writes a TPM2B structure."""
    return struct.pack(">H", len(data)) + data


def command(
    code: CommandCode, handles: tuple[int, ...], parameters: bytes, *, authorised: bool
) -> bytes:
    """Writes a command.

    Args:
        code: TPM_CC.
        handles: the handle area.
        parameters: the parameter area.
        authorised: whether the first handle is used with the empty password.
    """
    body = struct.pack(f">{len(handles)}I", *handles)
    if authorised:
        session = struct.pack(">IHBH", _PASSWORD, 0, 0, 0)
        body += struct.pack(">I", len(session)) + session
    body += parameters
    tag = _SESSIONS if authorised else _NO_SESSIONS
    return struct.pack(">HII", tag, HEADER_SIZE + len(body), code) + body


def response_code(response: bytes, code: CommandCode) -> int:
    """Returns TPM_RC of a response after a look at its header.

    Raises:
        UnavailableError: its declared size is not its size, or an error has a body.
    """
    r = ResponseReader(response, code)
    tag = r.big_endian(2, "the tag")
    r.expect(4, len(response), "responseSize")
    found = r.big_endian(4, "responseCode")
    if found:
        if tag != _NO_SESSIONS:
            r.reject(f"the tag of an error is 0x{tag:x}, not 0x{_NO_SESSIONS:x}")
        r.end()
    return found


def parameters(response: bytes, code: CommandCode, *, authorised: bool) -> ResponseReader:
    """Returns a reader of the parameters of a response that reports success.

    Raises:
        UnavailableError: tag, parameterSize or the authorization area are not as they should be.
    """
    r = ResponseReader(response, code)
    r.expect(2, _SESSIONS if authorised else _NO_SESSIONS, "the tag")
    r.take(8, "the header")
    if not authorised:
        return ResponseReader(response[r.offset :], code)
    found = r.take(r.big_endian(4, "parameterSize"), "the parameters")
    if r.take(len(_PASSWORD_ANSWER), "the authorization area") != _PASSWORD_ANSWER:
        r.reject("its authorization area is not that of a password session")
    r.end()
    return ResponseReader(found, code)


def pcr_selection(indices: Iterable[int]) -> bytes:
    """Writes a TPML_PCR_SELECTION of PCRs of the SHA-256 bank."""
    bits = sum(1 << index for index in set(indices))
    return struct.pack(">IHB", 1, _SHA256, PCR_COUNT // 8) + bits.to_bytes(3, "little")


def nv_public(index: int, attributes: int, size: int) -> bytes:
    """Writes TPM2B_NV_PUBLIC of an index with SHA-256 for its name and no policy."""
    return sized(struct.pack(">IHIHH", index, _SHA256, attributes, 0, size))


def quote_parameters(nonce: bytes, indices: Iterable[int]) -> bytes:
    """Writes the parameters of TPM2_Quote: RSASSA with SHA-256 over PCRs of the SHA-256 bank."""
    return sized(nonce) + struct.pack(">HH", _RSASSA, _SHA256) + pcr_selection(indices)


def property_parameters(tag: int) -> bytes:
    """Writes the parameters of TPM2_GetCapability for one TPM_PT."""
    return struct.pack(">III", _PROPERTIES, tag, 1)


def read_property(r: ResponseReader, tag: int) -> int | None:
    """Reads TPMS_CAPABILITY_DATA; the TPM answers with a later property if it has not this one."""
    r.big_endian(1, "moreData")
    r.expect(4, _PROPERTIES, "capability")
    count = r.big_endian(4, "the count of properties")
    if count > 1:
        r.reject(f"it has {count} properties; one was asked for")
    found = (r.big_endian(4, "property"), r.big_endian(4, "value")) if count else (None, 0)
    r.end()
    return found[1] if found[0] == tag else None


def read_nv_public(r: ResponseReader, index: int) -> NvPublic:
    """Reads TPM2B_NV_PUBLIC and the name."""
    size = r.big_endian(2, "the size of nvPublic")
    start = r.offset
    r.expect(4, index, "nvIndex")
    r.big_endian(2, "nameAlg")
    attributes = r.big_endian(4, "attributes")
    r.sized("authPolicy", _MAX_DIGEST)
    data_size = r.big_endian(2, "dataSize")
    if r.offset - start != size:
        r.reject(f"nvPublic has {r.offset - start} bytes, not {size}")
    r.sized("nvName", _MAX_NAME)
    r.end()
    return NvPublic(attributes, data_size)


def read_public(r: ResponseReader) -> RsaPublic:
    """Reads TPM2B_PUBLIC of a restricted RSA key and its names."""
    size = r.big_endian(2, "the size of outPublic")
    start = r.offset
    r.expect(2, _RSA, "type")
    r.big_endian(2, "nameAlg")
    r.big_endian(4, "objectAttributes")
    r.sized("authPolicy", _MAX_DIGEST)
    r.expect(2, _NULL, "symmetric")
    r.expect(2, _RSASSA, "scheme")
    r.expect(2, _SHA256, "the hash of the scheme")
    bits = r.big_endian(2, "keyBits")
    exponent = r.big_endian(4, "exponent") or _DEFAULT_EXPONENT
    modulus = r.sized("unique", _MAX_RSA)
    if r.offset - start != size or len(modulus) * 8 != bits:
        r.reject(f"the sizes in outPublic ({size} bytes, {bits} bits) disagree with what it holds")
    r.sized("name", _MAX_NAME)
    r.sized("qualifiedName", _MAX_NAME)
    r.end()
    return RsaPublic(int.from_bytes(modulus, "big"), exponent)


def read_quote(r: ResponseReader) -> tuple[bytes, bytes]:
    """Reads TPM2B_ATTEST and TPMT_SIGNATURE: the message and its RSASSA signature."""
    message = r.sized("quoted", _MAX_ATTEST)
    r.expect(2, _RSASSA, "sigAlg")
    r.expect(2, _SHA256, "the hash of the signature")
    signature = r.sized("signature", _MAX_RSA)
    r.end()
    return message, signature


def read_pcrs(r: ResponseReader) -> dict[int, bytes]:
    """Reads the answer to TPM2_PCR_Read: values by index, of a part of what was asked for."""
    r.big_endian(4, "pcrUpdateCounter")
    r.expect(4, 1, "the count of PCR selections")
    r.expect(2, _SHA256, "the bank")
    r.expect(1, PCR_COUNT // 8, "sizeofSelect")
    bits = int.from_bytes(r.take(PCR_COUNT // 8, "pcrSelect"), "little")
    indices = [index for index in range(PCR_COUNT) if bits >> index & 1]
    count = r.big_endian(4, "the count of digests")
    if count != len(indices) or count > _DIGESTS_A_CALL:
        r.reject(f"it has {count} digests for {len(indices)} PCRs")
    values = {index: _pcr(r, index) for index in indices}
    r.end()
    return values


def _pcr(r: ResponseReader, index: int) -> bytes:
    value = r.sized(f"PCR {index}", _MAX_DIGEST)
    if len(value) != 32:
        r.reject(f"PCR {index} has {len(value)} bytes, not 32")
    return value
