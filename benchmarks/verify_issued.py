"""Verification of services' tokens and of a GPU's report, for `benchmarks.verify`.

The services are the tests' miniatures; the GPU's report and what endorses it are real.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from wasmtime_attestation import verifier
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims.verdict import TokenKind
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.jwa import Algorithm
from wasmtime_attestation.evidence import jwt, nvidia
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.evidence.recognise import Token, recognise
from wasmtime_attestation.memo import Memo
from wasmtime_attestation.verifier import jws, p384, tokens
from wasmtime_attestation.verifier.expectations import Expected
from wasmtime_attestation.verifier.issuers import Issuer
from wasmtime_attestation.verifier.tokens import Trust

from benchmarks.timing import Batch
from benchmarks.verify_snp import COLD, PARSED, WARM, vectors
from tests.fakes import ita, maa, nras
from tests.fakes.amd import AT

BARE = "one bare signature"
"""The row of each group that its others are compared with."""
SIGNED = "signature and claims"
WHOLE = "every check, keys parsed before"
GPU = "GPU report, Hopper"
_NAMES = {
    Algorithm.ES384: "ES384 token of NVIDIA's service (two)",
    Algorithm.RS256: "RS256 token of Azure's service",
    Algorithm.PS384: "PS384 token of Intel's service",
}
_REPORT = "gonvattest_test_raw_gpu_attestation_report.dat"
_ENDORSEMENTS = ("gonvattest_NV_GPU_*.xml", "gonvattest_test_gpu_*")
_GPU_AT = datetime(2025, 8, 21, 12, tzinfo=UTC)
"""An instant at which the manifests' signers, and the responses about the device, are valid."""


def batches() -> dict[tuple[str, str], Batch]:
    """Returns what is measured, by the first two columns; of each group the bare one first."""
    azure = maa.sign(maa.sev_snp_vm()).encode()
    intel = ita.SIGNER.sign(ita.version_1()).encode()
    return (
        _token(Algorithm.ES384, nras.answer(), nras.keys())
        | _token(Algorithm.RS256, azure, maa.keys())
        | _token(Algorithm.PS384, intel, ita.keys())
        | _gpu()
    )


def _token(algorithm: Algorithm, data: bytes, keys: bytes) -> dict[tuple[str, str], Batch]:
    token, name = recognise(data), _NAMES[algorithm]
    assert isinstance(token, Token)
    endorsements = Endorsements.from_files([("keys", keys)])
    (key_set,), at = endorsements.key_sets, AT + timedelta(seconds=10)
    instance = Issuer("an instance", TokenKind.MAA, frozenset({maa.ISSUER}), keys=key_set)
    configured = (instance,) if algorithm is Algorithm.RS256 else ()  # the others are well known
    trust = Trust(Anchors.of_vendors(), configured, endorsements)

    def whole() -> None:
        tokens.verify(
            token.text, Expected(), trust, at=at, ledger=Ledger(), submodules=token.submodules
        )

    return {
        (name, BARE): Batch.of(_bare(token.text, algorithm, key_set.keys[0].key)),
        (name, SIGNED): Batch.of(lambda: jws.verify_jws(token.text, key_set, {algorithm}).claims()),
        (name, WHOLE): Batch.of(whole),
    }


def _bare(
    text: str, algorithm: Algorithm, key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey
) -> Callable[[], None]:
    """Verifies the signature of a token and nothing else: no check can be quicker."""
    token = jwt.decode(text)
    signature, data = token.signature, token.signing_input
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _ecdsa(key, signature, data)
    digest = SHA256() if algorithm is Algorithm.RS256 else SHA384()
    pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
    pad = padding.PKCS1v15() if algorithm is Algorithm.RS256 else pss
    return lambda: key.verify(signature, data, pad, digest)


def _ecdsa(key: ec.EllipticCurvePublicKey, signature: bytes, data: bytes) -> Callable[[], None]:
    half = len(signature) // 2
    r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
    encoded, algorithm = encode_dss_signature(r, s), ec.ECDSA(SHA384())
    return lambda: key.verify(encoded, data, algorithm)


def _gpu() -> dict[tuple[str, str], Batch]:
    """Verifies a GPU's report with its chain, two manifests and seven OCSP responses."""
    folder = vectors() / "nvidia"
    if not (folder / _REPORT).is_file():
        return {}
    report, anchors, memo = (folder / _REPORT).read_bytes(), Anchors.of_vendors(), Memo()
    evidence = Evidence(EvidenceType.NVIDIA_GPU, report)
    paths = [path for pattern in _ENDORSEMENTS for path in sorted(folder.glob(pattern))]
    files = [(path.name, path.read_bytes()) for path in paths]

    def verify(endorsements: Endorsements, remembered: Memo | None = None) -> None:
        verifier.verify(
            evidence,
            endorsements,
            report_data=None,
            nonce=None,
            at=_GPU_AT,
            anchors=anchors,
            ledger=Ledger(),
            memo=remembered,
        )

    known, signed = Endorsements.from_files(files), nvidia.decode(report).signed
    keys = [certificate.public_key() for certificate in known.certificates]
    bare = next(
        _ecdsa(key, signed.signature, signed.signed_bytes)
        for key in keys
        if isinstance(key, ec.EllipticCurvePublicKey)
        and p384.is_signed(key, signed.signature, signed.signed_bytes)
    )
    return {
        (GPU, BARE): Batch.of(bare),
        (GPU, COLD): Batch.of(lambda: verify(Endorsements.from_files(files))),
        (GPU, PARSED): Batch.of(lambda: verify(known)),
        (GPU, WARM): Batch.of(lambda: verify(known, memo)),
    }
