"""Intel TDX: from a quote to Intel's root, and to what Intel says of the platform today.

Source: Intel, "Intel TDX DCAP Quoting Library API", appendix A.3; Intel quote verification library.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.claims.tdx import TcbEvaluation, TdxClaims
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.intel import Issued, QeIdentity, TcbInfo, TcbStatus
from wasmtime_attestation.endorsements.intel_pck import PckCertificate
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence import tdx
from wasmtime_attestation.evidence.tdx import TdxQuote
from wasmtime_attestation.evidence.tdx_fields import QeReport
from wasmtime_attestation.memo import Memo, recall
from wasmtime_attestation.verifier import intel_collateral, p256, quoting_enclave, tcb
from wasmtime_attestation.verifier.binding import check_report_data
from wasmtime_attestation.verifier.intel_chain import IntelChain
from wasmtime_attestation.verifier.intel_collateral import VerifiedCollateral
from wasmtime_attestation.wit import TeeType

_NOTHING = Endorsements()
CHECKS = (
    "tdx.format",
    "tdx.signature",
    *quoting_enclave.CHECKS,
    "evidence.binding",
    *intel_collateral.CHECKS,
    "tdx.module",
    "tdx.qe",
    "tdx.tcb",
)


class _Attested(NamedTuple):
    """What of a quote Intel's collateral is compared with."""

    tee_tcb_svn: bytes
    tee_tcb_svn_2: bytes | None
    mrsignerseam: bytes
    seam_attributes: bytes
    qe_report: bytes

    @classmethod
    def of(cls, quote: TdxQuote) -> _Attested:
        report = quote.report
        return cls(
            report.tee_tcb_svn,
            report.tee_tcb_svn_2,
            report.mrsignerseam,
            report.seam_attributes,
            quote.qe_report,
        )


@dataclass(frozen=True, slots=True)
class _Tcb:
    """The status of a TD, its standing at launch and, from TDX 1.5 on, when it was quoted.

    The report of its Quoting Enclave comes along, decoded.
    """

    qe: QeReport
    status: TcbStatus
    launch: TcbEvaluation
    now: TcbEvaluation | None
    collateral: Issued
    revocation_checked: bool


def verify(
    data: bytes,
    endorsements: Endorsements,
    *,
    report_data: bytes | None,
    at: datetime,
    anchors: Anchors,
    ledger: Ledger,
    memo: Memo | None = None,
) -> Claims:
    """Verifies a TDX quote.

    Args:
        data: the quote; what follows it is counted and left alone.
        endorsements: Intel's collateral: TCB info, QE identity, TCB signing chain, revocation
            lists of the root and of the PCK CA, in any order; and the PCK certificate with its
            authorities for a quote that only names it.
        report_data: what REPORTDATA must be, 64 bytes; None to report it as not checked.
        at: the instant at which certificates, lists and statements must be valid.
        anchors: the roots to trust.
        ledger: records each check.
        memo: remembers what was verified before of the same platform; it only saves time.

    Raises:
        RejectedError: a check failed.
        UnavailableError: an endorsement is missing.
    """
    ledger.plan(CHECKS)
    quote = _decode(data, ledger)
    key = recall(memo, _load_key, quote.attestation_key, at=at, ledger=ledger)
    _check_signature(quote, key, ledger)
    chain = recall(
        memo,
        quoting_enclave.verify,
        quote.attestation_key,
        quote.qe_auth_data,
        quote.pck_chain,
        quote.pck_reference,
        # What has its chain with it needs no other certificates, and is remembered without them.
        endorsements if quote.pck_reference else _NOTHING,
        quote.qe_report,
        quote.qe_signature,
        anchors,
        at=at,
        ledger=ledger,
    )
    check_report_data(quote.report.report_data, report_data, ledger)
    standing = recall(
        memo, _verify_tcb, chain, endorsements, _Attested.of(quote), at=at, ledger=ledger
    )
    return _claims(quote, chain, standing)


def _verify_tcb(
    chain: IntelChain,
    endorsements: Endorsements,
    attested: _Attested,
    at: datetime,
    ledger: Ledger,
) -> _Tcb:
    """Verifies Intel's collateral and finds the standing of the platform in it."""
    collateral = intel_collateral.verify(chain, endorsements, at=at, ledger=ledger)
    _check_module(attested, collateral.tcb_info, ledger)
    qe = QeReport.decode(attested.qe_report)
    _check_qe(qe, collateral.qe_identity, ledger)
    return _check_tcb(attested, qe, chain.pck, collateral, ledger)


def _decode(data: bytes, ledger: Ledger) -> TdxQuote:
    try:
        quote = tdx.decode(data)
    except RejectedError as error:
        ledger.record(error.findings[0])
        raise
    tail = f"; {quote.trailing_bytes} bytes follow and say nothing" if quote.trailing_bytes else ""
    ledger.passed("tdx.format", f"TDX quote version {quote.version}, {quote.size} bytes{tail}")
    return quote


