"""A detached EAT wrapped into one text: one text alone, which is read like the JSON."""

from __future__ import annotations

import base64
import json

import pytest
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence import detached_eat
from wasmtime_attestation.evidence.detached_eat import DetachedEat
from wasmtime_attestation.evidence.recognise import Token, recognise
from wasmtime_attestation.verifier.expectations import Expected

from tests import vectors
from tests.fakes import nras
from tests.fakes.token import encode
from tests.verifier.service_verification import rejected, survives, verify

EAT = DetachedEat("a.b.c", {"GPU-0": "d.e.f", "GPU-1": "g.h.i"})
TEXT = "W1siSldUIiwiYS5iLmMiXSx7IkdQVS0wIjoiZC5lLmYiLCJHUFUtMSI6ImcuaC5pIn1d"
"""`printf '[["JWT","a.b.c"],{"GPU-0":"d.e.f","GPU-1":"g.h.i"}]' | basenc --base64url`."""


def wrapped(answer: bytes) -> str:
    return encode(json.dumps(json.loads(answer), separators=(",", ":")).encode())


def test_the_form() -> None:
    assert detached_eat.wrap(EAT) == TEXT
    assert detached_eat.unwrap(TEXT) == EAT
    assert detached_eat.is_wrapped(TEXT)
    assert not detached_eat.is_wrapped("a.b.c")


@pytest.mark.parametrize(
    "document",
    [
        b'[["JWT", "a.b.c"],{"GPU-0":"d.e.f"}]',
        b'[["JWT","a.b.c"],{"GPU-0":"d.e.f"}] ',
        b'[["JWT","a.b.c"],{"GPU-0":"d.e.f","GPU-0":"d.e.f"}]',
        b'[["JWT","a.b.c"],{"GPU-0":"\\u0064.e.f"}]',
        b'[["JWT","a.b.c"],{"GPU-1":"d.e.f","GPU-0":"g.h.i"}]',
        b'[["JWT","a.b.c"],{"GPU-00":"d.e.f"}]',
        b'[["JWT","a.b.c"],{"CPU-0":"d.e.f"}]',
        b'[["JWT","a.b.c"],{"GPU-0":1}]',
        b'[["JWT","a.b.c"]]',
        b'[["JWT","',
    ],
)
def test_there_is_one_text_alone(document: bytes) -> None:
    with pytest.raises(ValueError, match=r"[a-z]"):
        detached_eat.unwrap(encode(document))


def test_bounds() -> None:
    long = detached_eat.wrap(DetachedEat("a" * (1 << 20), {}))
    with pytest.raises(ValueError, match="the limit"):
        detached_eat.unwrap(long)
    for changed in (TEXT + "=", TEXT + "A", TEXT[:-1], TEXT.replace("W1s", "W1t"), TEXT + "\n"):
        with pytest.raises(ValueError, match=r"[a-z]"):
            detached_eat.unwrap(changed)


def test_it_is_recognised() -> None:
    answer = nras.answer()
    assert recognise(wrapped(answer).encode()) == recognise(answer)
    assert isinstance(recognise(b"\n" + wrapped(answer).encode() + b"\n"), Token)
    with pytest.raises(RejectedError, match=r"input\.format"):
        recognise(wrapped(answer).encode() + b"!")


@pytest.mark.parametrize("version", nras.VERSIONS)
def test_it_is_verified_like_the_answer(version: str) -> None:
    answer = nras.answer(version=version)
    keys = nras.keys()
    expected = Expected(nonce=nras.NONCE, device_serials=(nras.SERIAL,))
    assert verify(wrapped(answer), keys, expected=expected) == verify(
        answer, keys, expected=expected
    )


def test_every_flip_and_cut() -> None:
    text, keys = wrapped(nras.answer()), nras.keys()
    for place in range(0, len(text), 7):
        data = bytearray(text.encode())
        data[place] ^= 1 << (place % 7)
        assert survives(bytes(data), keys) is None
        assert survives(text[:place], keys) is None


def test_an_overall_token_alone_is_nothing() -> None:
    (_, overall), _ = json.loads(nras.answer())
    assert rejected(overall, nras.keys())[0] == "nras.digests"


def test_a_recorded_answer() -> None:
    document = json.loads(vectors.read("nvidia/nvsdk_hopperClaimsv3_detached_eat.json"))
    eat = detached_eat.read(document)
    text = detached_eat.wrap(eat)
    assert detached_eat.unwrap(text) == eat
    assert json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))) == (
        document.get("detached_eat") if isinstance(document, dict) else document
    )
