"""What a verification checks, and how each check came out.

The identifiers are public and stable; `docs/checks.md` is made from this table.
A check passes, fails (which ends the verification) or was not done, and then
the reason is recorded: nothing is skipped in silence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import NoReturn

from wasmtime_attestation.errors import Finding, RejectedError, UnavailableError

CHECKS: Mapping[str, str] = MappingProxyType(
    {
        "input.format": "The input is a token or evidence of a known kind.",
        "token.format": "The token is a strict compact JWS: canonical base64url, no duplicate "
        "member, and every claim is known, of its kind and within its bounds.",
        "token.profile": "`alg` is ES384, `typ` is eat+jwt, `eat_profile` is one that is known; "
        "the header has no member beyond `alg`, `typ` and `kid`.",
        "token.key": "`kid` is the RFC 7638 thumbprint of the key in `cnf`, a point on P-384.",
        "token.signature": "The signature is made by the key in `cnf`.",
        "token.time": "`iat`, `exp` and `nbf` are whole numbers and hold at the given instant; "
        "the life is at most an hour.",
        "token.age": "The token was issued no longer ago than the caller allows.",
        "token.nonce": "`eat_nonce` is the expected nonce.",
        "token.audience": "`aud` is the expected audience.",
        "token.issuer": "The issuer is one that the configuration accepts.",
        "token.evidence": "The token carries exactly one piece of evidence.",
        "evidence.endorsements": "The endorsements that came with the evidence can be read.",
        "snp.format": "The bytes are a SEV-SNP attestation report of a known version; every "
        "reserved byte is zero.",
        "snp.signer": "The VCEK or VLEK is of the kind that the report names, with a P-384 key and "
        "AMD's extensions.",
        "amd.vek": "The VCEK or VLEK is signed by the ASK or ASVK.",
        "amd.ask": "The ASK or ASVK is a certification authority, signed by the ARK.",
        "amd.ark": "The ARK is self-signed and a pinned root, or one given as trusted.",
        "amd.validity": "Every certificate of the chain is valid at the given instant.",
        "amd.revocation": "The ARK's revocation list is authentic, current and does not name the "
        "ASK or ASVK.",
        "snp.signature": "The report is signed by the VCEK or VLEK.",
        "snp.product": "The processor in the report, the certificate and the root are of one "
        "product line.",
        "snp.tcb": "The TCB version in the certificate equals REPORTED_TCB.",
        "snp.chip-id": "The hardware id in the VCEK equals CHIP_ID.",
        "tdx.format": "The bytes are a TDX quote of a known version (4 or 5) and body type, by its "
        "declared lengths; reserved bytes of the header are zero, and bytes after it are counted.",
        "tdx.signature": "Header and body of the quote are signed by the attestation key.",
        "tdx.qe-binding": "The Quoting Enclave's REPORTDATA holds the attestation key and the "
        "authentication data.",
        "intel.pck": "The quote has a canonical chain of three certificates; the PCK certificate "
        "has Intel's SGX extensions, a P-256 key, and is signed by a PCK CA.",
        "intel.pck-ca": "The PCK Platform or Processor CA is a certification authority, signed by "
        "the root.",
        "intel.root": "The root is self-signed and Intel's pinned root, or one given as trusted.",
        "intel.validity": "Every certificate of the PCK chain is valid at the given instant.",
        "tdx.qe-signature": "The Quoting Enclave's report is signed by the PCK.",
        "intel.tcb-signer": "A TCB signing certificate is issued by the root and valid.",
        "intel.root-crl": "The root's revocation list is authentic, current and names neither the "
        "PCK CA nor the TCB signing certificate.",
        "intel.pck-crl": "The PCK CA's revocation list is authentic, current and does not name "
        "the PCK certificate.",
        "intel.tcb-info": "The TDX TCB info is signed by the TCB signing certificate, current, and "
        "of the FMSPC and PCEID in the PCK certificate.",
        "intel.qe-identity": "The TD QE identity is signed by the TCB signing certificate and "
        "current.",
        "tdx.module": "MRSIGNERSEAM and SEAMATTRIBUTES are those of a TDX module that the TCB info "
        "names.",
        "tdx.qe": "The enclave that made the quote is the one of the TD QE identity.",
        "tdx.tcb": "A TCB level matches the platform, its TDX module and its Quoting Enclave; the "
        "status of that level is a claim.",
        "evidence.binding": "The evidence is bound to the expected value: in a token, to its "
        "nonce, key, guest digest, user data and audience (docs/binding.md).",
    }
)


class Outcome(StrEnum):
    """How a check came out."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_CHECKED = "not-checked"


@dataclass(frozen=True, slots=True)
class Check:
    """One check and its outcome.

    Attributes:
        id: a key of `CHECKS`.
        outcome: how it came out.
        detail: what was found, or why it was not done.
    """

    id: str
    outcome: Outcome
    detail: str


class Ledger:
    """Records the checks of one verification.

    A procedure announces its checks with `plan`, then settles each; what a
    failure leaves unsettled is reported as not checked.
    """

    def __init__(self) -> None:
        self._plan: list[str] = []
        self._settled: dict[str, Check] = {}

    @property
    def checks(self) -> tuple[Check, ...]:
        """Every check that was planned, in order."""
        unreached = "not reached: an earlier check failed"
        return tuple(
            self._settled.get(id_, Check(id_, Outcome.NOT_CHECKED, unreached)) for id_ in self._plan
        )

    def plan(self, checks: Sequence[str]) -> None:
        """Announces checks in the order in which they will be done."""
        unknown = [id_ for id_ in checks if id_ not in CHECKS]
        if unknown:
            raise ValueError(f"checks without an entry in CHECKS: {unknown}")
        self._plan += [id_ for id_ in checks if id_ not in self._plan]

    def passed(self, check: str, detail: str) -> None:
        """Records that a check passed."""
        self._settle(check, Outcome.PASSED, detail)

    def not_checked(self, check: str, reason: str) -> None:
        """Records that a check was not done, and why."""
        self._settle(check, Outcome.NOT_CHECKED, reason)

    def reject(self, check: str, detail: str) -> NoReturn:
        """Records that a check failed and raises `RejectedError`."""
        self._settle(check, Outcome.FAILED, detail)
        raise RejectedError.of(check, detail)

    def record(self, finding: Finding) -> None:
        """Records the failure that somebody else raised."""
        self._settle(finding.check, Outcome.FAILED, finding.detail)

    def unavailable(self, check: str, detail: str) -> NoReturn:
        """Records that a check could not be done for want of something, and raises."""
        self._settle(check, Outcome.NOT_CHECKED, detail)
        raise UnavailableError(f"{check}: {detail}")

    def unavailable_all(self, missing: Mapping[str, str]) -> NoReturn:
        """Records that several checks could not be done, and raises with what each lacks.

        Args:
            missing: by check, what is missing.
        """
        for check, what in missing.items():
            self._settle(check, Outcome.NOT_CHECKED, f"{what} is missing")
        lacking = "; ".join(f"{check}: {what}" for check, what in missing.items())
        raise UnavailableError(f"missing, give with --endorsements: {lacking}")

    def _settle(self, check: str, outcome: Outcome, detail: str) -> None:
        self.plan([check])
        self._settled[check] = Check(check, outcome, detail)
