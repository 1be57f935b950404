"""Tokens of Intel Trust Authority: version 1 with its claims side by side, version 2 by device.

The service issues a token even where its policies do not match, so the lists of policies count.

Source: docs.trustauthority.intel.com, "Attestation tokens" and "Attestation API v1 and v2".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator

from wasmtime_attestation.claims.trustworthiness import worst
from wasmtime_attestation.claims.verdict import Environment, TokenKind, Verdict
from wasmtime_attestation.endorsements.json_object import JsonObject
from wasmtime_attestation.errors import Finding
from wasmtime_attestation.evidence.envelope import EvidenceType
from wasmtime_attestation.evidence.strict_json import Json, brief
from wasmtime_attestation.verifier import attester_claims, issued
from wasmtime_attestation.verifier.attester_claims import optional_hex
from wasmtime_attestation.verifier.binding import check_report_data, nonce_of
from wasmtime_attestation.verifier.expectations import check_nonce
from wasmtime_attestation.verifier.issued import IssuedToken, Reader
from wasmtime_attestation.wit import Status, TeeType

CHECKS = (*issued.CHECKS, "ita.claims", "ita.nonce", "evidence.binding")
MAX_POLICIES = 100
MAX_DATA = 1 << 17
"""Characters of data that the service repeats."""
_ISSUER = "policy.issuer-status"


def verdict(token: IssuedToken, reader: Reader) -> Verdict:
    """Returns what a token says that is Intel Trust Authority's.

    Args:
        token: the token, authentic.
        reader: the verification.

    Raises:
        RejectedError: its claims are malformed, contradict each other, or are not as expected.
    """
    claims, ledger = JsonObject("the token", token.claims), reader.ledger
    sections = reader.attempt(lambda: _sections(claims), "ita.claims")
    found = reader.attempt(lambda: [*_environments(sections)], "ita.claims")
    judged = reader.attempt(lambda: (*_policies(claims, token),), "ita.claims")
    ledger.passed("ita.claims", f"about {', '.join(e.name for e in found)}")
    machine = sections.get("tdx", claims)
    value = reader.attempt(lambda: _check_nonce(machine, claims, reader), "ita.claims")
    bound = reader.attempt(lambda: _bound(machine), "ita.claims")
    nonces = reader.attempt(lambda: _device_nonces(sections), "ita.claims")
    if bound is not None:
        check_report_data(bound, reader.expected.report_data, ledger)
    elif not nonces:
        _without_data(reader)
    own = machine.members.get("verifier_nonce") if bound is not None else None
    _check_devices(nonces, own, reader)
    return Verdict(
        kind=TokenKind.ITA,
        issuer=token.named,
        issued_at=token.period.issued_at,
        expires_at=token.period.expires_at,
        environments=tuple(found),
        token=token.claims,
        nonce=value,
        audience=token.audience,
        findings=tuple(finding for _, finding in judged),
        result=worst(status for status, _ in judged) if judged else None,
    )


def _sections(claims: JsonObject) -> dict[str, JsonObject]:
    """Returns the claims about each environment; version 1 has one, and no object for it."""
    names = [n for n in ("tdx", "sevsnp", "sgx", "nvgpu") if n in claims.members]
    if names:
        return {name: claims.object(name) for name in names}
    kind = claims.string("attester_type").lower()
    if kind not in ("tdx", "sgx", "sevsnp"):
        raise ValueError(f"attester_type is {brief(kind)}; known are TDX, SGX and SEVSNP")
    return {kind: claims}


def _environments(sections: dict[str, JsonObject]) -> Iterator[Environment]:
    for name, claims in sections.items():
        if name == "tdx":
            yield attester_claims.tdx(name, claims)
        elif name == "nvgpu":
            yield from _gpus(claims)
        else:
            yield _other(name, claims)


def _other(name: str, claims: JsonObject) -> Environment:
    tee_type = TeeType.INTEL_SGX if name == "sgx" else TeeType.AMD_SEV_SNP
    sizes = {"mrenclave": 32, "mrsigner": 32} if name == "sgx" else {"measurement": 48}
    values = {field: optional_hex(claims, f"{name}_{field}", n) for field, n in sizes.items()}
    return attester_claims.environment(
        name,
        tee_type,
        debug=claims.optional_boolean(f"{name}_is_debuggable"),
        tcb_status=claims.optional_string("attester_tcb_status"),
        report_data=optional_hex(claims, f"{name}_report_data", 64),
        measurements={field: value.hex() for field, value in values.items() if value is not None},
        settings={},
    )


def _gpus(claims: JsonObject) -> Iterator[Environment]:
    """Each device, in the words of NVIDIA's service, which Intel's asks."""
    details = claims.optional_object("claim_details") or JsonObject("claim_details", {})
    devices = {name: details.object(name) for name in details.members} or {"nvgpu": claims}
    against = {name: [*_against_gpu(device)] for name, device in devices.items()}
    if claims.optional_boolean("x-nvidia-overall-att-result") is not True:
        # It is about all of them, and explained where one of them says what is wrong.
        for name in () if any(against.values()) else devices:
            against[name].append("x-nvidia-overall-att-result is not true: the service says no")
    for name, device in devices.items():
        yield Environment(
            name=name,
            tee_type=TeeType.NVIDIA_GPU,
            status=Status.CONTRAINDICATED if against[name] else Status.AFFIRMING,
            debug=device.optional_string("dbgstat") != "disabled",
            measurements={"hwmodel": device.optional_string("hwmodel") or ""},
            findings=tuple(Finding(_ISSUER, text) for text in against[name]),
        )


def _against_gpu(device: JsonObject) -> Iterator[str]:
    for name, right in (("measres", "success"), ("secboot", True), ("dbgstat", "disabled")):
        value = device.members.get(name)
        # By type too: 1 equals True.
        if type(value) is not type(right) or value != right:
            yield f"{name} is {brief(value)}"


def _policies(claims: JsonObject, token: IssuedToken) -> Iterator[tuple[Status, Finding]]:
    matched, unmatched = (
        {policy.string("id") for policy in claims.objects(name, MAX_POLICIES, optional=True)}
        for name in ("policy_ids_matched", "policy_ids_unmatched")
    )
    missing = sorted(token.issuer.required_policies - (matched - unmatched))
    if missing:
        text = f"required policies did not match: {_list(missing)}"
        yield Status.CONTRAINDICATED, Finding(_ISSUER, text)
    if others := sorted(unmatched - {*missing}):
        yield Status.WARNING, Finding(_ISSUER, f"policies did not match: {_list(others)}")


def _list(names: list[str]) -> str:
    items: list[Json] = [*names]
    return brief(items)


def _check_nonce(machine: JsonObject, claims: JsonObject, reader: Reader) -> str | None:
    """Settles `token.nonce` and `ita.nonce`, and returns the service's nonce."""
    ledger, check = reader.ledger, "ita.nonce"
    nonce = machine.optional_object("verifier_nonce") or claims.optional_object("verifier_nonce")
    value = None if nonce is None else nonce.string("val")
    check_nonce(value, reader.expected, ledger)
    if nonce is None:
        ledger.not_checked(check, "the token has no verifier_nonce: the quote may be an old one")
        return None
    data, held = _bound_report_data(machine), _held(machine)
    if data is None or (held is None and "attester_runtime_data" in machine.members):
        ledger.not_checked(check, "the token lacks what the nonce was hashed with")
        return value
    bound = b"".join(_base64(nonce.string(name)) for name in ("val", "iat")) + (held or b"")
    if not hmac.compare_digest(hashlib.sha512(bound).digest(), data):
        ledger.reject(check, "the report data is not the digest of the nonce and the held data")
    ledger.passed(check, "the report data is SHA-512 of the service's nonce and the held data")
    return value


