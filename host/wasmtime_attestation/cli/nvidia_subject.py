"""What `inspect` says about NVIDIA's reports and manifests, and about OCSP responses."""

from __future__ import annotations

from wasmtime_attestation.claims.form import fields, to_json
from wasmtime_attestation.endorsements.ocsp import OcspResponse
from wasmtime_attestation.endorsements.rim import RimFile, decode
from wasmtime_attestation.evidence import nvidia
from wasmtime_attestation.evidence.strict_json import Json


def report(data: bytes) -> dict[str, Json]:
    """Decodes a report and returns its fields and measurements."""
    decoded = nvidia.decode(data)
    members = {
        name: to_json(value)
        for name, value in fields(decoded).items()
        if name not in {"signed", "opaque"}
    }
    signed = decoded.signed
    measurements: dict[str, Json] = {
        str(block.index - 1): block.value.hex() for block in signed.measurements
    }
    return members | {
        "nonce": signed.nonce.hex(),
        "opaque_data_version": decoded.opaque.version,
        "trailing_bytes": signed.trailing_bytes,
        "measurements": measurements,
    }


def manifest(file: RimFile) -> Json:
    """Returns what a manifest says: the golden values by index, or why it cannot be used."""
    try:
        rim = decode(file.data)
    except ValueError as error:
        return {"id": file.name or None, "unusable": str(error)}
    golden: dict[str, Json] = {
        str(index): [value.hex() for value in item.values] for index, item in rim.golden.items()
    }
    minimums: dict[str, Json] = {svn.name: svn.minimum for svn in rim.minimum_svns}
    return {
        "id": file.name or None,
        "product": rim.product,
        "version": rim.version,
        "golden_measurements": golden,
        "minimum_security_versions": minimums,
    }


def ocsp_response(response: OcspResponse) -> Json:
    """Returns what a response says of each certificate."""
    return [
        {
            "serial_number": f"{answer.serial_number:x}",
            "status": answer.status.name.lower(),
            "this_update": to_json(answer.this_update),
            "next_update": to_json(answer.next_update),
        }
        for answer in response.answers
    ]
