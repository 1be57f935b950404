"""Intel's collateral in the files that people have."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import pytest
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.collateral import StatementKind
from wasmtime_attestation.endorsements.x509 import der, pem
from wasmtime_attestation.errors import InvalidArgumentError

from tests.fakes.intel import PLATFORM, QE_IDENTITY, TCB_INFO, Collateral, crl, ecdsa, signed
from tests.verifier.tdx_verification import verify

ROOT, CA = "Intel SGX Root CA", PLATFORM.ca
SIGNING_KEY = PLATFORM.key("Intel SGX TCB Signing")
ROOT_LIST = crl(ROOT, PLATFORM.key(ROOT))
PCK_LIST = crl(CA, PLATFORM.key(CA))


def bundle(**members: Any) -> bytes:  # noqa: ANN401
    """Returns the JSON of dcap-qvl, with what shall be different."""
    chain = (pem(PLATFORM.signer) + pem(PLATFORM.root)).decode()
    texts = {"tcb_info": json.dumps(TCB_INFO), "qe_identity": json.dumps(QE_IDENTITY)}
    signatures = {
        f"{name}_signature": ecdsa(SIGNING_KEY, text.encode()).hex() for name, text in texts.items()
    }
    whole: dict[str, Any] = {
        "pck_crl_issuer_chain": (pem(PLATFORM.authority) + pem(PLATFORM.root)).decode(),
        "root_ca_crl": der(ROOT_LIST).hex(),
        "pck_crl": der(PCK_LIST).hex(),
        "tcb_info_issuer_chain": chain,
        "qe_identity_issuer_chain": chain,
        **texts,
        **signatures,
    }
    return json.dumps({k: v for k, v in (whole | members).items() if v is not None}).encode()


def read(*files: bytes) -> Endorsements:
    return Endorsements.from_files((f"file {i}", data) for i, data in enumerate(files))


def refusal(data: bytes) -> str:
    with pytest.raises(InvalidArgumentError) as caught:
        read(data)
    return caught.value.message


def test_a_bundle_has_all_that_it_takes() -> None:
    endorsements = read(bundle())

    assert len(endorsements.crls) == 2
    assert [s.id for s in endorsements.statements] == ["TDX", "TD_QE"]
    assert verify(PLATFORM.quote(), endorsements).tdx.evaluation_number == 17


def test_answers_of_the_pcs() -> None:
    lists = [der(ROOT_LIST), der(PCK_LIST).hex().encode() + b"\n"]
    files = [signed("tcbInfo", TCB_INFO, SIGNING_KEY), signed("enclaveIdentity", QE_IDENTITY, SIGNING_KEY)]  # fmt: skip  # noqa: E501
    endorsements = read(*lists, *files, pem(PLATFORM.signer) + pem(PLATFORM.root))

    kinds = {statement.kind for statement in endorsements.statements}
    assert kinds == {StatementKind.TCB_INFO, StatementKind.ENCLAVE_IDENTITY}
    assert verify(PLATFORM.quote(), endorsements).tdx.trailing_bytes == 0


def test_the_signed_bytes_are_those_in_the_file() -> None:
    """Spaces, order and the case of hex are Intel's: JSON written again is not the same."""
    body = json.dumps(TCB_INFO, indent=1)
    signature = ecdsa(SIGNING_KEY, body.encode()).hex().upper()
    data = f' {{ "tcbInfo" : {body} , "signature" : "{signature}" }}\n'.encode()

    (statement,) = read(data).statements

    assert statement.body == body.encode()
    assert statement.signature.hex().upper() == signature
    rest = Collateral(PLATFORM, tcb_info=None).endorsements()
    assert verify(PLATFORM.quote(), read(data) + rest).tdx.evaluation_number == 17


@pytest.mark.parametrize(
    "members",
    [
        {"tcb_info": "{}"},
        {"tcb_info": "[]"},
        {"tcb_info": None},
        {"tcb_info": 1},
        {"tcb_info": '{"id":"TDX","id":"TDX"}'},
        {"qe_identity": None},
        {"tcb_info_signature": "00"},
        {"tcb_info_signature": "zz" * 64},
        {"pck_crl": "00"},
        {"pck_crl": "abc"},
        {"root_ca_crl": []},
        {"tcb_info_issuer_chain": "-----BEGIN CERTIFICATE-----"},
    ],
    ids=str,
)
def test_a_bundle_that_is_none(members: Mapping[str, Any]) -> None:
    assert "nor collateral of Intel's" in refusal(bundle(**members))


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b"{",
        b'{"tcbInfo":{"id":"TDX"}}',
        b'{"tcbInfo":{"id":"TDX"},"signature":"00"}',
        b'{"signature":"' + b"00" * 64 + b'"}',
        b'{"a":' * 100 + b"1" + b"}" * 100,
    ],
)
def test_other_json_is_refused(data: bytes) -> None:
    assert "nor collateral of Intel's" in refusal(data)


def test_a_statement_of_sgx_is_of_no_use() -> None:
    sgx = read(signed("tcbInfo", dict(TCB_INFO) | {"id": "SGX"}, SIGNING_KEY))

    assert verify(PLATFORM.quote(), sgx + Collateral(PLATFORM).endorsements()).tdx.tcb_status


def test_repetitions_count_once() -> None:
    data = bundle()

    assert read(data) + read(data) == read(data)


def test_an_issuer_chain_as_the_pcs_writes_it_into_a_header() -> None:
    """Percent-encoded PEM, as in `SGX-PCK-Certificate-Issuer-Chain`."""
    text = quote((pem(PLATFORM.authority) + pem(PLATFORM.root)).decode(), safe="").encode()
    found = Endorsements.from_files([("issuer-chain", text)])
    assert found.certificates == (PLATFORM.authority, PLATFORM.root)
