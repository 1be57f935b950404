"""The miniature AMD's certificates are like the real ones, in everything but the keys."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA384
from wasmtime_attestation.attesters.miniature_amd import RSA_BITS
from wasmtime_attestation.endorsements.x509 import common_name
from wasmtime_attestation.evidence.snp_fields import SignerKind

from tests import vectors
from tests.fakes.amd import MILAN, TURIN, VLEK, Machine


def amd_extensions(certificate: x509.Certificate) -> dict[str, bytes]:
    return {
        e.oid.dotted_string: e.value.value
        for e in certificate.extensions
        if isinstance(e.value, x509.UnrecognizedExtension)
    }


@pytest.mark.parametrize(
    ("machine", "vector"), [(MILAN, vectors.MILAN_V3), (TURIN, vectors.TURIN_V5)], ids=str
)
def test_a_vcek_for_the_same_tcb_has_the_real_ones_extensions(
    machine: Machine, vector: vectors.SnpVector
) -> None:
    """Byte for byte, except for the chip; the real one has others besides, which say nothing."""
    chip = "1.3.6.1.4.1.3704.1.4"
    real = amd_extensions(vector.chain().certificates[0])
    ours = amd_extensions(machine.key.certificate)

    assert {oid: real[oid] for oid in ours if oid != chip} == {
        oid: value for oid, value in ours.items() if oid != chip
    }
    assert len(ours[chip]) == len(real[chip])


@pytest.mark.parametrize(
    ("machine", "chain"),
    [(MILAN, "milan_vcek"), (TURIN, "turin_vcek"), (VLEK, "milan_vlek")],
    ids=["VCEK", "Turin", "VLEK"],
)
def test_the_authorities_have_the_real_ones_names_and_rights(machine: Machine, chain: str) -> None:
    real = vectors.endorsements(f"snp/chain_{chain}.pem").certificates

    for ours, theirs in zip(machine.chain()[1:], real, strict=True):
        assert common_name(ours.subject) == common_name(theirs.subject)
        assert common_name(ours.issuer) == common_name(theirs.issuer)
        usage = [c.extensions.get_extension_for_class(x509.KeyUsage).value for c in (ours, theirs)]
        assert usage[0] == usage[1]


def test_everything_is_signed_as_amd_signs() -> None:
    for ours, theirs in zip(MILAN.chain(), vectors.MILAN_V3.chain().certificates, strict=True):
        for certificate in (ours, theirs):
            assert isinstance(certificate.signature_hash_algorithm, SHA384)
            parameters = certificate.signature_algorithm_parameters
            assert isinstance(parameters, padding.PSS)
            assert parameters._salt_length == 48


def test_its_keys_are_as_large_as_amds_unless_it_is_told_otherwise() -> None:
    (*_, real) = vectors.MILAN_V3.chain().certificates
    key = real.public_key()
    assert isinstance(key, rsa.RSAPublicKey)

    assert key.key_size == RSA_BITS


def test_an_authority_is_made_once() -> None:
    amd = MILAN.amd

    assert amd.issuer(SignerKind.VCEK) is amd.issuer(SignerKind.VCEK)
    assert amd.issuer(SignerKind.VCEK) is not amd.issuer(SignerKind.VLEK)


def test_the_signature_of_a_report_is_little_endian_in_fields_of_72_bytes() -> None:
    signature = MILAN.key.sign(bytes(0x2A0))

    assert len(signature) == 512
    assert signature[48:72] == signature[120:144] == bytes(24)
    assert signature[144:] == bytes(368)
