"""The lists that NVIDIA's tools write are taken apart; what they say beside evidence is ignored."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from wasmtime_attestation.endorsements.x509 import der, pem
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.evidence.pem import decode_chain
from wasmtime_attestation.evidence.recognise import recognise

from tests.fakes.nvidia import HOPPER, NONCE, SWITCH, Device

CHAIN = HOPPER.chain()
TEXT = b"".join(map(pem, CHAIN))


def item(device: Device = HOPPER, **members: object) -> dict[str, Any]:
    text = b"".join(map(pem, device.chain()))
    return {
        "arch": "HOPPER",
        "nonce": NONCE.hex(),
        "evidence": base64.b64encode(device.report()).decode(),
        "certificate": base64.b64encode(text).decode(),
        **members,
    }


def read(document: object) -> tuple[Evidence, ...]:
    evidence = recognise(json.dumps(document).encode())
    assert isinstance(evidence, tuple)
    return evidence


@pytest.mark.parametrize(
    "wrap",
    [
        lambda items: items,
        lambda items: {"evidences": items, "result_code": 0, "result_message": "Ok"},
        lambda items: {"evidence_list": items, "nonce": "00", "arch": "HOPPER"},
        lambda items: {"device_evidence_list": items},
    ],
)
def test_the_lists_of_tools(wrap: Callable[[list[Any]], Any]) -> None:
    gpu, switch = read(wrap([item(), item(SWITCH, version="1.0", arch="HOPPER")]))

    assert (gpu.type, switch.type) == (EvidenceType.NVIDIA_GPU, EvidenceType.NVIDIA_SWITCH)
    assert len(gpu.endorsements) == len(switch.endorsements) == 5


def test_the_chain_keeps_its_order() -> None:
    (gpu,) = read([item(certificate=base64.b64encode(TEXT).decode())])

    assert [e.data for e in gpu.endorsements] == [der(c) for c in CHAIN]


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ([], "no list of 1 to 64 devices"),
        ([item()] * 65, "no list of 1 to 64 devices"),
        ({"evidences": None}, "no list of 1 to 64 devices"),
        ([7], "[0] is no object"),
        ([{"evidence": "AA=="}], "[0] is no object with evidence and certificate"),
        ([item(), item(trusted=True)], '[1] has members that are not known: ["trusted"]'),
        ([item(evidence=7)], "[0].evidence is no string"),
        ([item(evidence="A")], "[0].evidence is no base64"),
        ([item(certificate="AAAA")], "0 certificates in PEM"),
        ([item(certificate=base64.b64encode(TEXT * 4).decode())], "20 certificates in PEM"),
        ([item(certificate=base64.b64encode(b" " + TEXT).decode())], "not canonical"),
        ({"evidences": [item()], "trusted": True}, '["trusted"], which is unknown'),
    ],
)
def test_what_is_wrong_with_a_list_is_said(document: object, says: str) -> None:
    with pytest.raises(RejectedError) as caught:
        read(document)

    assert caught.value.findings[0].check == "input.format"
    assert says in caught.value.message


def test_ten_thousand_certificates_are_refused_at_once() -> None:
    with pytest.raises(ValueError, match="10000 certificates in PEM, not 1 to 16"):
        decode_chain(pem(CHAIN[0]) * 10_000, 16)


@pytest.mark.parametrize("end", [b"", b"\n", b"\0\0", b"\n\0"])
def test_the_last_line_end_is_optional_and_zeros_may_follow(end: bytes) -> None:
    assert decode_chain(TEXT.removesuffix(b"\n") + end, 16) == tuple(map(der, CHAIN))


def test_every_flip_in_a_chains_text_changes_a_certificate_or_is_refused() -> None:
    text = pem(CHAIN[0])
    good = der(CHAIN[0])
    for at in range(len(text) - 1):  # the last line end may be absent
        for bit in range(8):
            flipped = bytearray(text)
            flipped[at] ^= 1 << bit
            try:
                (other,) = decode_chain(bytes(flipped), 16)
            except ValueError:
                continue
            assert other != good
