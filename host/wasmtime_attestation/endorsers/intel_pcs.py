"""Intel's Provisioning Certification Service, or a cache of it (PCCS): TDX collateral.

A PCCS answers the same questions; its lists are in hex, and it has the root's list too.

Sources: Intel, "PCS API version 4"; Intel, "PCCS Design Guide", section "REST API".
"""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import unquote_to_bytes

from wasmtime_attestation.endorsements import intel, intel_pck
from wasmtime_attestation.endorsements import x509 as certs
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.collateral import StatementKind
from wasmtime_attestation.endorsers.question import Piece, Question, Reply
from wasmtime_attestation.endorsers.service_urls import VENDORS
from wasmtime_attestation.evidence.tdx_fields import PckReference
from wasmtime_attestation.verifier import intel_chain

ROOT_LIST = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"
"""Where Intel itself has the root's list: the distribution point in the root's certificate."""
# Names of version 4; the PCS of version 3, and PCCSs after it, wrote SGX- before the first.
_TCB_CHAINS = ("tcb-info-issuer-chain", "sgx-tcb-info-issuer-chain")
_QE_CHAINS = ("sgx-enclave-identity-issuer-chain",)
_CRL_CHAINS = ("sgx-pck-crl-issuer-chain",)
_PCK_CHAINS = ("sgx-pck-certificate-issuer-chain",)
_STATEMENT_AGE, _LIST_AGE = timedelta(days=1), timedelta(days=1)


def tcb_info(base: str, fmspc: bytes) -> Question:
    """Asks which TCBs there are for a kind of platform; `fmspc` has 6 bytes."""
    stem = f"intel-tcb-info-{fmspc.hex()}"
    return Question(
        what=f"the TDX TCB info of FMSPC {fmspc.hex()}",
        url=f"{base}/tdx/certification/v4/tcb?fmspc={fmspc.hex().upper()}",
        pieces=lambda reply: _with_chain(reply, f"{stem}.json", _TCB_CHAINS),
        fits=lambda found: is_tcb_info_of(found, fmspc),
        max_age=_STATEMENT_AGE,
        keep=_TCB_CHAINS,
    )


def is_tcb_info_of(endorsements: Endorsements, fmspc: bytes) -> bool:
    """Whether there is a TDX TCB info for a kind of platform; raises ValueError if unreadable."""
    return any(
        (statement.kind, statement.id) == (StatementKind.TCB_INFO, intel.TCB_INFO_ID)
        and intel.decode_tcb_info(statement.document).fmspc == fmspc
        for statement in endorsements.statements
    )


def qe_identity(base: str) -> Question:
    """Asks which enclave is Intel's TD Quoting Enclave."""
    return Question(
        what="the TD QE identity",
        url=f"{base}/tdx/certification/v4/qe/identity",
        pieces=lambda reply: _with_chain(reply, "intel-td-qe-identity.json", _QE_CHAINS),
        fits=is_qe_identity,
        max_age=_STATEMENT_AGE,
        keep=_QE_CHAINS,
    )


def is_qe_identity(endorsements: Endorsements) -> bool:
    """Whether there is an identity of the TD Quoting Enclave."""
    return any(
        (statement.kind, statement.id) == (StatementKind.ENCLAVE_IDENTITY, intel.QE_IDENTITY_ID)
        for statement in endorsements.statements
    )


def pck_list(base: str, authority: str) -> Question:
    """Asks for the list of a PCK CA; `authority` is its common name."""
    ca = "platform" if authority == intel_pck.AUTHORITIES[0] else "processor"
    return Question(
        what=f"the revocation list of {authority}",
        url=f"{base}/sgx/certification/v4/pckcrl?ca={ca}&encoding=der",
        pieces=lambda reply: _with_chain(reply, f"intel-pck-{ca}.crl", _CRL_CHAINS),
        fits=lambda found: authority in list_issuers(found),
        max_age=_LIST_AGE,
        keep=_CRL_CHAINS,
    )


def root_list(base: str, root: str) -> Question:
    """Asks for the list of the root, of that common name."""
    is_own = base == VENDORS.intel_pcs
    return Question(
        what=f"the revocation list of {root}",
        url=ROOT_LIST if is_own else f"{base}/sgx/certification/v4/rootcacrl",
        pieces=lambda reply: (Piece("intel-root-ca.crl", reply.body),),
        fits=lambda found: root in list_issuers(found),
        max_age=_LIST_AGE,
    )


def list_issuers(endorsements: Endorsements) -> set[str]:
    """Returns the common names of the issuers of revocation lists."""
    return {certs.common_name(crl.issuer) for crl in endorsements.crls}


def pck_certificate(
    base: str,
    reference: PckReference,
    encrypted_ppid: bytes,
    qe_id: bytes,
    key: str | None = None,
) -> Question:
    """Asks for the PCK certificate that a quote names.

    Args:
        base: the service's address.
        reference: what the quote says.
        encrypted_ppid: the platform's id, encrypted by RSA-3072.
        qe_id: the Quoting Enclave's id, by which a PCCS finds the platform, 16 bytes.
        key: the subscription's key, which Intel's own service wants.
    """
    query = {
        "encrypted_ppid": encrypted_ppid.hex(),
        "cpusvn": reference.cpu_svn.hex(),
        "pcesvn": reference.pce_svn.to_bytes(2, "little").hex(),
        "pceid": reference.pce_id.hex(),
    }
    if base != VENDORS.intel_pcs:
        query["qeid"] = qe_id.hex()
    text = "&".join(f"{name}={value.upper()}" for name, value in query.items())
    stem = f"intel-pck-{reference.cpu_svn.hex()}-{reference.pce_svn}.pem"
    return Question(
        what="the PCK certificate that the quote names",
        url=f"{base}/sgx/certification/v4/pckcert?{text}",
        pieces=lambda reply: _with_chain(reply, stem, _PCK_CHAINS),
        fits=lambda found: any(
            certs.common_name(certificate.subject) == intel_pck.NAME
            and intel_chain.fits(intel_pck.decode(certificate), reference)
            for certificate in found.certificates
        ),
        max_age=timedelta(days=30),
        keep=_PCK_CHAINS,
        headers={} if key is None else {"Ocp-Apim-Subscription-Key": key},
    )


def _with_chain(reply: Reply, file: str, names: tuple[str, ...]) -> tuple[Piece, ...]:
    """Returns an answer, and the issuers that its header has, in PEM that is URL-encoded."""
    chains = [reply.headers[name] for name in names if name in reply.headers]
    stem = file.rpartition(".")[0]
    encoded = (chain.encode("ascii", "replace") for chain in chains[:1])
    issuers = (Piece(f"{stem}-issuer-chain.pem", unquote_to_bytes(text)) for text in encoded)
    return (Piece(file, reply.body), *issuers)
