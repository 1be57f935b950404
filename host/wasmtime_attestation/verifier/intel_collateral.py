"""Intel's collateral: revocation lists, TCB info and QE identity, all of them required.

Without them nobody knows whether a platform's key was stolen or its TCB broken, so a quote
is not verified until each is there, authentic and current.

Source: Intel PCS API version 4; Intel quote verification library, "Verify TCB info", "Verify
QE identity".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.endorsements import intel, intel_pck
from wasmtime_attestation.endorsements import x509 as certs
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.collateral import SignedStatement, StatementKind
from wasmtime_attestation.endorsements.intel import Issued, QeIdentity, TcbInfo
from wasmtime_attestation.endorsements.json_object import JsonObject
from wasmtime_attestation.verifier import p256, revocation
from wasmtime_attestation.verifier.intel_chain import IntelChain
from wasmtime_attestation.verifier.revocation import Issuer

CHECKS = (
    "intel.tcb-signer",
    "intel.root-crl",
    "intel.pck-crl",
    "intel.tcb-info",
    "intel.qe-identity",
)
TCB_SIGNER = "Intel SGX TCB Signing"
LISTS = ("intel.root-crl", "intel.pck-crl")
"""The checks of revocation lists, which a relying party can waive (`Endorsements.waived`)."""
_WAIVED = "no list was given, and the policy does without: nobody knows whether a key was revoked"
T = TypeVar("T", TcbInfo, QeIdentity)


@dataclass(frozen=True, slots=True)
class VerifiedCollateral:
    """What Intel states, authentic and current."""

    tcb_info: TcbInfo
    qe_identity: QeIdentity
    revocation_checked: bool


@dataclass(frozen=True, slots=True)
class _Given:
    """What there is for one chain, sorted: lists of any PCK CA, and those of the chain's own."""

    signers: list[x509.Certificate]
    root_lists: list[x509.CertificateRevocationList]
    pck_lists: list[x509.CertificateRevocationList]
    own_pck_lists: list[x509.CertificateRevocationList]
    tcb_infos: list[SignedStatement]
    qe_identities: list[SignedStatement]


def verify(
    chain: IntelChain, endorsements: Endorsements, *, at: datetime, ledger: Ledger
) -> VerifiedCollateral:
    """Verifies the collateral for the platform of a chain.

    Raises:
        RejectedError: something is not authentic, not current or of another platform,
            or a certificate is revoked.
        UnavailableError: something is missing; the message names all of it.
    """
    given = _sort(chain, endorsements)
    _check_presence(chain, given, endorsements.waived, ledger)
    signers = _check_signers(chain, given.signers, at, ledger)
    _check_root_lists(chain, given, signers, at, ledger)
    _check_pck_lists(chain, given, at, ledger)
    tcb_info = _select(
        "intel.tcb-info",
        given.tcb_infos,
        intel.decode_tcb_info,
        lambda info: (info.fmspc, info.pce_id) == (chain.pck.fmspc, chain.pck.pce_id),
        signers,
        at,
        ledger,
    )
    qe_identity = _select(
        "intel.qe-identity",
        given.qe_identities,
        intel.decode_qe_identity,
        lambda _: True,
        signers,
        at,
        ledger,
    )
    revocation_checked = bool(given.root_lists and given.pck_lists)
    return VerifiedCollateral(tcb_info, qe_identity, revocation_checked)


def _sort(chain: IntelChain, endorsements: Endorsements) -> _Given:
    def statements(kind: StatementKind, id_: str) -> list[SignedStatement]:
        return [s for s in endorsements.statements if (s.kind, s.id) == (kind, id_)]

    # Decoded once: a list decodes its issuer's name whenever it is asked.
    lists = [(crl, crl.issuer) for crl in endorsements.crls]
    return _Given(
        [c for c in endorsements.certificates if certs.common_name(c.subject) == TCB_SIGNER],
        [crl for crl, issuer in lists if issuer == chain.root.subject],
        [crl for crl, issuer in lists if certs.common_name(issuer) in intel_pck.AUTHORITIES],
        [crl for crl, issuer in lists if issuer == chain.ca.subject],
        statements(StatementKind.TCB_INFO, intel.TCB_INFO_ID),
        statements(StatementKind.ENCLAVE_IDENTITY, intel.QE_IDENTITY_ID),
    )


def _check_presence(
    chain: IntelChain, given: _Given, waived: Sequence[str], ledger: Ledger
) -> None:
    ca, root = (certs.common_name(c.subject) for c in (chain.ca, chain.root))
    wanted: tuple[tuple[str, Sequence[object], str], ...] = (
        ("intel.tcb-signer", given.signers, f"the certificate of {TCB_SIGNER}"),
        ("intel.root-crl", given.root_lists, f"the revocation list of {root}"),
        ("intel.pck-crl", given.pck_lists, f"the revocation list of {ca}"),
        ("intel.tcb-info", given.tcb_infos, f"the TDX TCB info of FMSPC {chain.pck.fmspc.hex()}"),
        ("intel.qe-identity", given.qe_identities, "the TD QE identity"),
    )
    dispensable = set(waived) & set(LISTS)
    missing = {c: what for c, found, what in wanted if not found and c not in dispensable}
    if missing:
        ledger.unavailable_all(missing)


