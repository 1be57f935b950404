"""What a verified SEV-SNP report says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from wasmtime_attestation.claims.form import fields, to_json
from wasmtime_attestation.evidence.snp import SnpReport
from wasmtime_attestation.evidence.snp_fields import ProductLine
from wasmtime_attestation.evidence.strict_json import Json

_NOT_CLAIMS = {"signature_r", "signature_s", "signed_bytes", "keys"}


@dataclass(frozen=True, slots=True)
class SnpClaims:
    """What a verified SEV-SNP report and the certificate that signed it say.

    Attributes:
        report: the report.
        product_line: of the processor, the certificate and the root alike.
        product_name: AMD's product name in the certificate.
        csp_id: the cloud provider that the VLEK belongs to; None for a VCEK.
        host_entries: what the host put into its certificate table beside AMD's certificates:
            GUID, size and digest of each. Nobody vouches for it.
        key_expires: when the VCEK or VLEK expires.
        revocation_checked: whether a revocation list was there to check.
    """

    report: SnpReport
    product_line: ProductLine
    product_name: str
    csp_id: str | None
    key_expires: datetime
    revocation_checked: bool
    host_entries: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """Returns the claims as JSON; byte strings are in hex."""
        report = {
            name: to_json(value)
            for name, value in fields(self.report).items()
            if name not in _NOT_CLAIMS
        }
        return report | {
            "provisional_firmware": self.report.firmware_is_provisional,
            "author_key_enabled": self.report.keys.author_key_enabled,
            "signer": self.report.keys.signer.name,
            "product_line": self.product_line,
            "product_name": self.product_name,
            "csp_id": self.csp_id,
            "key_expires": to_json(self.key_expires),
            "revocation_checked": self.revocation_checked,
            "unverified_host_entries": [*self.host_entries],
        }
