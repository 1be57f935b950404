"""WIT values as wasmtime-py's component model represents them, for exactly the types of the world.

Records are `Record` objects whose attributes have the WIT names, variants are
`Variant` objects, enums are labels, options are None or the value. wasmtime-py
decides the case of a `result` by the value's class: ok values are records or
lists, and errors are `Variant` objects, so no two can be confused.
"""

from __future__ import annotations

from collections.abc import Mapping

from wasmtime.component import Record, Variant

from wasmtime_attestation import wit
from wasmtime_attestation.errors import (
    AttestationError,
    DeniedError,
    Finding,
    InternalError,
    InvalidArgumentError,
    PolicyError,
    RejectedError,
    UnavailableError,
    UnsupportedError,
)
from wasmtime_attestation.world import values

_ERRORS = (
    UnsupportedError,
    UnavailableError,
    RejectedError,
    PolicyError,
    DeniedError,
    InvalidArgumentError,
    InternalError,
)


def lower_tee_info(info: wit.TeeInfo) -> Record:
    """Returns a `types.tee-info` for a guest."""
    return _record(
        {
            "tee-type": info.tee_type.value,
            "supports-attestation": info.supports_attestation,
            "provider": info.provider,
            "gpu-count": info.gpu_count,
        }
    )


def lower_attestation_result(result: wit.AttestationResult) -> Record:
    """Returns a `types.attestation-result` for a guest."""
    return _record(
        {
            "token": result.token,
            "evidence": result.evidence,
            "timestamp": result.timestamp,
            "tee-type": result.tee_type.value,
        }
    )


def lower_gpu_infos(gpus: list[wit.GpuInfo]) -> list[Record]:
    """Returns a list of `types.gpu-info` for a guest."""
    return [
        _record(
            {
                "index": gpu.index,
                "uuid": gpu.uuid,
                "name": gpu.name,
                "confidential": gpu.confidential,
            }
        )
        for gpu in gpus
    ]


def lower_verdict(verdict: wit.Verdict) -> Record:
    """Returns a `verifier.verdict` for a guest."""
    return _record(
        {
            "issuer": verdict.issuer,
            "tee-type": verdict.tee_type.value,
            "status": verdict.status.value,
            "issued-at": verdict.issued_at,
            "expires-at": verdict.expires_at,
            "guest-digest": verdict.guest_digest,
            "claims": verdict.claims,
        }
    )


def lower_error(error: AttestationError) -> Variant:
    """Returns a `types.error` for a guest; what UTF-8 cannot encode in it is escaped."""
    if isinstance(error, RejectedError | PolicyError):
        return Variant(error.case, [_finding(finding) for finding in error.findings])
    case = error.case if isinstance(error, _ERRORS) else InternalError.case
    return Variant(case, _escaped(error.message))


def lift_target(value: object) -> wit.Target:
    """Returns the `attester.target` that a guest passed.

    Raises:
        values.MisfitError: it is none.
    """
    variant = values.instance(Variant, value, "target")
    match variant.tag:
        case "vm" | "all" as label:
            return wit.Target(wit.TargetKind(label))
        case "gpu":
            return wit.Target(wit.TargetKind.GPU, values.u32(variant.payload, "target.gpu"))
        case label:
            raise values.MisfitError(f"target has no case {label!r}")


def lift_challenge(value: object) -> wit.Challenge:
    """Returns the `attester.challenge` that a guest passed.

    Raises:
        values.MisfitError: it is none.
    """
    return wit.Challenge(
        nonce=values.octets(_field(value, "nonce"), "nonce"),
        user_data=values.option(values.octets, _field(value, "user-data"), "user-data"),
        audience=values.option(values.string, _field(value, "audience"), "audience"),
    )


def lift_expectations(value: object) -> wit.Expectations:
    """Returns the `verifier.expectations` that a guest passed.

    Raises:
        values.MisfitError: it is none.
    """
    max_age = _field(value, "max-age-seconds")
    return wit.Expectations(
        nonce=values.option(values.octets, _field(value, "nonce"), "nonce"),
        audience=values.option(values.string, _field(value, "audience"), "audience"),
        max_age_seconds=values.option(values.u32, max_age, "max-age-seconds"),
        policy=values.option(values.string, _field(value, "policy"), "policy"),
    )


def _record(fields: Mapping[str, object]) -> Record:
    record = Record()
    for name, value in fields.items():
        setattr(record, name, value)
    return record


def _field(record: object, name: str) -> object:
    try:
        return getattr(record, name)
    except AttributeError as error:
        raise values.MisfitError(f"the record has no field {name}") from error


def _finding(finding: Finding) -> Record:
    return _record({"check": _escaped(finding.check), "detail": _escaped(finding.detail)})


def _escaped(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()