def _check_signers(
    chain: IntelChain, signers: list[x509.Certificate], at: datetime, ledger: Ledger
) -> list[x509.Certificate]:
    """Returns those that the root issued and that are valid; Intel renews the certificate."""
    check = "intel.tcb-signer"
    issued = [c for c in signers if certs.is_issued_by(c, chain.root) and _is_usable(c)]
    if not issued:
        ledger.reject(check, f"no certificate of {TCB_SIGNER} is issued by the quote's root")
    valid = [c for c in issued if certs.invalid_at([c], at) is None]
    if not valid:
        ledger.reject(check, f"at {at.isoformat()}, {certs.invalid_at(issued, at)}")
    ends = max(c.not_valid_after_utc for c in valid)
    ledger.passed(check, f"{TCB_SIGNER} is issued by the root, valid until {ends.isoformat()}")
    return valid


def _is_usable(certificate: x509.Certificate) -> bool:
    return (
        p256.is_p256(certificate.public_key())
        and certs.signs_data(certificate)
        and certs.unknown_critical_extension(certificate) is None
    )


def _check_root_lists(
    chain: IntelChain,
    given: _Given,
    signers: list[x509.Certificate],
    at: datetime,
    ledger: Ledger,
) -> None:
    if not given.root_lists:
        ledger.not_checked("intel.root-crl", _WAIVED)
        return
    root = Issuer(chain.root, role="root", vendor="Intel")
    revocation.check(
        "intel.root-crl", given.root_lists, root, [chain.ca, *signers], at=at, ledger=ledger
    )


def _check_pck_lists(chain: IntelChain, given: _Given, at: datetime, ledger: Ledger) -> None:
    check = "intel.pck-crl"
    if not given.pck_lists:
        ledger.not_checked(check, _WAIVED)
        return
    if not given.own_pck_lists:
        others = sorted({certs.common_name(crl.issuer) for crl in given.pck_lists})
        name = certs.common_name(chain.ca.subject)
        ledger.reject(check, f"the revocation list of {name} is needed, not of {', '.join(others)}")
    ca = Issuer(chain.ca, role="CA", vendor="Intel")
    revocation.check(check, given.own_pck_lists, ca, [chain.pck.certificate], at=at, ledger=ledger)


def _select(
    check: str,
    statements: list[SignedStatement],
    decode: Callable[[JsonObject], T],
    fits: Callable[[T], bool],
    signers: list[x509.Certificate],
    at: datetime,
    ledger: Ledger,
) -> T:
    """Takes the statement that fits, is current and of the latest evaluation, and verifies it."""
    try:
        decoded = [(decode(statement.document), statement) for statement in statements]
    except ValueError as error:
        ledger.reject(check, f"a statement cannot be read: {error}")
    fitting = [pair for pair in decoded if fits(pair[0])]
    if not fitting:
        ledger.reject(check, f"none is of the quote's platform: {_platforms(decoded)}")
    value, statement = max(fitting, key=lambda pair: _rank(pair[0].issued, at))
    if not any(_is_signed(statement, signer) for signer in signers):
        ledger.reject(check, f"the statement is not signed by {TCB_SIGNER}: it was altered")
    issued = value.issued
    window = f"{issued.issue_date.isoformat()} to {issued.next_update.isoformat()}"
    if not _is_current(issued, at):
        ledger.reject(check, f"it is for {window}, not for {at.isoformat()}; fetch a current one")
    ledger.passed(check, f"evaluation {issued.evaluation_number}, for {window}")
    return value


def _platforms(decoded: Sequence[tuple[object, SignedStatement]]) -> str:
    """Names the platforms of TCB infos that do not fit."""
    infos = [value for value, _ in decoded if isinstance(value, TcbInfo)]
    return ", ".join(f"FMSPC {info.fmspc.hex()}, PCEID {info.pce_id.hex()}" for info in infos)


def _rank(issued: Issued, at: datetime) -> tuple[bool, int, datetime]:
    return _is_current(issued, at), issued.evaluation_number, issued.issue_date


def _is_current(issued: Issued, at: datetime) -> bool:
    return issued.issue_date <= at <= issued.next_update


def _is_signed(statement: SignedStatement, signer: x509.Certificate) -> bool:
    key = signer.public_key()
    return isinstance(key, ec.EllipticCurvePublicKey) and p256.is_signed(
        key, statement.signature, statement.body
    )
