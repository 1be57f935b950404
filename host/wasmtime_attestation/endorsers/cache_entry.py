"""The form of a file in a cache: whatever a disk, a crash or a server did to it is noticed.

Two lines, the format and SHA-256 of everything that follows; then a line of JSON, and the body.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping

from wasmtime_attestation.evidence import strict_json
from wasmtime_attestation.evidence.strict_json import Json


def seal(form: str, head: Mapping[str, Json], body: bytes) -> bytes:
    """Writes an entry.

    Args:
        form: the name and the version of the format, one line.
        head: what is said about the body.
        body: what is kept.
    """
    content = json.dumps(head, separators=(",", ":")).encode() + b"\n" + body
    return f"{form}\n{hashlib.sha256(content).hexdigest()}\n".encode() + content


def unseal(form: str, data: bytes) -> tuple[Json, bytes]:
    """Reads an entry; returns its head and its body.

    Raises:
        ValueError: it is of another format, or not whole.
        RecursionError: its head is nested too deep.
    """
    first = f"{form}\n".encode()
    if not data.startswith(first):
        raise ValueError("it is of another format")
    digest, _, content = data[len(first) :].partition(b"\n")
    if not hmac.compare_digest(digest, hashlib.sha256(content).hexdigest().encode()):
        raise ValueError("it is not what was written")
    text, _, body = content.partition(b"\n")
    return strict_json.loads(text), body
