"""What a TDX quote needs of Intel: TCB info, QE identity, revocation lists, perhaps its PCK."""

from __future__ import annotations

from collections.abc import Iterator

from cryptography import x509

from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.endorsements import intel, intel_pck
from wasmtime_attestation.endorsements import x509 as certs
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.collateral import SignedStatement, StatementKind
from wasmtime_attestation.endorsements.intel_pck import PckCertificate
from wasmtime_attestation.endorsers import intel_pcs, validity
from wasmtime_attestation.endorsers.gathering import Gathering
from wasmtime_attestation.endorsers.question import Question
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence.tdx import TdxQuote
from wasmtime_attestation.evidence.tdx_fields import PckReference
from wasmtime_attestation.verifier import intel_chain, intel_collateral

_SERVICE = "intel_pcs"
_QE_ID = slice(0, 16)
"""Where the header's user data has the Quoting Enclave's id."""
_NO_PPID = "Intel's service finds it by the PPID encrypted with RSA-3072, which is not in the quote"


def gather(quote: TdxQuote, gathering: Gathering) -> None:
    """Asks for what is missing or not current."""
    pck = _pck(quote, gathering)
    if pck is None:
        return
    authority = certs.common_name(pck.certificate.issuer)
    root = _root(quote, gathering)
    if authority not in intel_pck.AUTHORITIES:
        return
    if not gathering.may_ask(_SERVICE, root):
        gathering.lacks("Intel's collateral", "the quote ends at a root that is not Intel's")
        return
    root_name = intel_pck.ROOT if root is None else certs.common_name(root.subject)
    for question in _questions(pck, authority, root_name, gathering):
        gathering.ask(question)


def _questions(
    pck: PckCertificate, authority: str, root: str, gathering: Gathering
) -> Iterator[Question]:
    base, known = gathering.urls.intel_pcs, gathering.known
    signed = _has_signer(gathering)
    if not (signed and _has_tcb_info(pck, gathering)):
        yield intel_pcs.tcb_info(base, pck.fmspc)
    if not (signed and _has_qe_identity(gathering)):
        yield intel_pcs.qe_identity(base)
    if authority not in _current_lists(known, gathering):
        yield intel_pcs.pck_list(base, authority)
    if root not in _current_lists(known, gathering):
        yield intel_pcs.root_list(base, root)


def _has_signer(gathering: Gathering) -> bool:
    return any(
        certs.common_name(certificate.subject) == intel_collateral.TCB_SIGNER
        and certs.invalid_at([certificate], gathering.at) is None
        for certificate in gathering.known.certificates
    )


def _has_tcb_info(pck: PckCertificate, gathering: Gathering) -> bool:
    infos = _current(gathering, StatementKind.TCB_INFO, intel.TCB_INFO_ID)
    return any(intel.decode_tcb_info(info.document).fmspc == pck.fmspc for info in infos)


def _has_qe_identity(gathering: Gathering) -> bool:
    kind, id_ = StatementKind.ENCLAVE_IDENTITY, intel.QE_IDENTITY_ID
    return any(True for _ in _current(gathering, kind, id_))


def _current(gathering: Gathering, kind: StatementKind, id_: str) -> Iterator[SignedStatement]:
    """Yields the statements that hold at the instant; one that cannot be read is none."""
    for statement in gathering.known.statements:
        if (statement.kind, statement.id) != (kind, id_):
            continue
        try:
            issued = validity.issued_of(statement)
        except ValueError:
            continue
        if issued.issue_date <= gathering.at <= issued.next_update:
            yield statement


def _current_lists(known: Endorsements, gathering: Gathering) -> set[str]:
    return {
        certs.common_name(crl.issuer) for crl in known.crls if certs.is_current(crl, gathering.at)
    }


def _pck(quote: TdxQuote, gathering: Gathering) -> PckCertificate | None:
    """Returns the quote's PCK certificate: from the quote, from what is known, or asked for."""
    if quote.pck_reference is None:
        try:
            return intel_pck.decode(intel_chain.load(quote.pck_chain, Ledger())[0])
        except (RejectedError, ValueError):
            return None
    found = _referenced(quote.pck_reference, gathering.known)
    if found is not None:
        return found
    encrypted_ppid = quote.pck_reference.encrypted_ppid
    if encrypted_ppid is None:
        gathering.lacks("the PCK certificate that the quote names", _NO_PPID)
        return None
    question = intel_pcs.pck_certificate(
        gathering.urls.intel_pcs,
        quote.pck_reference,
        encrypted_ppid,
        quote.user_data[_QE_ID],
        gathering.urls.intel_pcs_key,
    )
    gathering.ask(question)
    return _referenced(quote.pck_reference, gathering.known)


def _referenced(reference: PckReference, known: Endorsements) -> PckCertificate | None:
    for certificate in known.certificates:
        if certs.common_name(certificate.subject) != intel_pck.NAME:
            continue
        try:
            pck = intel_pck.decode(certificate)
        except ValueError:
            continue
        if intel_chain.fits(pck, reference):
            return pck
    return None


def _root(quote: TdxQuote, gathering: Gathering) -> x509.Certificate | None:
    """Returns the root that the quote comes with, or that is known under its name."""
    if quote.pck_reference is None:
        return intel_chain.load(quote.pck_chain, Ledger())[2]
    named = (
        c for c in gathering.known.certificates if certs.common_name(c.subject) == intel_pck.ROOT
    )
    return next(named, None)
