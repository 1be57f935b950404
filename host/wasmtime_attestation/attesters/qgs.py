"""Quotes from the host's Quote Generation Service, over a virtual socket (vsock).

Source: Intel, SGX DCAP, QuoteGeneration/quote_wrapper: qgs_msg_lib (messages) and tdx_attest
(port, framing).
"""

from __future__ import annotations

import errno
import socket
import struct
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from wasmtime_attestation.attesters.system_calls import read_whole, unavailable
from wasmtime_attestation.errors import UnavailableError

CONFIGURATION = Path("/etc/tdx-attest.conf")
PORT = 4050
SECONDS = 30.0
"""How long a quote may take in all, which is what QEMU gives the service too."""
MAX_QUOTE = 1 << 17

_HOST_CID = 2
_LENGTH = struct.Struct(">I")
_HEADER = struct.Struct("<HHIII")
_SIZES = struct.Struct("<II")
_MAJOR, _MINOR = 1, 0
_GET_QUOTE_REQUEST, _GET_QUOTE_RESPONSE = 0, 1
_MAX_MESSAGE = MAX_QUOTE + 4096
_MAX_CONFIGURATION = 4096
_INSTEAD = (
    "ask who operates the host to run it (qgsd) with vsock, or use configfs-tsm, which needs no "
    "vsock (Linux 6.7 or newer, modprobe tdx_guest)"
)
_MEANINGS: Mapping[int, str] = {
    errno.EAFNOSUPPORT: f"no vsock here (modprobe vmw_vsock_virtio_transport); {_INSTEAD}",
    errno.ENODEV: f"the host gives this machine no vsock; {_INSTEAD}",
    errno.ECONNRESET: f"no service listens at the host; {_INSTEAD}",
    errno.ECONNREFUSED: f"no service listens at the host; {_INSTEAD}",
    errno.EHOSTUNREACH: f"the host cannot be reached by vsock; {_INSTEAD}",
    errno.ETIMEDOUT: f"the service did not answer in time; {_INSTEAD}",
    errno.EPERM: f"vsock is forbidden here, as in a container; {_INSTEAD}",
    errno.EACCES: f"vsock is forbidden here, as in a container; {_INSTEAD}",
}
# qgs_msg_error_t.
_ERRORS: Mapping[int, str] = {
    0x12001: "unexpected error",
    0x12002: "out of memory",
    0x12003: "invalid parameter",
    0x12004: "invalid version",
    0x12005: "invalid type",
    0x12006: "invalid size",
    0x12007: "invalid code",
}


def connect(port: int, seconds: float) -> socket.socket:
    """Connects to a port of the host.

    Raises:
        OSError: that is not possible.
    """
    if not hasattr(socket, "AF_VSOCK"):
        raise OSError(errno.EAFNOSUPPORT, "Python was built without vsock")
    connection = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
    try:
        connection.settimeout(seconds)
        connection.connect((_HOST_CID, port))
    except BaseException:
        connection.close()
        raise
    return connection


def quote(
    td_report: bytes,
    seconds: float = SECONDS,
    connecting: Callable[[int, float], socket.socket] = connect,
) -> bytes:
    """Has a quote made of a TDREPORT.

    Args:
        td_report: 1,024 bytes.
        seconds: how long it may take in all.
        connecting: makes a connection to a port within some seconds.

    Raises:
        UnavailableError: the service cannot be reached, refused, or answered something else.
    """
    deadline = time.monotonic() + seconds
    port = configured_port()
    try:
        with connecting(port, seconds) as connection:
            return _ask(connection, td_report, deadline)
    except TimeoutError as error:
        late = OSError(errno.ETIMEDOUT, "timed out")
        raise unavailable(_at(port), late, _MEANINGS) from error
    except OSError as error:
        raise unavailable(_at(port), error, _MEANINGS) from error


def decode(message: bytes) -> bytes:
    """Decodes an answer, qgs_msg_get_quote_resp_t.

    Returns:
        The quote.

    Raises:
        UnavailableError: it is no answer, or one that says why there is no quote.
    """
    if len(message) < _HEADER.size:
        raise UnavailableError("the Quote Generation Service's answer is cut off")
    major, _, kind, size, error = _HEADER.unpack_from(message)
    if (major, kind, size) != (_MAJOR, _GET_QUOTE_RESPONSE, len(message)):
        raise UnavailableError("the Quote Generation Service answers in another format; update it")
    if error:
        raise UnavailableError(
            f"the Quote Generation Service made no quote: error {error:#x} "
            f"({_ERRORS.get(error, 'of its own')}); ask who operates the host"
        )
    start = _HEADER.size + _SIZES.size
    if len(message) < start:
        raise UnavailableError("the Quote Generation Service's answer is cut off")
    id_size, quote_size = _SIZES.unpack_from(message, _HEADER.size)
    if id_size + quote_size != len(message) - start or not 0 < quote_size <= MAX_QUOTE:
        raise UnavailableError("the Quote Generation Service's answer contradicts its own sizes")
    return message[start + id_size :]


def configured_port() -> int:
    """Returns the port that the machine's configuration names, else the usual one.

    Raises:
        UnavailableError: the configuration cannot be read, or names no port.
    """
    try:
        if CONFIGURATION.exists() and not CONFIGURATION.is_file():
            # Nobody may ever write to a pipe, and whoever opens it would wait.
            raise UnavailableError(f"{CONFIGURATION} is no regular file: correct or remove it")
        text = read_whole(CONFIGURATION, _MAX_CONFIGURATION).decode("utf-8", "replace")
    except FileNotFoundError:
        return PORT
    except OSError as error:
        raise unavailable(f"cannot read {CONFIGURATION}", error, {}) from error
    for line in text.splitlines():
        name, equals, value = line.partition("#")[0].partition("=")
        if equals and name.strip() == "port":
            return _port(value.strip())
    return PORT


def _port(value: str) -> int:
    if value.isascii() and value.isdecimal() and len(value) < 11 and 0 < int(value) < 1 << 32:
        return int(value)
    raise UnavailableError(f"{CONFIGURATION} names no port of vsock: port={value[:40]!r}")


def _ask(connection: socket.socket, td_report: bytes, deadline: float) -> bytes:
    size = _HEADER.size + _SIZES.size + len(td_report)
    header = _HEADER.pack(_MAJOR, _MINOR, _GET_QUOTE_REQUEST, size, 0)
    message = header + _SIZES.pack(len(td_report), 0) + td_report
    connection.settimeout(_left(deadline))
    connection.sendall(_LENGTH.pack(len(message)) + message)
    (length,) = _LENGTH.unpack(_receive(connection, _LENGTH.size, deadline))
    if not _HEADER.size <= length <= _MAX_MESSAGE:
        raise UnavailableError(f"the Quote Generation Service announces {length} bytes; it is none")
    return decode(_receive(connection, length, deadline))


def _receive(connection: socket.socket, size: int, deadline: float) -> bytes:
    data = b""
    while len(data) < size:
        connection.settimeout(_left(deadline))
        chunk = connection.recv(size - len(data))
        if not chunk:
            raise UnavailableError(
                "the Quote Generation Service hung up before its answer was done"
            )
        data += chunk
    return data


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _at(port: int) -> str:
    return f"no quote from the host's Quote Generation Service (vsock {_HOST_CID}:{port})"
