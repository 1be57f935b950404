"""Intel's collateral in the files that people have: answers of the PCS, and bundles of all of it.

Sources: Intel PCS API version 4 (`{"tcbInfo": …, "signature": …}`, `{"enclaveIdentity": …,
"signature": …}`); the JSON of dcap-qvl and Intel's quote verification library (names of
`sgx_ql_qve_collateral_t`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from wasmtime_attestation.endorsements.json_object import JsonObject
from wasmtime_attestation.evidence import strict_json

SIGNATURE_SIZE = 64
"""R and S of ECDSA P-256."""

# The signed bytes are those between the names, untouched: JSON written again is not the same.
_ANSWER = re.compile(
    rb'\s*\{\s*"(tcbInfo|enclaveIdentity)"\s*:\s*(\{.*\})\s*,\s*'
    rb'"signature"\s*:\s*"([0-9A-Fa-f]*)"\s*\}\s*',
    re.DOTALL,
)
_CHAINS = (
    "pck_crl_issuer_chain",
    "tcb_info_issuer_chain",
    "qe_identity_issuer_chain",
    "pck_certificate_chain",
)
_LISTS = ("root_ca_crl", "pck_crl")


class StatementKind(StrEnum):
    """What Intel states, by the name it has in the PCS's answer."""

    TCB_INFO = "tcbInfo"
    ENCLAVE_IDENTITY = "enclaveIdentity"


@dataclass(frozen=True, slots=True)
class SignedStatement:
    """A JSON text and Intel's signature over its bytes; nothing of it is verified.

    Attributes:
        kind: what it is.
        id: whose: `TDX` or `TD_QE`; others (`SGX`, `QE`, `QVE`) are of no use here.
        body: the signed bytes.
        signature: R and S.
        document: what the body says, parsed but not decoded.
    """

    kind: StatementKind
    id: str
    body: bytes
    signature: bytes
    document: JsonObject = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Collateral:
    """What one file has: statements, PEM texts of certificates, and revocation lists."""

    statements: tuple[SignedStatement, ...]
    chains: tuple[bytes, ...] = ()
    lists: tuple[bytes, ...] = ()


def decode(data: bytes) -> Collateral:
    """Reads an answer of the PCS or a bundle.

    Raises:
        ValueError: it is neither.
    """
    members = JsonObject.of(strict_json.loads(data), "collateral")
    match = _ANSWER.fullmatch(data)
    if match is not None and len(members.members) == 2:
        kind, body, signature = match.groups()
        return Collateral((_statement(kind.decode(), body, signature.decode()),))
    if "tcb_info" not in members.members:
        raise ValueError("neither an answer of Intel's PCS nor a bundle of collateral")
    return Collateral(
        tuple(_of_bundle(members, *names) for names in (
            (StatementKind.TCB_INFO, "tcb_info"),
            (StatementKind.ENCLAVE_IDENTITY, "qe_identity"),
        )),
        tuple(members.string(name).encode() for name in _CHAINS if name in members.members),
        tuple(_list(members, name) for name in _LISTS if name in members.members),
    )  # fmt: skip


def _of_bundle(members: JsonObject, kind: StatementKind, name: str) -> SignedStatement:
    body = members.string(name).encode()
    return _statement(kind, body, members.string(f"{name}_signature"))


def _statement(kind: str, body: bytes, signature: str) -> SignedStatement:
    o = JsonObject.of(strict_json.loads(body), kind)
    signed = JsonObject(kind, {"signature": signature}).hex_bytes("signature", SIGNATURE_SIZE)
    return SignedStatement(StatementKind(kind), o.string("id"), body, signed, o)


def _list(members: JsonObject, name: str) -> bytes:
    """Takes a revocation list in DER that is written in hex."""
    text = members.string(name)
    return members.hex_bytes(name, len(text) // 2)
