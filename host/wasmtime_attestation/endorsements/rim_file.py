"""Manifests as people have them: files, and answers of NVIDIA's RIM service.

Source: NVIDIA, "RIM Service", `GET /v1/rim/{id}`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re

from wasmtime_attestation.endorsements import rim
from wasmtime_attestation.endorsements.json_object import JsonObject
from wasmtime_attestation.endorsements.rim import RimFile
from wasmtime_attestation.evidence import strict_json

_ID = re.compile(r"NV_(GPU|SWITCH)_[A-Za-z0-9_.-]{1,100}")
_SUFFIX = re.compile(r"\.(xml|swidtag|json)$", re.IGNORECASE)


def id_in(file_name: str) -> str:
    """Returns the identifier that a file is named after, or "" where there is none.

    A manifest does not hold its identifier, so the name tells two of one version apart;
    nothing is trusted because of it.
    """
    match = _ID.search(_SUFFIX.sub("", file_name.replace("\\", "/").rpartition("/")[2]))
    return match[0] if match else ""


def served(data: bytes) -> RimFile | None:
    """Reads an answer of the service, or returns None where the JSON is something else.

    Raises:
        ValueError: the answer is inconsistent, or its manifest is no SWID tag.
    """
    if b'"rim"' not in data:
        return None
    value = strict_json.loads(data, floats=True)
    if not isinstance(value, dict) or not value.keys() >= {"id", "rim"}:
        return None
    answer = JsonObject.of(value, "the answer")
    try:
        manifest = base64.b64decode(answer.string("rim"), validate=True)
    except (ValueError, binascii.Error) as error:
        raise ValueError(f"the manifest is no base64: {error}") from error
    if "sha256" in value:
        _check_digest(manifest, answer.string("sha256"))
    return rim.recognise(manifest, id_in(answer.string("id")))


def _check_digest(manifest: bytes, expected: str) -> None:
    """The service's digest is over the manifest, or over its text in base64."""
    texts = (manifest, base64.b64encode(manifest))
    digests = (hashlib.sha256(text).hexdigest() for text in texts)
    if not any(hmac.compare_digest(digest, expected.lower()) for digest in digests):
        raise ValueError("the manifest has not the digest that the answer says")
