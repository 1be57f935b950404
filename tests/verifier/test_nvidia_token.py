"""A token about a GPU: its evidence answers the nonce that is made of the token's binding."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from pathlib import Path

import pytest
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.x509 import der
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence.envelope import EvidenceType
from wasmtime_attestation.verifier.binding import nonce_of
from wasmtime_attestation.verifier.expectations import Expected
from wasmtime_attestation.verifier.token import VerifiedToken, verify_token

from tests.fakes import nvidia_rim
from tests.fakes.nvidia import AT, HOPPER, real_anchors
from tests.fakes.token import NONCE, Forger, bind, encode

DOCUMENT = (Path(__file__).parents[2] / "docs" / "binding.md").read_text()
FORGER = Forger()


def token(nonce: bytes | None = None) -> str:
    """Returns a token with a GPU's report and all that verifies it."""
    bound = bind(NONCE, FORGER.thumbprint, None, None, None)
    expected = hashlib.sha256(b"wasmtime:attestation device nonce\0" + bound).digest()
    manifests = (nvidia_rim.DRIVER.xml(), nvidia_rim.VBIOS.xml())
    endorsements = [("x509-certificate", der(c)) for c in HOPPER.chain()]
    endorsements += [("nvidia-rim", data) for data in manifests]
    evidence = {
        "type": "nvidia-gpu",
        "data": encode(HOPPER.report(nonce=expected if nonce is None else nonce)),
        "endorsements": [{"type": t, "data": encode(data)} for t, data in endorsements],
    }
    return FORGER.sign(FORGER.payload() | {"evidence": [evidence]})


def verify(text: str) -> VerifiedToken:
    return verify_token(
        text,
        Expected(NONCE),
        Endorsements(),
        at=AT + timedelta(seconds=10),
        anchors=real_anchors(),
        ledger=Ledger(),
    )


def test_a_token_about_a_gpu_verifies_by_itself() -> None:
    assert verify(token()).claims[0].platform == "nvidia-gpu"


@pytest.mark.parametrize("nonce", [NONCE, bytes(32)])
def test_a_report_for_another_token(nonce: bytes) -> None:
    with pytest.raises(RejectedError, match=r"nvidia\.nonce"):
        verify(token(nonce))


def test_the_documents_vector() -> None:
    stated = re.search(r"^device nonce: ([0-9a-f]{64})$", DOCUMENT, re.MULTILINE)
    first = re.search(r"^D: ([0-9a-f]{128})$", DOCUMENT, re.MULTILINE)

    assert stated is not None
    assert first is not None
    for kind in (EvidenceType.NVIDIA_GPU, EvidenceType.NVIDIA_SWITCH):
        assert nonce_of(kind, bytes.fromhex(first[1])) == bytes.fromhex(stated[1])
