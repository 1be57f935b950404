"""One guest through both ABIs, embedded in every way and by command line: it sees the same."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest

from tests.embedding.ways import WAYS
from tests.paths.guests import ABIS

FORGED = "token:e30.e30.e30"
WORDS = (
    *("kept:vm", "kept:vm", "fresh:vm", "old:0", "old:1", "read:0", "clear", "kept:vm"),
    *("kept:gpu:0", "fresh:gpu:0", FORGED),
)
SEEN = [
    ["kept:vm", "ok", "token 0", "true"],
    ["kept:vm", "ok", "token 0", "true"],
    ["fresh:vm", "ok", "token 1", "true"],
    ["old:0", "yes", "", ""],
    ["old:1", "yes", "", ""],
    ["read:0", "warning", "this host", "Simulated"],
    ["kept:vm", "ok", "token 2", "true"],
    ["kept:gpu:0", "unsupported", "no GPU", ""],
    ["fresh:gpu:0", "unsupported", "no GPU", ""],
    ["token:e3", "no", "", ""],
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("abi", ABIS)
def test_a_guest_sees_the_same(abi: str, way: str, tmp_path: Path) -> None:
    file = ABIS[abi]()
    output = WAYS[way](file, WORDS, tmp_path)
    tokens: list[str] = []
    seen = [_neutral(line.split("\t"), tokens) for line in output.splitlines()]
    assert seen == SEEN
    digest = hashlib.sha256(file.read_bytes()).digest()
    for token in tokens:
        assert _decoded(_payload(token)["guest_digest"]) == digest


def _neutral(fields: list[str], tokens: list[str]) -> list[str]:
    """Names tokens by the order in which they are first seen."""
    word, what, text, also = fields
    if what == "ok":
        tokens += [text] if text not in tokens else []
        text = f"token {tokens.index(text)}"
    elif text.startswith("urn:ietf:params:oauth:jwk-thumbprint:"):
        text = "this host"
    elif "no GPU" in text:
        text = "no GPU"
    return [word, what, text, also]


def _payload(token: str) -> dict[str, str]:
    payload = json.loads(_decoded(token.split(".")[1]))
    assert isinstance(payload, dict)
    return payload


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
