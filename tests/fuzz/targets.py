"""What is fuzzed: each decoder, the errors that it may raise, and inputs to start from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from wasmtime_attestation import issuer_config
from wasmtime_attestation.attesters import host_table, imds, qgs, sev_guest_request
from wasmtime_attestation.attesters.recording import Recording
from wasmtime_attestation.cache import token_entry
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims.verdict import TokenKind, Verdict
from wasmtime_attestation.endorsements import collateral, jwks, ocsp, rim
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.x509 import pem
from wasmtime_attestation.endorsers import disk_cache
from wasmtime_attestation.endorsers.disk_cache import Entry
from wasmtime_attestation.endorsers.question import Reply
from wasmtime_attestation.errors import InvalidArgumentError, RejectedError, UnavailableError
from wasmtime_attestation.evidence import (
    azure,
    boot_log,
    boot_log_events,
    detached_eat,
    hcl,
    jwt,
    nvidia,
    snp,
    strict_json,
    td_report,
    tdx,
    tpm,
)
from wasmtime_attestation.evidence.detached_eat import DetachedEat
from wasmtime_attestation.evidence.recognise import recognise
from wasmtime_attestation.evidence.token import EvidenceToken
from wasmtime_attestation.journal import record as journal_record
from wasmtime_attestation.journal.record import BadRecordError
from wasmtime_attestation.policy import load
from wasmtime_attestation.services.api import said
from wasmtime_attestation.verifier import ear, runtime_data
from wasmtime_attestation.verifier import ita as verifier_ita
from wasmtime_attestation.verifier import maa as verifier_maa
from wasmtime_attestation.verifier.expectations import Expected, Period
from wasmtime_attestation.verifier.issued import IssuedToken, Reader
from wasmtime_attestation.verifier.issuers import Issuer
from wasmtime_attestation.verifier.nras_device import Device

from tests.attesters import test_tpm_client_responses as tpm_responses
from tests.cache.keys import BOOT, SERVED, kept
from tests.endorsements.test_collateral import bundle
from tests.endorsers.questions import question
from tests.fakes import azure as paravisor
from tests.fakes import ita, maa, nras, nvidia_rim, recording, trustee
from tests.fakes.amd import AT, MILAN, TURIN
from tests.fakes.boot_log import PC, log
from tests.fakes.intel import PLATFORM, PLATFORM_15, QE_IDENTITY, TCB_INFO, signed
from tests.fakes.nvidia import BLACKWELL, HOPPER, SWITCH
from tests.fakes.ocsp import Responder
from tests.fakes.token import Forger, serialise
from tests.fuzz import component_runs, core_runs
from tests.journal.kept import DENIED
from tests.verifier.test_snp_table import of_host

_Decode = Callable[[bytes], object]


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
_CACHE_ENTRY = disk_cache.encode(Entry(AT, Reply(b"body", {"a": "b"})), question())
_TOKEN_ENTRY = token_entry.encode(SERVED, kept(), BOOT)
_RESPONSE = Responder().respond(*HOPPER.chain()[1:3])
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

_RECORDING = recording.of_machine().encode()


_RECORD = journal_record.write(
    2,
    {
        "time": "2026-03-01T00:00:00.000000Z",
        "instance": "0" * 32,
        "kind": "decision",
        **DENIED.members(),
        "prev": "0" * 64,
    },
).line[:-76]
_KEY = {"kty": "EC", "crv": "P-256", "alg": runtime_data.algorithm(bytes(64)), "x": "", "y": ""}
_BOUND = (
    json.dumps(trustee.former())
    .replace('"nonce": "AAAA"', f'"tee-pubkey": {json.dumps(_KEY)}')
    .encode()
)


def _payload(data: bytes) -> EvidenceToken:
    members = strict_json.loads(data)
    if not isinstance(members, dict):
        raise ValueError("a payload is an object")
    return EvidenceToken.from_payload(members)


def _service(
    kind: TokenKind,
    verdict: Callable[[IssuedToken, Reader], Verdict],
    bound: bytes | None = None,
) -> _Decode:
    """What is done with a token's claims once it is authentic, and with what it is bound to."""
    issuer = Issuer("fuzzed", kind, frozenset({"somebody"}))

    def decode(data: bytes) -> Verdict:
        claims = jwt.claims_of(data, floats=True)
        reader = Reader(Expected(report_data=bound), AT, Ledger())
        return verdict(IssuedToken(issuer, claims, Period(0, 1), ()), reader)

    return decode


def _device(data: bytes) -> None:
    device = Device("GPU-0", jwt.claims_of(data, floats=True), "3.0")
    _ = (list(device.unauthentic()), device.environment().to_json(), device.serial)


def _cache_entry(data: bytes) -> None:
    """Reads an entry whose digest is right, so that what stands below it is reached."""
    content = data.split(b"\n", 2)[-1]
    head = f"wasmtime-attestation cache 1\n{hashlib.sha256(content).hexdigest()}\n"
    disk_cache.decode(head.encode() + content, question())


def _token_entry(data: bytes) -> None:
    """Likewise, of a token."""
    content = data.split(b"\n", 2)[-1]
    head = f"{token_entry.FORM}\n{hashlib.sha256(content).hexdigest()}\n"
    token_entry.describe(head.encode() + content)


def _record(data: bytes) -> None:
    """The hash is right, as that of a forger would be."""
    journal_record.read(data + f',"hash":"{hashlib.sha256(data).hexdigest()}"}}\n'.encode())


def _boot_log(data: bytes) -> None:
    for event in boot_log.decode(data).events:
        boot_log_events.describe(event)