def _bound_report_data(machine: JsonObject) -> bytes | None:
    """On Azure the report's data is the paravisor's; ours is in its runtime claims."""
    runtime = machine.optional_object("attester_runtime_data")
    data = None if runtime is None else optional_hex(runtime, "user-data", 64)
    return optional_hex(machine, "tdx_report_data", 64) if data is None else data


def _bound(machine: JsonObject) -> bytes | None:
    """What the attester bound: the data that it held, else the report data itself."""
    held = _held(machine)
    return _bound_report_data(machine) if held is None else held


def _held(machine: JsonObject) -> bytes | None:
    text = machine.optional_string("attester_held_data")
    return None if text is None else _base64(text)


def _without_data(reader: Reader) -> None:
    check = "evidence.binding"
    if reader.expected.report_data is not None:
        reader.ledger.reject(check, "the token states no data that the attester bound")
    reader.ledger.not_checked(check, "no expected value was given: freshness and purpose are open")


def _device_nonces(sections: dict[str, JsonObject]) -> list[str]:
    """Returns the nonces that GPUs' evidence answers, in lower case, where the token says them."""
    section = sections.get("nvgpu")
    if section is None:
        return []
    details = section.optional_object("claim_details")
    parts = [] if details is None else [details.object(name) for name in details.members]
    stated = (part.optional_string("eat_nonce") for part in (section, *parts))
    return [nonce.lower() for nonce in stated if nonce is not None]


def _check_devices(nonces: list[str], own: Json, reader: Reader) -> None:
    """Settles `evidence.binding` of GPUs: their nonce follows from the data, or from the service's.

    Args:
        nonces: what the GPUs' evidence answers.
        own: the service's nonce, if a machine beside the GPUs has bound it to the data.
        reader: the verification.
    """
    data, check = reader.expected.report_data, "evidence.binding"
    if data is None or not nonces:
        return
    accepted = {(nonce_of(EvidenceType.NVIDIA_GPU, data) or b"").hex()}
    if own is not None:
        accepted.add(reader.attempt(lambda: _intels_device_nonce(own), "ita.claims"))
    if not accepted.issuperset(nonces):
        reader.ledger.reject(check, "a GPU's evidence answers another nonce: it may be a replay")
    reader.ledger.passed(check, "the data, and the GPUs' nonces, are the expected ones")


def _intels_device_nonce(own: Json) -> str:
    """How Intel's clients make a GPU's nonce."""
    nonce = JsonObject.of(own, "verifier_nonce")
    parts = b"".join(_base64(nonce.string(name)) for name in ("val", "iat"))
    return hashlib.sha256(parts).hexdigest()


def _base64(text: str) -> bytes:
    if len(text) > MAX_DATA:
        raise ValueError("data in base64 is too long")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("data is no base64") from error
