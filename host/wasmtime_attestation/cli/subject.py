"""What `inspect` says about a file, for each kind of file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import click
from cryptography import x509

from wasmtime_attestation.claims.form import to_json
from wasmtime_attestation.cli import nvidia_subject
from wasmtime_attestation.endorsements import amd, amd_table, jwks, xml_document
from wasmtime_attestation.endorsements import x509 as certs
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.jwa import Algorithm
from wasmtime_attestation.errors import InvalidArgumentError, RejectedError
from wasmtime_attestation.evidence import azure, hcl, jwt, snp, tdx, text, tpm
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.evidence.recognise import MAX_SIZE, Token, recognise
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.evidence.token import PROFILE, EvidenceToken

_MAX_GUEST = 256 << 20
_WASM = b"\0asm"
_PEM = b"-----BEGIN "
_DER_SEQUENCE = b"\x30\x82"
_NOT_REPORTED = {"signed_bytes", "signature_r", "signature_s"}


def describe(path: Path) -> dict[str, Json]:
    """Decodes a file, or standard input for `-`, and returns what is in it.

    Raises:
        InvalidArgumentError: the file cannot be read, or is no valid guest or certificate.
        RejectedError: it is ill-formed, or nothing that is known.
    """
    data = _read(path)
    if data.startswith(_WASM):
        return _guest(path.name, data)
    if _is_endorsement(data) or amd_table.is_table(data):
        return _endorsements(path, data)
    if jwks.looks_like(data):
        return _keys(path, data)
    subject = recognise(data)
    if isinstance(subject, Token):
        members = _token(subject.text)
        devices = subject.submodules or {}
        named: dict[str, Json] = {name: _token(token) for name, token in devices.items()}
        return members | ({"submodules": named} if named else {})
    pieces = [_evidence(piece) for piece in subject]
    return pieces[0] if len(pieces) == 1 else {"kind": "evidence", "evidence": [*pieces]}


def _is_endorsement(data: bytes) -> bool:
    der = text.decode(data) or data
    return _PEM in data or der.startswith(_DER_SEQUENCE) or xml_document.looks_like(data)


def _read(path: Path) -> bytes:
    """Reads once, since a pipe gives its content only once; only guests may be large."""
    try:
        with click.open_file(str(path), "rb") as file:
            data: bytes = file.read(MAX_SIZE + 1)
            if data.startswith(_WASM):
                data += file.read(_MAX_GUEST + 1 - len(data))
    except OSError as error:
        raise InvalidArgumentError(f"{path} cannot be read: {error.strerror}") from error
    except RuntimeError as error:  # click's, for a standard input that is closed
        raise InvalidArgumentError("standard input is closed; name a file") from error
    return data


def _guest(name: str, wasm: bytes) -> dict[str, Json]:
    # Only guests need wasmtime, whose import takes longer than everything else here.
    from wasmtime_attestation.world.guest import Guest
    from wasmtime_attestation.world.inspection import inspect

    if len(wasm) > _MAX_GUEST:
        raise InvalidArgumentError(f"{name} has more than {_MAX_GUEST} bytes")
    found = inspect(Guest(name, wasm))
    return {
        "kind": "guest",
        "abi": found.guest.abi,
        "size": len(found.guest.wasm),
        "sha256": found.guest.digest.hex(),
        "world": {name: [*functions] for name, functions in found.world.items()},
        "wasi": [*found.wasi],
        "not_offered": [*found.foreign],
        "generation": found.generation,
        "missing_exports": [*found.missing],
        "warnings": [*found.warnings],
    }


def _endorsements(path: Path, data: bytes) -> dict[str, Json]:
    found = Endorsements.from_files([(str(path), data)])
    return {
        "kind": "certificates",
        "certificates": [_certificate(certificate) for certificate in found.certificates],
        "revocation_lists": [_crl(crl) for crl in found.crls],
        "manifests": [nvidia_subject.manifest(rim) for rim in found.rims],
        "ocsp_responses": [nvidia_subject.ocsp_response(response) for response in found.ocsp],
        "unverified_host_entries": [*map(str, found.host_entries)],
    }


def _keys(path: Path, data: bytes) -> dict[str, Json]:
    (keys,) = Endorsements.from_files([(str(path), data)]).key_sets
    return {
        "kind": "keys",
        "keys": [
            {
                "kid": jwk.key_id,
                "algorithms": [name for name in Algorithm if jwk.serves(name)],
                "spki_sha256": hashlib.sha256(jwk.spki).hexdigest(),
                "certificates": [_certificate(certificate) for certificate in jwk.chain],
            }
            for jwk in keys.keys
        ],
    }


def _certificate(certificate: x509.Certificate) -> Json:
    members: dict[str, Json] = {
        "subject": certificate.subject.rfc4514_string(),
        "issuer": certificate.issuer.rfc4514_string(),
        "not_before": to_json(certificate.not_valid_before_utc),
        "not_after": to_json(certificate.not_valid_after_utc),
        "authority": certs.is_authority(certificate),
        "spki_sha256": certs.spki_sha256(certificate).hex(),
    }
    return members | (_versioned_key(certificate) if amd.is_versioned_key(certificate) else {})


def _versioned_key(certificate: x509.Certificate) -> dict[str, Json]:
    try:
        key = amd.decode(certificate)
    except ValueError as error:
        return {"unusable": str(error)}
    return {
        "kind": key.kind.name,
        "product_name": key.product_name,
        "tcb": to_json(key.tcb),
        "hwid": to_json(key.hwid),
        "csp_id": key.csp_id,
    }


def _crl(crl: x509.CertificateRevocationList) -> Json:
    return {
        "issuer": crl.issuer.rfc4514_string(),
        "this_update": to_json(crl.last_update_utc),
        "next_update": to_json(crl.next_update_utc),
        "revoked_serial_numbers": [f"{entry.serial_number:x}" for entry in crl],
    }


def _token(text: str) -> dict[str, Json]:
    try:
        jws = jwt.decode(text)
        payload = jws.claims(floats=True)
        evidence = _token_evidence(payload)
    except ValueError as error:
        raise RejectedError.of("token.format", f"this is no token: {error}") from error
    return {"kind": "token", "header": jws.header, "payload": payload, "evidence": evidence}


def _token_evidence(payload: dict[str, Json]) -> list[Json]:
    """Decodes the evidence where the token has our profile; others stand as they are."""
    if payload.get("eat_profile") != PROFILE:
        return []
    token = EvidenceToken.from_payload(payload)
    return [_evidence(evidence) for evidence in token.evidence]


def _evidence(evidence: Evidence) -> dict[str, Json]:
    if evidence.type in (EvidenceType.NVIDIA_GPU, EvidenceType.NVIDIA_SWITCH):
        return {"kind": evidence.type, "report": nvidia_subject.report(evidence.data)}
    if evidence.type in (EvidenceType.AZURE_SNP, EvidenceType.AZURE_TDX):
        return {"kind": evidence.type, **_azure(azure.decode(evidence.data))}
    decode = {EvidenceType.AMD_SEV_SNP: snp.decode, EvidenceType.INTEL_TDX: tdx.decode}
    report = to_json(decode[evidence.type](evidence.data))
    if not isinstance(report, dict):
        raise TypeError("a report is an object")
    members = {name: value for name, value in report.items() if name not in _NOT_REPORTED}
    return {"kind": evidence.type, "report": members}


def _azure(evidence: azure.AzureEvidence) -> dict[str, Json]:
    report = hcl.decode(evidence.hcl_report)
    quote = evidence.tpm_quote
    members: dict[str, Json] = {
        "version": report.version,
        "hardware": report.type.name.lower(),
        "hardware_report": report.hardware_report.hex(),
        "user_data": to_json(report.claims.user_data),
        "vm_configuration": {**report.claims.vm_configuration},
        "td_quote": to_json(evidence.td_quote),
        "tpm_quote": None if quote is None else to_json(tpm.decode(quote.message)),
    }
    return members
