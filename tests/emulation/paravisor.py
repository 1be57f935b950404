"""Azure's paravisor in front of swtpm: it serves the HCL report and passes on everything else.

libtpms has no index as large as Azure's, so reads of the report's index are authorised by swtpm
and answered here.

Source: openvmm, `tpm_device`: the report is renewed when its index is read from the start, if the
last renewal is more than two seconds ago; else, and when it fails, the last one is served.
"""

from __future__ import annotations

import hashlib
import struct
import threading
import time
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import rsa

from tests.emulation.swtpm import ATTESTATION_KEY, Swtpm
from tests.fakes import azure

PERIOD = 2.0
SIZE = azure.SIZE
_REPORT, _USER_DATA = 0x01400001, 0x01400002
_NV_READ_PUBLIC, _NV_READ, _QUOTE = 0x169, 0x14E, 0x158
_OWNER = 0x40000001
_LARGEST_READ = 1024


def failure(code: int) -> bytes:
    """Returns a response that is a response code alone."""
    return struct.pack(">HII", 0x8001, 10, code)


class Paravisor:
    """A paravisor.

    Args:
        tpm: the vTPM, set up.
        hardware: makes a report of the hardware with report data.
        kind: of the hardware, 2 (SEV-SNP) or 4 (TDX).
        said: what the test told last, a line a fault: `code 0x922 3` answers three commands so,
            `stale` renews nothing, `tear 2` renews twice in the middle of a read, `extend 2`
            extends PCR 16 before two quotes, `foreign-key` states another key.
        period: how long a report is served at least, in seconds.
    """

    def __init__(
        self,
        tpm: Swtpm,
        hardware: Callable[[bytes], bytes],
        kind: int,
        said: Callable[[], str] = lambda: "",
        period: float = PERIOD,
    ) -> None:
        self._period = period
        self._tpm, self._hardware, self._kind, self._said = tpm, hardware, kind, said
        self._lock = threading.Lock()
        self._key = _public(tpm)
        self._text, self._left = "", dict[str, int]()
        self._report = b""
        self._renew()

    def exchange(self, command: bytes) -> bytes:
        """Answers a command; one at a time."""
        with self._lock:
            self._listen()
            code = self._fault("code")
            if code is not None:
                return failure(int(code, 16))
            return self._answer(command)

    def _answer(self, command: bytes) -> bytes:
        number = int.from_bytes(command[6:10], "big")
        if number == _NV_READ_PUBLIC and _handle(command, 0) == _REPORT:
            return _resized(self._tpm.exchange(command))
        if number == _NV_READ and _handle(command, 1) == _REPORT:
            return self._read(command)
        if number == _QUOTE and self._fault("extend") is not None:
            self._tpm.tool("tpm2_pcrextend", f"16:sha256={'ab' * 32}")
        return self._tpm.exchange(command)

    def _read(self, command: bytes) -> bytes:
        """The vTPM checks the authorization of a read of nothing; the data is ours."""
        checked = self._tpm.exchange(command[:-4] + bytes(4))
        if int.from_bytes(checked[6:10], "big"):
            return checked
        size, offset = struct.unpack(">HH", command[-4:])
        if size > _LARGEST_READ:
            return failure(0x1C4)  # TPM_RC_VALUE, parameter 1
        if offset + size > SIZE:
            return failure(0x146)  # TPM_RC_NV_RANGE
        due = offset == 0 and time.monotonic() - self._renewed > self._period
        if (due and "stale" not in self._left) or (offset and self._fault("tear") is not None):
            self._renew()
        parameters = struct.pack(">H", size) + self._report[offset : offset + size]
        body = struct.pack(">I", len(parameters)) + parameters + b"\0\0\1\0\0"
        return struct.pack(">HII", 0x8002, 10 + len(body), 0) + body

    def _renew(self) -> None:
        key = azure.attestation_key("another") if "foreign-key" in self._left else self._key
        stated = {
            "keys": [azure.jwk(key), azure.jwk(key, "HCLEkPub")],
            "user-data": self._user_data().hex(),
            # So that no two reports are the same, as the signature's are not.
            "renewals": time.monotonic_ns(),
        }
        claims = azure.SNP.claims(**stated)
        report = self._hardware(hashlib.sha256(claims).digest().ljust(64, b"\0"))
        self._report = azure.hcl_report(report, claims, self._kind)
        self._renewed = time.monotonic()

    def _user_data(self) -> bytes:
        """What the guest wrote; zeros if there is nothing."""
        size = _nv_size(self._tpm)
        session = struct.pack(">IIHBH", 9, 0x40000009, 0, 0, 0)
        body = struct.pack(">II", _OWNER, _USER_DATA) + session + struct.pack(">HH", size, 0)
        response = self._tpm.exchange(struct.pack(">HII", 0x8002, 10 + len(body), _NV_READ) + body)
        if int.from_bytes(response[6:10], "big"):
            return bytes(64)
        return response[16 : 16 + size].ljust(64, b"\0")[:64]

    def _listen(self) -> None:
        """Takes a new word of the test."""
        text = self._said()
        if text == self._text:
            return
        self._text, self._left, self._value = text, {}, dict[str, str]()
        for line in text.splitlines():
            name, *words = line.split()
            if name == "imds":
                continue
            self._left[name] = int(words.pop()) if words and words[-1].isdecimal() else 1 << 30
            self._value[name] = words[0] if words else ""

    def _fault(self, name: str) -> str | None:
        """Returns the value of a fault that is to happen now."""
        if not self._left.get(name):
            return None
        self._left[name] -= 1
        return self._value[name]


def _handle(command: bytes, position: int) -> int:
    return int.from_bytes(command[10 + 4 * position : 14 + 4 * position], "big")


def _nv_size(tpm: Swtpm) -> int:
    response = tpm.exchange(struct.pack(">HIII", 0x8001, 14, _NV_READ_PUBLIC, _USER_DATA))
    if int.from_bytes(response[6:10], "big"):
        return 0
    length = int.from_bytes(response[10:12], "big")
    return int.from_bytes(response[10 + length : 12 + length], "big")


def _resized(response: bytes) -> bytes:
    """Gives the index its size on Azure, and the name that goes with it."""
    if int.from_bytes(response[6:10], "big"):
        return response
    length = int.from_bytes(response[10:12], "big")
    public = response[12 : 10 + length] + struct.pack(">H", SIZE)
    name = b"\0\x0b" + hashlib.sha256(public).digest()
    body = b"".join(struct.pack(">H", len(part)) + part for part in (public, name))
    return struct.pack(">HII", 0x8001, 10 + len(body), 0) + body


def _public(tpm: Swtpm) -> rsa.RSAPublicKey:
    """Reads the attestation key with tpm2-tools."""
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    file = tpm.socket.parent / "ak.pem"
    tpm.tool("tpm2_readpublic", "-Q", "-c", ATTESTATION_KEY, "-f", "pem", "-o", file)
    key = load_pem_public_key(file.read_bytes())
    assert isinstance(key, rsa.RSAPublicKey)
    return key
