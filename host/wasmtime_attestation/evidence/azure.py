"""The evidence of an Azure confidential VM in one piece, in its one canonical form.

The form is this project's own, since Azure hands the parts over one by one: JSON without
white space, byte strings in base64url, members in the order of the fields here and PCRs
ascending (`docs/token.md`). Evidence that came in another form is brought into this one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence import base64url, strict_json
from wasmtime_attestation.evidence.hcl import MAX_SIZE as MAX_HCL_REPORT
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.evidence.tpm import DIGEST_SIZE, PCR_COUNT, TpmQuote

FORMAT = "azure.format"
MAX_TD_QUOTE = 1 << 17
MAX_MESSAGE = 1024
MAX_SIGNATURE = 512
MAX_SIZE = 1 << 18
"""Bytes in the canonical form."""


@dataclass(frozen=True, slots=True)
class AzureEvidence:
    """What an Azure confidential VM has to show.

    Attributes:
        hcl_report: from the vTPM.
        tpm_quote: by the vTPM; None where there is only the report.
        td_quote: of the TDREPORT within the HCL report, from Azure's service; None on SEV-SNP.
    """

    hcl_report: bytes
    tpm_quote: TpmQuote | None
    td_quote: bytes | None

    def encode(self) -> bytes:
        """Returns the canonical form."""
        members: dict[str, Json] = {"hcl_report": base64url.encode(self.hcl_report)}
        if self.tpm_quote is not None:
            members["tpm_quote"] = _quote_members(self.tpm_quote)
        if self.td_quote is not None:
            members["td_quote"] = base64url.encode(self.td_quote)
        return json.dumps(members, separators=(",", ":")).encode("ascii")


def decode(data: bytes) -> AzureEvidence:
    """Decodes the canonical form.

    Raises:
        RejectedError: `azure.format`, if it is not that form, or a part is too large.
    """
    try:
        return _canonical(data)
    except (ValueError, RecursionError) as error:
        raise RejectedError.of(
            FORMAT, f"this is no evidence of an Azure confidential VM: {error}"
        ) from error


def _canonical(data: bytes) -> AzureEvidence:
    if len(data) > MAX_SIZE:
        raise ValueError(f"it has {len(data)} bytes; {MAX_SIZE} is the most")
    evidence = _decode(strict_json.loads(data))
    if evidence.encode() != data:
        raise ValueError("it is not in the canonical form")
    return evidence


def _decode(value: Json) -> AzureEvidence:
    members = _members(value, "the evidence", {"hcl_report"}, {"tpm_quote", "td_quote"})
    return AzureEvidence(
        hcl_report=_bytes(members, "hcl_report", MAX_HCL_REPORT),
        tpm_quote=_quote(members["tpm_quote"]) if "tpm_quote" in members else None,
        td_quote=_bytes(members, "td_quote", MAX_TD_QUOTE) if "td_quote" in members else None,
    )


def _quote_members(quote: TpmQuote) -> Json:
    return {
        "message": base64url.encode(quote.message),
        "signature": base64url.encode(quote.signature),
        "pcrs": {str(index): base64url.encode(quote.pcrs[index]) for index in sorted(quote.pcrs)},
    }


def _quote(value: Json) -> TpmQuote:
    members = _members(value, "tpm_quote", {"message", "signature", "pcrs"})
    return TpmQuote(
        message=_bytes(members, "message", MAX_MESSAGE),
        signature=_bytes(members, "signature", MAX_SIGNATURE),
        pcrs=_pcrs(members["pcrs"]),
    )


def _pcrs(value: Json) -> Mapping[int, bytes]:
    names = {str(index): index for index in range(PCR_COUNT)}
    members = _members(value, "pcrs", set(), set(names))
    pcrs = {names[name]: _bytes(members, name, DIGEST_SIZE) for name in members}
    if any(len(pcr) != DIGEST_SIZE for pcr in pcrs.values()):
        raise ValueError(f"a PCR has not {DIGEST_SIZE} bytes")
    return pcrs


def _members(
    value: Json, what: str, required: set[str], optional: set[str] | None = None
) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} is no JSON object")
    if not required <= value.keys() <= required | (optional or set()):
        raise ValueError(f"{what} has not the members that it should have")
    return value


def _bytes(members: Mapping[str, Json], name: str, largest: int) -> bytes:
    value = members[name]
    if not isinstance(value, str):
        raise ValueError(f"{name} is no string")
    data = base64url.decode(value)
    if len(data) > largest:
        raise ValueError(f"{name} has {len(data)} bytes; {largest} is the most")
    return data
