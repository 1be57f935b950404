"""Evidence tokens of hosts in Azure confidential VMs: D in the user data, and in the quote."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from wasmtime_attestation.claims.azure import AzureClaims

from tests.fakes.azure import SNP, TDX, ConfidentialVm, attest
from tests.fakes.token import NONCE, Forger, bind, evidence_members
from tests.verifier.relying_party import rejected, verify

FORGER = Forger()
D = bind(NONCE, FORGER.thumbprint, None, None, None)
QUOTE_NONCE = hashlib.sha256(b"wasmtime:attestation tpm quote\0" + D).digest()
EACH = pytest.mark.parametrize("vm", [SNP, TDX], ids=["snp", "tdx"])


def token(
    vm: ConfidentialVm,
    user_data: bytes = D,
    quote_nonce: bytes = QUOTE_NONCE,
    **parts: Any,  # noqa: ANN401
) -> str:
    host = replace(vm, user_data=user_data)
    evidence = host.evidence(**({"message": attest(quote_nonce)} | parts))
    members = evidence_members(evidence) | {"type": str(evidence.type)}
    return FORGER.sign(FORGER.payload() | {"evidence": [members]})


@EACH
def test_a_token(vm: ConfidentialVm) -> None:
    verified = verify(token(vm), anchors=vm.anchors, endorsements=vm.endorsements())

    assert verified.claims[0].report_data == D
    assert isinstance(verified.claims[0].details, AzureClaims)
    assert verified.claims[0].details.tpm is not None


@pytest.mark.parametrize(
    ("parts", "check"),
    [
        ({"user_data": bytes(64)}, "evidence.binding"),
        ({"quote_nonce": hashlib.sha256(D).digest()}, "tpm.nonce"),
        ({"quote_nonce": D[:32]}, "tpm.nonce"),
        ({"message": None}, "tpm.nonce"),
    ],
)
def test_what_is_not_bound(parts: dict[str, Any], check: str) -> None:
    error = rejected(token(SNP, **parts), anchors=SNP.anchors)
    assert [finding.check for finding in error.findings] == [check]
