"""A TPM's quote: signature, nonce, and the PCRs that it stands for.

Source: TCG, "Trusted Platform Module Library", part 1, "Attestation"; part 2, TPMS_ATTEST.
"""

from __future__ import annotations

import hashlib
import hmac

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims.azure import TpmClaims
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence import tpm
from wasmtime_attestation.evidence.hcl import RsaKey
from wasmtime_attestation.evidence.tpm import TpmQuote, TpmsAttest

CHECKS = ("tpm.format", "tpm.signature", "tpm.nonce", "tpm.pcrs")


def verify(quote: TpmQuote, key: RsaKey, *, nonce: bytes | None, ledger: Ledger) -> TpmClaims:
    """Verifies a quote.

    Args:
        quote: message, signature and the values of the PCRs.
        key: the attestation key; who vouches for it is the caller's to know.
        nonce: what extraData must be; None to report it as not checked.
        ledger: records each check.

    Raises:
        RejectedError: a check failed.
    """
    ledger.plan(CHECKS)
    attest = _decode(quote.message, ledger)
    _check_signature(quote, key, ledger)
    _check_nonce(attest, nonce, ledger)
    _check_pcrs(attest, quote, ledger)
    return TpmClaims(
        nonce=attest.extra_data,
        pcrs={index: quote.pcrs[index] for index in attest.selection},
        clock=attest.clock,
        reset_count=attest.reset_count,
        restart_count=attest.restart_count,
        clock_safe=attest.clock_safe,
        firmware_version=attest.firmware_version,
    )


def _decode(message: bytes, ledger: Ledger) -> TpmsAttest:
    try:
        attest = tpm.decode(message)
    except RejectedError as error:
        ledger.record(error.findings[0])
        raise
    ledger.passed("tpm.format", f"a quote of {len(attest.selection)} PCRs")
    return attest


def _check_signature(quote: TpmQuote, key: RsaKey, ledger: Ledger) -> None:
    check = "tpm.signature"
    try:
        public = rsa.RSAPublicNumbers(key.exponent, key.modulus).public_key()
        public.verify(quote.signature, quote.message, PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        ledger.reject(check, "the attestation key did not sign this quote: it was altered")
    ledger.passed(check, f"RSASSA-PKCS1-v1_5 of {public.key_size} bits by the attestation key")


def _check_nonce(attest: TpmsAttest, nonce: bytes | None, ledger: Ledger) -> None:
    check = "tpm.nonce"
    if nonce is None:
        ledger.not_checked(check, "no nonce was given: the quote may be a replay")
    elif not hmac.compare_digest(attest.extra_data, nonce):
        ledger.reject(
            check,
            f"the quote answers the nonce {attest.extra_data.hex()}, not {nonce.hex()}: it was "
            "made for somebody else, or is a replay",
        )
    else:
        ledger.passed(check, "the quote answers the given nonce")


def _check_pcrs(attest: TpmsAttest, quote: TpmQuote, ledger: Ledger) -> None:
    check = "tpm.pcrs"
    given = tuple(sorted(quote.pcrs))
    if attest.selection != given:
        ledger.reject(
            check, f"PCRs {_list(attest.selection)} were quoted, {_list(given)} are given"
        )
    digest = hashlib.sha256(b"".join(quote.pcrs[index] for index in given)).digest()
    if not hmac.compare_digest(digest, attest.pcr_digest):
        ledger.reject(
            check, "the values of the PCRs are not those that were quoted: their digest is another"
        )
    ledger.passed(check, f"the values of PCRs {_list(given)} are those that were quoted")


def _list(indices: tuple[int, ...]) -> str:
    """Names indices, a run of them by its first and last."""
    runs: list[list[int]] = []
    for index in indices:
        if runs and index == runs[-1][-1] + 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    return ", ".join(f"{r[0]} to {r[-1]}" if len(r) > 1 else str(r[0]) for r in runs) or "none"
