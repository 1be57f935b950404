"""Tokens of Microsoft Azure Attestation: SevSnpVm, TdxVm and AzureGuest.

Source: learn.microsoft.com/azure/attestation, "Claim sets" and "EAT profile"; the REST
specification of Azure Attestation, 2025-06-01.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from wasmtime_attestation.claims.verdict import Environment, TokenKind, Verdict
from wasmtime_attestation.endorsements.json_object import JsonObject
from wasmtime_attestation.errors import Finding
from wasmtime_attestation.evidence.strict_json import brief
from wasmtime_attestation.verifier import attester_claims, issued
from wasmtime_attestation.verifier.attester_claims import Judged, optional_hex
from wasmtime_attestation.verifier.binding import check_report_data
from wasmtime_attestation.verifier.expectations import check_nonce
from wasmtime_attestation.verifier.issued import IssuedToken, Reader
from wasmtime_attestation.wit import Status, TeeType

CHECKS = (*issued.CHECKS, "maa.claims", "evidence.binding")
COMPLIANT = "azure-compliant-cvm"
_GUEST = "azurevm"
_ISOLATION = "x-ms-isolation-tee"
# What the boot log of a virtual machine may say against its system, and what is right.
_SYSTEM: Mapping[str, bool] = MappingProxyType(
    {
        "bootdebug-enabled": False,
        "kerneldebug-enabled": False,
        "hypervisordebug-enabled": False,
        "testsigning-enabled": False,
        "flightsigning-enabled": False,
        "debuggersdisabled": True,
        "signingdisabled": True,
        "default-securebootkeysvalidated": True,
        "dbvalidated": True,
        "dbxvalidated": True,
    }
)
# The claims of a SEV-SNP report by the report's own names, and bytes of each.
_SNP: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "measurement": ("launchmeasurement", 48),
        "host_data": ("hostdata", 32),
        "id_key_digest": ("idkeydigest", 48),
        "author_key_digest": ("authorkeydigest", 48),
    }
)


def verdict(token: IssuedToken, reader: Reader) -> Verdict:
    """Returns what a token says that is Azure's.

    Args:
        token: the token, authentic.
        reader: the verification.

    Raises:
        RejectedError: its claims are malformed, or not as expected.
    """
    claims = JsonObject("the token", token.claims)
    environment = reader.attempt(lambda: _environment(claims), "maa.claims")
    reader.ledger.passed("maa.claims", f"{environment.tee_type}, {_kind(claims)}")
    nonce = reader.attempt(lambda: _nonce(claims), "maa.claims")
    check_nonce(
        nonce,
        reader.expected,
        reader.ledger,
        ", which makes the token fresh; the evidence is as fresh as what it is bound to",
    )
    bound = reader.attempt(lambda: _bound(claims, environment), "maa.claims")
    check_report_data(bound, reader.expected.report_data, reader.ledger)
    return Verdict(
        kind=TokenKind.MAA,
        issuer=token.named,
        issued_at=token.period.issued_at,
        expires_at=token.period.expires_at,
        environments=(environment,),
        token=token.claims,
        nonce=nonce,
        audience=token.audience,
    )


def _kind(claims: JsonObject) -> str:
    return claims.string("x-ms-attestation-type")


def _environment(claims: JsonObject) -> Environment:
    hardware = _hardware(claims)
    if hardware is None:
        return _without_hardware(claims)
    read = _HARDWARE.get(_kind(hardware))
    if read is None:
        known = ", ".join(_HARDWARE)
        raise ValueError(f"x-ms-attestation-type is {brief(_kind(hardware))}; known are {known}")
    return read(hardware, tuple(_judgement(claims, hardware)))


def _hardware(claims: JsonObject) -> JsonObject | None:
    """Returns what is said of the hardware; None for AzureGuest of a machine without a TEE."""
    if _kind(claims) != _GUEST:
        return claims
    return claims.object(_ISOLATION) if _ISOLATION in claims.members else None


def _without_hardware(claims: JsonObject) -> Environment:
    """A machine of Trusted Launch has a vTPM, which is as trustworthy as its host."""
    text = f"there is no {_ISOLATION}: the machine is not confidential, and no hardware vouches"
    against = (Status.CONTRAINDICATED, Finding("policy.issuer-status", text))
    return attester_claims.environment(
        _GUEST,
        TeeType.NONE,
        debug=None,
        tcb_status=None,
        report_data=None,
        measurements={},
        settings={},
        also=(against, *_system(claims)),
    )


def _judgement(claims: JsonObject, hardware: JsonObject) -> Iterator[tuple[Status, Finding]]:
    compliance = hardware.optional_string("x-ms-compliance-status")
    if compliance != COMPLIANT:
        text = f"x-ms-compliance-status is {brief(compliance)}, not {COMPLIANT}"
        yield Status.WARNING, Finding("policy.issuer-status", text)
    if claims is not hardware:
        yield from _system(claims)


def _system(claims: JsonObject) -> Iterator[tuple[Status, Finding]]:
    if claims.optional_boolean("secureboot") is not True:
        yield Status.WARNING, Finding("policy.issuer-status", "secureboot is not true")
    for name, right in _SYSTEM.items():
        claim = f"x-ms-azurevm-{name}"
        if claim in claims.members and claims.optional_boolean(claim) is not right:
            text = f"{claim} is not {str(right).lower()}"
            yield Status.WARNING, Finding("policy.issuer-status", text)


def _snp(claims: JsonObject, judged: Judged) -> Environment:
    prefix = "x-ms-sevsnpvm-"
    return attester_claims.environment(
        "sevsnpvm",
        TeeType.AMD_SEV_SNP,
        debug=claims.optional_boolean(f"{prefix}is-debuggable"),
        tcb_status=None,
        report_data=claims.hex_bytes(f"{prefix}reportdata", 64),
        measurements={
            name: claims.hex_bytes(f"{prefix}{claim}", size).hex()
            for name, (claim, size) in _SNP.items()
        }
        | {"vmpl": str(claims.integer(f"{prefix}vmpl", 3))},
        settings={
            "smt": claims.optional_boolean(f"{prefix}smt-allowed"),
            "migration-agent": claims.optional_boolean(f"{prefix}migration-allowed"),
        },
        also=judged,
    )


def _tdx(claims: JsonObject, judged: Judged) -> Environment:
    return attester_claims.tdx("tdxvm", claims, judged)


_HARDWARE: Mapping[str, Callable[[JsonObject, Judged], Environment]] = MappingProxyType(
    {"sevsnpvm": _snp, "tdxvm": _tdx}
)


def _bound(claims: JsonObject, environment: Environment) -> bytes:
    """On Azure the report's data is a digest of claims of the paravisor, which hold ours.

    Of AzureGuest, only those beside the hardware's: the others are what the client sent along.
    """
    hardware = _hardware(claims)
    runtime = None if hardware is None else hardware.optional_object("x-ms-runtime")
    data = None if runtime is None else optional_hex(runtime, "user-data", 64)
    return data if data is not None else environment.report_data or b""


def _nonce(claims: JsonObject) -> str | None:
    """The request's nonce, or for AzureGuest that in the client's payload."""
    nonce = claims.optional_string("nonce")
    runtime = claims.optional_object("x-ms-runtime")
    payload = None if runtime is None else runtime.optional_object("client-payload")
    return nonce if nonce is not None or payload is None else payload.optional_string("nonce")