def _load_key(point: bytes, at: datetime, ledger: Ledger) -> EllipticCurvePublicKey:
    del at
    key = p256.public_key(point)
    if key is None:
        ledger.reject("tdx.signature", "the attestation key is no point on P-256")
    return key


def _check_signature(quote: TdxQuote, key: EllipticCurvePublicKey, ledger: Ledger) -> None:
    check = "tdx.signature"
    if not p256.is_signed(key, quote.signature, quote.signed_bytes):
        ledger.reject(check, "the attestation key did not sign this quote: it was altered")
    ledger.passed(check, "ECDSA P-256 by the attestation key")


def _check_module(report: _Attested, info: TcbInfo, ledger: Ledger) -> None:
    check = "tdx.module"
    for svn in filter(None, (report.tee_tcb_svn, report.tee_tcb_svn_2)):
        try:
            module = tcb.module_of(svn, info)
        except ValueError as error:
            ledger.reject(check, str(error))
        if report.mrsignerseam != module.mrsigner:
            ledger.reject(
                check, f"MRSIGNERSEAM is {report.mrsignerseam.hex()}, not Intel's signer of it"
            )
        if _masked(report.seam_attributes, module.attributes_mask) != module.attributes or any(
            report.seam_attributes
        ):
            ledger.reject(check, f"SEAMATTRIBUTES are {report.seam_attributes.hex()}, not zero")
    ledger.passed(check, f"a TDX module of Intel's, SVN {list(report.tee_tcb_svn[:2])}")


def _check_qe(qe: QeReport, identity: QeIdentity, ledger: Ledger) -> None:
    check = "tdx.qe"
    if qe.debug:
        # Whatever the identity's mask says: the host can read such an enclave's key.
        ledger.reject(check, "the enclave that made the quote is under debug")
    for name, actual, expected in (
        ("MRSIGNER", qe.mrsigner, identity.mrsigner),
        ("ISVPRODID", qe.isv_prod_id, identity.isv_prod_id),
        ("MISCSELECT", _masked(qe.misc_select, identity.misc_select_mask), identity.misc_select),
        ("ATTRIBUTES", _masked(qe.attributes, identity.attributes_mask), identity.attributes),
    ):
        if actual != expected:
            ledger.reject(
                check,
                f"the enclave that made the quote is not Intel's TD Quoting Enclave: its {name} "
                "is another",
            )
    ledger.passed(check, f"Intel's TD Quoting Enclave, ISVSVN {qe.isv_svn}")


def _check_tcb(
    report: _Attested,
    qe: QeReport,
    pck: PckCertificate,
    collateral: VerifiedCollateral,
    ledger: Ledger,
) -> _Tcb:
    info = collateral.tcb_info
    try:
        enclave = tcb.qe_standing(qe.isv_svn, collateral.qe_identity)
        launch = tcb.evaluate(report.tee_tcb_svn, pck, info, enclave)
        now = (
            None
            if report.tee_tcb_svn_2 is None
            else tcb.evaluate(report.tee_tcb_svn_2, pck, info, enclave)
        )
    except ValueError as error:
        ledger.reject("tdx.tcb", str(error))
    status = launch.status if now is None else tcb.with_relaunch(launch.status, now.status)
    ledger.passed("tdx.tcb", f"a TCB level matches: {status}")
    dates = _older(info.issued, collateral.qe_identity.issued)
    return _Tcb(qe, status, launch, now, dates, collateral.revocation_checked)


def _older(info: Issued, identity: Issued) -> Issued:
    """Returns the earlier of each date, and of the evaluation numbers the lower."""
    return Issued(
        min(info.issue_date, identity.issue_date),
        min(info.next_update, identity.next_update),
        min(info.evaluation_number, identity.evaluation_number),
    )


def _masked(value: bytes, mask: bytes) -> bytes:
    return bytes(a & b for a, b in zip(value, mask, strict=True))


def _claims(
    quote: TdxQuote,
    chain: IntelChain,
    standing: _Tcb,
) -> Claims:
    collateral = standing.collateral
    return Claims(
        platform=TeeType.INTEL_TDX,
        anchor=chain.anchor.name,
        simulated=chain.anchor.simulated,
        report_data=quote.report.report_data,
        debug=quote.report.td_attributes.under_debug,
        details=TdxClaims(
            quote_version=quote.version,
            trailing_bytes=quote.trailing_bytes,
            user_data=quote.user_data,
            report=quote.report,
            qe=standing.qe,
            pck=chain.pck,
            tcb_status=standing.status,
            tcb=standing.launch,
            current_tcb=standing.now,
            evaluation_number=collateral.evaluation_number,
            collateral_issued=collateral.issue_date,
            collateral_expires=collateral.next_update,
            revocation_checked=standing.revocation_checked,
        ),
    )
