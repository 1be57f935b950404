"""What a service sees of an NVIDIA device: a report and its certificates, read by their layout.

Sources: DMTF DSP0274 1.1.0 (GET_MEASUREMENTS); NVIDIA attestation SDK, `verify.cpp` (error codes).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384

from tests.fakes import nvidia
from tests.fakes.jose import Members

_ARCHITECTURES = {"GH": "HOPPER", "GB": "BLACKWELL", "LS": "LS10"}


@dataclass(frozen=True)
class ShownDevice:
    """A device as a request shows it.

    Attributes:
        report: SPDM request and response.
        chain: the certificates, the device's own first.
    """

    report: bytes
    chain: tuple[x509.Certificate, ...]

    @classmethod
    def of(cls, item: Members) -> ShownDevice:
        """Reads `{evidence, certificate}`, both in base64."""
        assert item.keys() == {"evidence", "certificate"}
        pem = base64.b64decode(item["certificate"], validate=True)
        chain = x509.load_pem_x509_certificates(pem)
        return cls(base64.b64decode(item["evidence"], validate=True), tuple(chain))

    @property
    def serial(self) -> int:
        """The device's identity."""
        return self.chain[0].serial_number

    @property
    def architecture(self) -> str:
        """What the chip's name says."""
        name = self.chain[0].subject.rfc4514_string()
        return next(a for prefix, a in _ARCHITECTURES.items() if f"CN={prefix}" in name)

    @property
    def is_golden(self) -> bool:
        """Whether its firmware's measurements are the reference values."""
        indices = (*nvidia.DRIVER_INDICES, *nvidia.VBIOS_INDICES)
        return all(nvidia.golden(index) in self.report for index in indices)

    def error(self, nonce: bytes, root: x509.Certificate) -> tuple[int, str] | None:
        """Returns the service's code and message for evidence that it cannot authenticate."""
        for certificate, issuer in zip(self.chain, (*self.chain[1:], root), strict=True):
            try:
                certificate.verify_directly_issued_by(issuer)
            except (ValueError, InvalidSignature):
                return 4007, "certificate chain is not valid"
        key = self.chain[0].public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        r, s = (int.from_bytes(part, "big") for part in (self.report[-96:-48], self.report[-48:]))
        try:
            key.verify(encode_dss_signature(r, s), self.report[:-96], ec.ECDSA(SHA384()))
        except InvalidSignature:
            return 4013, "evidence signature is not valid"
        if self.report[4:36] != nonce:
            return 4010, "nonce in the evidence does not match the nonce in the request"
        return None
