"""Evidence of Azure confidential VMs as others write it, brought into the canonical form.

Known are the documents of Confidential Containers (`az-snp-vtpm` and `az-tdx-vtpm`), which
attestation-rs shares: version 0, without a number, with arrays of bytes and a certificate in
PEM; versions 1 and 2, in hex and base64url. They differ in what they bind, not in how that is
verified. Known is also an HCL report alone, as the vTPM's index has it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from wasmtime_attestation.evidence import snp_json, text
from wasmtime_attestation.evidence.azure import AzureEvidence
from wasmtime_attestation.evidence.envelope import (
    EndorsementType,
    Evidence,
    EvidenceType,
    RawEndorsement,
)
from wasmtime_attestation.evidence.hcl import SNP_REPORT_SIZE, ReportType
from wasmtime_attestation.evidence.strict_json import Json, brief
from wasmtime_attestation.evidence.tpm import DIGEST_SIZE, PCR_COUNT, TpmQuote

VERSIONS = (0, 1, 2)

# The type of the report is the third number behind the header and the hardware report.
_TYPE = slice(32 + SNP_REPORT_SIZE + 8, 32 + SNP_REPORT_SIZE + 12)
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_MAX_CERTIFICATES = 8


def of_report(report: bytes) -> Evidence:
    """Returns an HCL report as evidence; there is no quote then, of the vTPM or of the TD."""
    return _evidence(AzureEvidence(report, None, None))


def is_legacy_snp(members: Mapping[str, Json]) -> bool:
    """Whether a document is az-snp-vtpm's version 0, whose `quote` is not one of a TD."""
    return {"quote", "report", "vcek"} <= members.keys()


def legacy_snp(members: Mapping[str, Json]) -> tuple[Evidence, ...]:
    """Reads az-snp-vtpm's version 0.

    Raises:
        ValueError: a part is not what it should be.
    """
    if both := sorted(members.keys() & {"hcl_report", "tpm_quote"}):
        raise ValueError(f"beside report and quote it has {brief([*both])}, which say the same")
    renamed = {"hcl_report": members["report"], "tpm_quote": members["quote"]}
    return read(renamed | {name: members[name] for name in members.keys() - {"report", "quote"}})


def read(members: Mapping[str, Json]) -> tuple[Evidence, ...]:
    """Reads az-snp-vtpm and az-tdx-vtpm.

    Raises:
        ValueError: it is of an unknown version, or a part is not what it should be.
    """
    version = members.get("version", 0)
    if type(version) is not int or version not in VERSIONS:
        raise ValueError(f"its version is {brief(version)}; versions {VERSIONS} are known")
    unknown = members.keys() - {"version", "hcl_report", "tpm_quote", "vcek", "td_quote"}
    if unknown:
        raise ValueError(f"it has {brief([*sorted(unknown)[:16]])}, which is unknown")
    quote = members.get("td_quote")
    evidence = AzureEvidence(
        hcl_report=_bytes(members["hcl_report"], "hcl_report"),
        tpm_quote=_tpm_quote(members.get("tpm_quote")),
        td_quote=None if quote is None else _bytes(quote, "td_quote"),
    )
    return (_evidence(evidence, _certificates(members.get("vcek"))),)


def _evidence(evidence: AzureEvidence, certificates: tuple[RawEndorsement, ...] = ()) -> Evidence:
    """Names the kind as the report does; a report that names none is refused when decoded."""
    number = int.from_bytes(evidence.hcl_report[_TYPE], "little")
    is_tdx = number == ReportType.TDX or evidence.td_quote is not None
    kind = EvidenceType.AZURE_TDX if is_tdx else EvidenceType.AZURE_SNP
    return Evidence(kind, evidence.encode(), certificates)


def _tpm_quote(value: Json) -> TpmQuote | None:
    if value is None:
        return None
    if not isinstance(value, dict) or value.keys() != {"signature", "message", "pcrs"}:
        raise ValueError("tpm_quote is no object of signature, message and pcrs")
    pcrs = value["pcrs"]
    if not isinstance(pcrs, list) or len(pcrs) != PCR_COUNT:
        raise ValueError(f"pcrs is no array of {PCR_COUNT} values")
    values = dict(enumerate(_bytes(pcr, "a PCR") for pcr in pcrs))
    if any(len(pcr) != DIGEST_SIZE for pcr in values.values()):
        raise ValueError(f"a PCR has not {DIGEST_SIZE} bytes")
    return TpmQuote(
        message=_bytes(value["message"], "message"),
        signature=_bytes(value["signature"], "signature"),
        pcrs=values,
    )


def _certificates(value: Json) -> tuple[RawEndorsement, ...]:
    """The VCEK: PEM in version 0, DER from then on."""
    if value is None:
        return ()
    if isinstance(value, str) and value.lstrip().startswith(_BEGIN):
        found = [block.partition(_BEGIN)[2] for block in value.split(_END)[:-1]]
        if len(found) > _MAX_CERTIFICATES:
            raise ValueError(f"vcek has more than {_MAX_CERTIFICATES} certificates")
        data = [_pem(block) for block in found]
    else:
        data = [_bytes(value, "vcek")]
    return tuple(RawEndorsement(EndorsementType.CERTIFICATE, item) for item in data)


def _pem(block: str) -> bytes:
    try:
        return base64.b64decode("".join(block.split()), validate=True)
    except binascii.Error as error:
        raise ValueError(f"vcek is no certificate in PEM: {error}") from error


def _bytes(value: Json, what: str) -> bytes:
    if isinstance(value, str) and value.isascii():
        data = text.decode(value.encode("ascii"))
        if data is not None:
            return data
    if isinstance(value, list):
        return snp_json.octets(value, what)
    raise ValueError(f"{what} is neither hex nor base64 nor an array of bytes")
