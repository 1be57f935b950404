"""Asks others whether they are there, and what time it is.

Source: Linux, adjtimex(2).
"""

from __future__ import annotations

import ctypes
import email.utils
import sys
import time

from wasmtime_attestation.attesters.imds import HOST
from wasmtime_attestation.doctor.facts import Answered
from wasmtime_attestation.endorsers.http import Answer, HttpClient, Limits

_ANY = tuple(range(200, 600))
_LIMITS = Limits(size=1 << 20, seconds=10.0, attempts=1, redirects=2)
_TIME_ERROR = 5
_TIMEX_SIZE = 512
"""Bytes, more than any architecture's struct timex; zeros ask and change nothing."""
METADATA_SERVICE = f"http://{HOST}/metadata/versions"


def ask_service(url: str) -> Answered:
    """Asks a vendor's service.

    Raises:
        UnavailableError: it cannot be reached.
    """
    client = HttpClient(_LIMITS, plain=url.startswith("http://"))
    return _timed(client, f"{url}/", None)


def ask_metadata_service() -> Answered:
    """Asks Azure's metadata service, past every proxy.

    Raises:
        UnavailableError: it cannot be reached.
    """
    client = HttpClient(_LIMITS, hosts=frozenset({HOST}), proxies=False, plain=True)
    return _timed(client, METADATA_SERVICE, {"Metadata": "true"})


def is_synchronised() -> bool | None:
    """Whether the kernel's clock follows another; None where the kernel does not say."""
    if sys.platform != "linux":
        return None
    state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_SIZE))
    return None if state < 0 else state != _TIME_ERROR


def _timed(client: HttpClient, url: str, headers: dict[str, str] | None) -> Answered:
    begin = time.monotonic()
    answer = client.get(url, headers, _ANY)
    return Answered(url, answer.status, time.monotonic() - begin, _ahead(answer))


def _ahead(answer: Answer) -> float | None:
    """Compares the Date header, which has whole seconds (RFC 9110 section 6.6.1), with ours."""
    try:
        instant = email.utils.parsedate_to_datetime(answer.headers.get("date", ""))
        return instant.timestamp() + 0.5 - time.time()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
