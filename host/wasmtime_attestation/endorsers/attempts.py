"""Asking again: which failures may pass, and how long to wait (RFC 9110 section 10.2.3)."""

from __future__ import annotations

import email.utils
import random
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime

import httpx

_STATUSES = frozenset({429, 502, 503, 504})
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 8.0


def status_may_pass(status: int) -> bool:
    """Whether an answer says that another attempt may go better."""
    return status in _STATUSES


def failure_may_pass(error: httpx.HTTPError | OSError) -> bool:
    """Whether a connection failed in a way that may pass: a wrong certificate does not."""
    if isinstance(error, httpx.TransportError):
        wrong = isinstance(error, httpx.UnsupportedProtocol | httpx.ProxyError)
        return not wrong and certificate_fault(error) is None
    return isinstance(error, OSError)


def certificate_fault(error: BaseException) -> str | None:
    """Returns why a server's certificate is not believed, or None if that is not the failure."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause.verify_message or str(cause)
        cause = cause.__cause__ or cause.__context__
    return None


def pause(attempt: int, headers: Mapping[str, str] | None = None) -> float:
    """Returns how many seconds to wait after an attempt that failed.

    Args:
        attempt: which it was, from 0 on.
        headers: of the answer, if there was one.
    """
    asked = _retry_after((headers or {}).get("retry-after", ""))
    own = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0**attempt)
    return max(asked, own * random.uniform(0.5, 1.0))  # noqa: S311


def _retry_after(text: str) -> float:
    """Reads seconds or a date; what is neither asks for nothing."""
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) <= 9:
        return float(text)
    try:
        instant = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0.0
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return max(0.0, (instant - datetime.now(UTC)).total_seconds())
