"""With a memo, claims, checks and errors are the same; and a bundle of manifests can travel."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography.x509.ocsp import OCSPCertStatus
from wasmtime_attestation.checks import Check, Ledger, Outcome
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.endorsements import x509 as certs
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.memo import Memo
from wasmtime_attestation.verifier import ocsp as responses
from wasmtime_attestation.verifier import p384
from wasmtime_attestation.verifier import verify as verify_evidence

from tests.fakes import nvidia_rim, ocsp
from tests.fakes.nvidia import AT, HOPPER, NOT_AFTER, Device, real_anchors

MANIFESTS = nvidia_rim.endorsements()
DEVICE_COVERED = Endorsements(ocsp=tuple(ocsp.about_path(HOPPER.chain()[1:])))
COVERED = Endorsements(ocsp=tuple(ocsp.about_path(nvidia_rim.DRIVER.path())))


def verify(
    memo: Memo | None,
    endorsements: Endorsements,
    device: Device = HOPPER,
    at: datetime = AT,
) -> tuple[Claims, tuple[Check, ...]]:
    ledger = Ledger()
    claims = verify_evidence(
        Evidence(EvidenceType.NVIDIA_GPU, REPORTS[device.chip]),
        CHAINS[device.chip] + endorsements,
        report_data=None,
        nonce=None,
        at=at,
        anchors=real_anchors(),
        ledger=ledger,
        memo=memo,
    )
    return claims, ledger.checks


OTHER = replace(HOPPER, chip="GH101")
REPORTS = {device.chip: device.report() for device in (HOPPER, OTHER)}
CHAINS = {device.chip: device.endorsements() for device in (HOPPER, OTHER)}


def test_what_was_remembered_is_the_same() -> None:
    memo = Memo()
    given = MANIFESTS + COVERED

    results = [verify(memo, given), verify(memo, given), verify(None, given)]

    assert results[0] == results[1] == results[2]
    # The device's certificate, its chain, two manifests, and what was said of either's path.
    assert len(memo) == 6


def test_the_second_report_of_a_device_costs_one_signature(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[str] = []
    memo, given = Memo(), CHAINS[HOPPER.chip] + MANIFESTS + DEVICE_COVERED + COVERED
    verify(memo, given)

    def counted(name: str, function: Callable[..., bool]) -> Callable[..., bool]:
        def call(*arguments: object) -> bool:
            made.append(name)
            return function(*arguments)

        return call

    for module, name in ((p384, "is_signed"), (certs, "is_issued_by"), (responses, "_is_signed")):
        monkeypatch.setattr(module, name, counted(name, getattr(module, name)))

    verify(memo, given)

    assert made == ["is_signed"]


def test_a_remembered_response_is_good_for_its_day() -> None:
    memo, given = Memo(), MANIFESTS + DEVICE_COVERED + COVERED
    later = ocsp.NEXT_UPDATE + timedelta(seconds=1)

    for at, outcome in ((AT, Outcome.PASSED), (later, Outcome.NOT_CHECKED), (AT, Outcome.PASSED)):
        claims, checks = verify(memo, given, at=at)
        assert (claims, checks) == verify(None, given, at=at)
        found = {check.id: check.outcome for check in checks}
        assert found["nvidia.device-revocation"] is outcome


def test_a_revoked_device_is_not_the_remembered_one() -> None:
    memo, path = Memo(), HOPPER.chain()
    verify(memo, MANIFESTS + DEVICE_COVERED)
    revoked = ocsp.responses(
        ocsp.Responder().respond(path[1], path[2], status=OCSPCertStatus.REVOKED)
    )

    with pytest.raises(RejectedError, match="revoked"):
        verify(memo, MANIFESTS + DEVICE_COVERED + revoked)


def test_a_device_is_not_remembered_for_other_roots() -> None:
    memo = Memo()
    verify(memo, MANIFESTS)

    with pytest.raises(RejectedError, match="not NVIDIA's root"):
        verify_evidence(
            Evidence(EvidenceType.NVIDIA_GPU, REPORTS[HOPPER.chip]),
            CHAINS[HOPPER.chip] + MANIFESTS,
            report_data=None,
            nonce=None,
            at=AT,
            anchors=Anchors.of_vendors(),
            ledger=Ledger(),
            memo=memo,
        )


def test_two_devices_share_their_manifests() -> None:
    """But for the chip, by which another manifest might be meant."""
    memo = Memo()
    assert verify(memo, MANIFESTS) == verify(None, MANIFESTS)
    assert verify(memo, MANIFESTS, OTHER) == verify(None, MANIFESTS, OTHER)


def test_a_manifest_that_was_altered_is_not_the_remembered_one() -> None:
    memo = Memo()
    verify(memo, MANIFESTS)
    xml = nvidia_rim.DRIVER.xml().replace(b"Measurement_21", b"Measurement_22")

    with pytest.raises(RejectedError, match="altered"):
        verify(memo, nvidia_rim.endorsements(xml, nvidia_rim.VBIOS))


def test_a_remembered_manifest_expires() -> None:
    memo, ledger = Memo(), Ledger()
    verify(memo, MANIFESTS)
    with pytest.raises(RejectedError, match="expired"):
        verify_evidence(
            Evidence(EvidenceType.NVIDIA_GPU, REPORTS[HOPPER.chip]),
            CHAINS[HOPPER.chip] + MANIFESTS,
            report_data=None,
            nonce=None,
            at=NOT_AFTER + timedelta(seconds=1),
            anchors=real_anchors(),
            ledger=ledger,
            memo=memo,
        )


def test_a_bundle_travels_to_other_processes() -> None:
    bundle = CHAINS[HOPPER.chip] + MANIFESTS + COVERED
    copy = pickle.loads(pickle.dumps(bundle))  # noqa: S301

    assert copy == bundle
    assert copy.fingerprint == bundle.fingerprint
    assert bundle.fingerprint != (CHAINS[HOPPER.chip] + MANIFESTS).fingerprint
    assert verify(None, copy) == verify(None, bundle)