_EXCHANGES = (*tpm_responses.EXCHANGES.values(),)
_CERTIFICATION = json.dumps(
    {
        "vcekCert": pem(MILAN.chain()[0]).decode(),
        "tcbm": "DB18000000000004",
        "certificateChain": "".join(pem(c).decode() for c in MILAN.chain()[1:]),
    }
)


def _tpm_response(data: bytes) -> None:
    """The first byte says which command is answered."""
    if not data:
        raise UnavailableError("the TPM answers nothing")
    tpm_responses.call(_EXCHANGES[data[0] % len(_EXCHANGES)], data[1:])


# Header (16), two sizes (8), and a quote of four bytes.
_QGS_ANSWER = bytes.fromhex("01000100 01000000 1c000000 00000000 00000000 04000000 51554f54")
_SNP_RESPONSE = (bytes(4) + (1184).to_bytes(4, "little") + bytes(24) + MILAN.report()).ljust(4000)


TARGETS: Mapping[str, Target] = {
    "tpm-response": Target(
        _tpm_response,
        (UnavailableError,),
        tuple(bytes([i]) + exchange.response for i, exchange in enumerate(_EXCHANGES)),
    ),
    "imds-certification": Target(
        lambda data: imds.decode_certification(data, MILAN.report()),
        (ValueError,),
        (_CERTIFICATION.encode(),),
    ),
    "imds-quote": Target(
        imds.decode_quote, (ValueError,), (b'{"quote": "BAACAA"}', b'{"quote": "BAACAA=="}')
    ),
    "qgs": Target(qgs.decode, (UnavailableError,), (_QGS_ANSWER,)),
    "sev-guest": Target(sev_guest_request.decode, (UnavailableError,), (_SNP_RESPONSE,)),
    "host-table": Target(host_table.endorsements_of, (), (of_host(MILAN), bytes(4096))),
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
    "nvidia": Target(
        nvidia.decode, (RejectedError,), (HOPPER.report(), BLACKWELL.report(), SWITCH.report())
    ),
    "rim": Target(rim.decode, (ValueError,), _MANIFESTS),
    "ocsp": Target(ocsp.decode, (ValueError,), (_RESPONSE,)),
    "tdx": Target(
        tdx.decode,
        (RejectedError,),
        (PLATFORM.quote(), PLATFORM_15.quote(), replace(PLATFORM, certification=1).quote()),
    ),
    "input": Target(
        recognise,
        (RejectedError,),
        (
            MILAN.report().hex().encode(),
            _TOKEN,
            nras.answer(),
            detached_eat.wrap(DetachedEat("a.b.c", {"GPU-0": "d.e.f"})).encode(),
            json.dumps({"quote": "AA=="}).encode(),
        ),
    ),
    "json": Target(strict_json.loads, (ValueError,), (b'{"a": [1, null, "\\u00e9"]}',)),
    "jwt": Target(lambda data: jwt.decode(data.decode("latin-1")), (ValueError,), (_TOKEN,)),
    "token": Target(
        _payload,
        (ValueError,),
        (json.dumps(jwt.decode(_TOKEN.decode()).claims()).encode(),),
    ),
    "endorsements": Target(
        lambda data: Endorsements.from_files([("fuzzed", data)]),
        (InvalidArgumentError,),
        (*map(pem, MILAN.chain()), *_COLLATERAL, *_MANIFESTS, _RESPONSE, of_host(MILAN)),
    ),
    "jwks": Target(jwks.decode, (ValueError,), (nras.keys(), maa.keys(), ita.keys())),
    "issuer": Target(
        lambda data: issuer_config.load("fuzzed", data),
        (InvalidArgumentError,),
        (b'kind = "maa"\niss = ["https://a.example"]\njwks = "keys"\nleeway = 5\n',),
    ),
    "nras": Target(_device, (ValueError,), (serialise(nras.device()),)),
    "maa": Target(
        _service(TokenKind.MAA, verifier_maa.verdict),
        (ValueError, RejectedError),
        (serialise(maa.sev_snp_vm()), serialise(maa.tdx_vm()), serialise(maa.azure_guest())),
    ),
    "ita": Target(
        _service(TokenKind.ITA, verifier_ita.verdict),
        (ValueError, RejectedError),
        (serialise(ita.version_1()), serialise(ita.version_2())),
    ),
    "ear": Target(
        _service(TokenKind.EAR, ear.verdict),
        (ValueError, RejectedError),
        (serialise(trustee.former()), serialise(trustee.current())),
    ),
    "recording": Target(Recording.decode, (ValueError,), (_RECORDING,)),
    "cache-entry": Target(_cache_entry, (ValueError,), (_CACHE_ENTRY,)),
    "token-entry": Target(_token_entry, (ValueError,), (_TOKEN_ENTRY,)),
    "journal": Target(_record, (BadRecordError,), (_RECORD,)),
    "ear-binding": Target(
        _service(TokenKind.EAR, ear.verdict, bytes(64)), (ValueError, RejectedError), (_BOUND,)
    ),
    "ita-binding": Target(
        _service(TokenKind.ITA, verifier_ita.verdict, ita.HELD),
        (ValueError, RejectedError),
        (serialise(ita.version_1()), serialise(ita.version_2())),
    ),
    "answer": Target(said, (), (b'{"error": {"code": "a", "message": "b"}}', b"no")),
    "collateral": Target(collateral.decode, (ValueError,), _COLLATERAL),
    "policy": Target(lambda data: load("fuzzed", data), (InvalidArgumentError,), (_POLICY,)),
}

GUESTS: Mapping[str, Target] = {
    "core-modules": Target(core_runs.run, (), (b"", bytes(range(256)))),
    "components": Target(component_runs.run, (), (b"", bytes(range(256)))),
}
"""Guests made of bytes: they may trap, and the host may not do to them what it must not."""
