"""What is fuzzed: each decoder, the errors that it may raise, and inputs to start from."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from wasmtime_attestation import issuer_config as issuers
from wasmtime_attestation.endorsements import collateral, jwks, ocsp, rim
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.x509 import pem
from wasmtime_attestation.errors import InvalidArgumentError, RejectedError
from wasmtime_attestation.evidence import (
    azure,
    boot_log,
    boot_log_events,
    hcl,
    jwt,
    nvidia,
    snp,
    strict_json,
    td_report,
    tdx,
    tpm,
)
from wasmtime_attestation.evidence.recognise import recognise
from wasmtime_attestation.evidence.token import EvidenceToken
from wasmtime_attestation.policy import load

from tests.endorsements.test_collateral import bundle
from tests.fakes import azure as paravisor
from tests.fakes import nras, nvidia_rim
from tests.fakes.amd import MILAN, TURIN
from tests.fakes.boot_log import PC, log
from tests.fakes.intel import PLATFORM, PLATFORM_15, QE_IDENTITY, TCB_INFO, signed
from tests.fakes.nvidia import BLACKWELL, HOPPER, SWITCH
from tests.fakes.ocsp import Responder
from tests.fakes.token import Forger


@dataclass(frozen=True, slots=True)
class Target:
    """A decoder.

    Attributes:
        decode: takes any bytes.
        refuses: what it raises for bytes that it does not take; anything else is a defect.
        seeds: bytes that it takes.
    """

    decode: Callable[[bytes], object]
    refuses: tuple[type[Exception], ...]
    seeds: tuple[bytes, ...]


_TOKEN = Forger().token().encode()
_COLLATERAL = (
    bundle(),
    signed("tcbInfo", TCB_INFO, PLATFORM.key("Intel SGX TCB Signing")),
    signed("enclaveIdentity", QE_IDENTITY, PLATFORM.key("Intel SGX TCB Signing")),
)
_MANIFESTS = (nvidia_rim.DRIVER.xml(), nvidia_rim.BLACKWELL[0].xml())
_RESPONSE = Responder().respond(*HOPPER.chain()[1:3])
_ISSUER = b"""kind = "nras"
iss = ["https://nras.attestation.nvidia.com"]
"""
_POLICY = b"""schema = 1
accept = ["amd-sev-snp", "intel-tdx"]
guest-digests = ["%s"]
[snp]
vmpl = [0, 1]
minimum-tcb.Milan = { snp = 8 }
[tdx]
tcb-statuses = ["UpToDate"]
[gpu]
minimum-driver-version = "550.90.07"
""" % (b"ab" * 32)


def _payload(data: bytes) -> EvidenceToken:
    members = strict_json.loads(data)
    if not isinstance(members, dict):
        raise ValueError("a payload is an object")
    return EvidenceToken.from_payload(members)


def _boot_log(data: bytes) -> None:
    for event in boot_log.decode(data).events:
        boot_log_events.describe(event)


TARGETS: Mapping[str, Target] = {
    "hcl": Target(hcl.decode, (RejectedError,), (paravisor.SNP.report(), paravisor.TDX.report())),
    "td-report": Target(td_report.decode, (RejectedError,), (paravisor.td_report(PLATFORM_15),)),
    "tpm": Target(tpm.decode, (RejectedError,), (paravisor.attest(),)),
    "azure": Target(
        azure.decode,
        (RejectedError,),
        (paravisor.SNP.evidence().data, paravisor.TDX.evidence().data),
    ),
    "boot-log": Target(_boot_log, (RejectedError,), (log(PC), log(PC, (0x04, 0x0B)))),
    "snp": Target(snp.decode, (RejectedError,), (MILAN.report(), TURIN.report())),
    "tdx": Target(tdx.decode, (RejectedError,), (PLATFORM.quote(), PLATFORM_15.quote())),
    "nvidia": Target(
        nvidia.decode, (RejectedError,), (HOPPER.report(), BLACKWELL.report(), SWITCH.report())
    ),
    "rim": Target(rim.decode, (ValueError,), _MANIFESTS),
    "ocsp": Target(ocsp.decode, (ValueError,), (_RESPONSE,)),
    "input": Target(
        recognise,
        (RejectedError,),
        (MILAN.report().hex().encode(), _TOKEN, json.dumps({"quote": "AA=="}).encode()),
    ),
    "json": Target(strict_json.loads, (ValueError,), (b'{"a": [1, null, "\\u00e9"]}',)),
    "jwt": Target(lambda data: jwt.decode(data.decode("latin-1")), (ValueError,), (_TOKEN,)),
    "token": Target(
        _payload,
        (ValueError,),
        (jwt.decode(_TOKEN.decode()).data,),
    ),
    "endorsements": Target(
        lambda data: Endorsements.from_files([("fuzzed", data)]),
        (InvalidArgumentError,),
        (*map(pem, MILAN.chain()), *_COLLATERAL, *_MANIFESTS, _RESPONSE),
    ),
    "collateral": Target(collateral.decode, (ValueError,), _COLLATERAL),
    "jwks": Target(jwks.decode, (ValueError,), (nras.keys(),)),
    "issuer": Target(
        lambda data: issuers.load("fuzzed", data), (InvalidArgumentError,), (_ISSUER,)
    ),
    "policy": Target(lambda data: load("fuzzed", data), (InvalidArgumentError,), (_POLICY,)),
}
