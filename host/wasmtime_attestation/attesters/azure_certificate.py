"""The certificate that Microsoft issues for the attestation key of an Azure vTPM.

The verifier does without it, since the hardware vouches for the key; who checks with Microsoft's
authority instead, or wants to know whose vTPM it is, finds it among the endorsements.

Source: Microsoft, "Azure confidential VMs guest attestation design"; X.690 section 8.1.3.
"""

from __future__ import annotations

import logging

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from wasmtime_attestation.attesters import tpm_client_codes as codes
from wasmtime_attestation.attesters.tpm_client import Tpm
from wasmtime_attestation.attesters.tpm_client_codes import TpmError
from wasmtime_attestation.endorsements.x509 import UNREADABLE, load_certificate
from wasmtime_attestation.errors import UnavailableError
from wasmtime_attestation.evidence.envelope import EndorsementType, RawEndorsement
from wasmtime_attestation.evidence.hcl import RsaKey

log = logging.getLogger(__name__)

INDEX = 0x01C101D0
"""NV index of the certificate: DER, and zeros up to the size of the index."""
MAX_SIZE = 1 << 12
_UNUSABLE: tuple[type[Exception], ...] = (UnavailableError, *UNREADABLE)
_SEQUENCE = b"\x30\x82"
"""A SEQUENCE whose length stands in the two bytes that follow."""


def certificate_of(tpm: Tpm, key: RsaKey) -> tuple[RawEndorsement, ...]:
    """Returns the certificate of the attestation key; nothing where there is none for this key.

    Args:
        tpm: the vTPM.
        key: the attestation key that the paravisor vouches for.
    """
    try:
        size = tpm.nv_read_public(INDEX).size
        return (RawEndorsement(EndorsementType.CERTIFICATE, _of_key(_read(tpm, size), key)),)
    except TpmError as error:
        if error.code != codes.HANDLE:
            log.warning("the evidence goes without its key's certificate: %s", error)
    except _UNUSABLE as error:
        log.warning("the evidence goes without its key's certificate: %s", error)
    return ()


def _read(tpm: Tpm, size: int) -> bytes:
    if size > MAX_SIZE:
        raise ValueError(f"NV index 0x{INDEX:08x} has {size} bytes; {MAX_SIZE} is the most")
    data = tpm.nv_read(INDEX, size)
    end = 4 + int.from_bytes(data[2:4], "big")
    if not data.startswith(_SEQUENCE) or end > len(data):
        raise ValueError(f"NV index 0x{INDEX:08x} has no certificate in DER")
    return data[:end]


def _of_key(der: bytes, key: RsaKey) -> bytes:
    public = load_certificate(der).public_key()
    if not isinstance(public, RSAPublicKey):
        raise ValueError("the certificate is of no RSA key")
    numbers = public.public_numbers()
    if (numbers.n, numbers.e) != (key.modulus, key.exponent):
        raise ValueError("the certificate is of another key than the one that quotes")
    return der
