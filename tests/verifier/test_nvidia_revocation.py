"""OCSP responses and revocation lists: current and good, revoked, forged, or none at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.x509.ocsp import OCSPCertStatus
from cryptography.x509.oid import ExtendedKeyUsageOID
from wasmtime_attestation.checks import Outcome
from wasmtime_attestation.endorsements import ocsp as decoder
from wasmtime_attestation.endorsements.bundle import Endorsements

from tests.fakes import nvidia_rim
from tests.fakes.nvidia import AT, HOPPER, key_of
from tests.fakes.ocsp import Responder, about_path, responses
from tests.verifier.nvidia_verification import rejection, verify

LEAF, BROM, PROVISIONER, IDENTITY, ROOT = HOPPER.chain()
GIVEN = Endorsements(certificates=(LEAF, BROM, PROVISIONER, IDENTITY, ROOT)) + (
    nvidia_rim.endorsements()
)
REPORT = HOPPER.report()
DEVICE, RIM = "nvidia.device-revocation", "nvidia.rim-revocation"
DAY = timedelta(days=1)
RESPONDER = Responder()
REVOKED = OCSPCertStatus.REVOKED
OLD_BEGIN, OLD_END = AT - 3 * DAY, AT - 2 * DAY


def covered(responder: Responder = RESPONDER) -> Endorsements:
    """Returns responses for the whole chain of the device."""
    path = (BROM, PROVISIONER, IDENTITY, ROOT)
    return Endorsements(ocsp=tuple(about_path(path, responder)))


def test_without_responses_revocation_is_not_checked() -> None:
    verified = verify(REPORT, GIVEN)

    assert verified.outcome(DEVICE) is verified.outcome(RIM) is Outcome.NOT_CHECKED
    assert "an OCSP response about GH100 A01 GSP BROM" in verified.detail(DEVICE)
    assert "about NVIDIA GH100 Identity" in verified.detail(DEVICE)
    assert "FMC LF" not in verified.detail(DEVICE)
    assert "Device Identity CA" not in verified.detail(DEVICE)
    assert "an OCSP response about HCC RIM L4 Signer" in verified.detail(RIM)
    assert not verified.gpu.revocation_checked


@pytest.mark.parametrize("responder", [Responder(), Responder(is_delegated=False)])
def test_good_responses(responder: Responder) -> None:
    verified = verify(REPORT, GIVEN + covered(responder))

    assert verified.outcome(DEVICE) is Outcome.PASSED
    assert verified.outcome(RIM) is Outcome.NOT_CHECKED
    assert not verified.gpu.revocation_checked


def test_what_is_not_covered_is_named() -> None:
    partly = responses(RESPONDER.respond(PROVISIONER, IDENTITY))

    verified = verify(REPORT, GIVEN + partly)

    assert verified.outcome(DEVICE) is Outcome.NOT_CHECKED
    assert "Provisioner" not in verified.detail(DEVICE)


@pytest.mark.parametrize(
    ("subject", "issuer"), [(BROM, PROVISIONER), (PROVISIONER, IDENTITY), (IDENTITY, ROOT)]
)
def test_a_revoked_certificate(subject: x509.Certificate, issuer: x509.Certificate) -> None:
    revoked = RESPONDER.respond(
        subject, issuer, status=REVOKED, reason=x509.ReasonFlags.key_compromise
    )
    finding = rejection(REPORT, GIVEN + responses(revoked))

    assert finding.check == DEVICE
    assert "is revoked (keyCompromise)" in finding.detail


def test_a_revoked_signer_of_a_manifest() -> None:
    signer, issuer = nvidia_rim.DRIVER.path()[:2]
    finding = rejection(
        REPORT, GIVEN + responses(RESPONDER.respond(signer, issuer, status=REVOKED))
    )

    assert finding.check == RIM
    assert "HCC RIM L4 Signer is revoked" in finding.detail


def test_a_device_on_hold() -> None:
    hold = RESPONDER.respond(
        BROM, PROVISIONER, status=REVOKED, reason=x509.ReasonFlags.certificate_hold
    )
    assert "(certificateHold)" in rejection(REPORT, GIVEN + responses(hold)).detail


def test_a_certificate_that_its_issuer_does_not_know() -> None:
    unknown = RESPONDER.respond(BROM, PROVISIONER, status=OCSPCertStatus.UNKNOWN)

    assert "is unknown" in rejection(REPORT, GIVEN + responses(unknown)).detail


def test_a_revocation_counts_after_its_time() -> None:
    old = RESPONDER.respond(BROM, PROVISIONER, status=REVOKED, begin=OLD_BEGIN, end=OLD_END)

    assert rejection(REPORT, GIVEN + responses(old)).check == DEVICE


def on_hold(begin: datetime, end: datetime) -> bytes:
    hold = x509.ReasonFlags.certificate_hold
    return RESPONDER.respond(BROM, PROVISIONER, status=REVOKED, reason=hold, begin=begin, end=end)


def test_the_newest_word_counts() -> None:
    verified = verify(REPORT, GIVEN + responses(on_hold(OLD_BEGIN, OLD_END)) + covered())
    assert verified.outcome(DEVICE) is Outcome.PASSED

    old, revoked = (
        RESPONDER.respond(BROM, PROVISIONER, begin=OLD_BEGIN, end=OLD_END),
        RESPONDER.respond(BROM, PROVISIONER, status=REVOKED),
    )
    assert rejection(REPORT, GIVEN + responses(old, revoked)).check == DEVICE


@pytest.mark.parametrize("reason", [None, x509.ReasonFlags.key_compromise])
def test_a_revocation_is_for_ever(reason: x509.ReasonFlags | None) -> None:
    """RFC 5280 section 5.3.1: only a suspension can end."""
    old = RESPONDER.respond(
        BROM, PROVISIONER, status=REVOKED, reason=reason, begin=OLD_BEGIN, end=OLD_END
    )
    assert rejection(REPORT, GIVEN + responses(old) + covered()).check == DEVICE


def test_only_a_good_answer_covers() -> None:
    """A newer one that says good has expired, and the one that is current says revoked."""
    newer = RESPONDER.respond(BROM, PROVISIONER, begin=OLD_BEGIN + DAY / 2, end=OLD_END)
    others = Endorsements(ocsp=tuple(about_path((PROVISIONER, IDENTITY, ROOT))))
    given = GIVEN + others + responses(on_hold(OLD_BEGIN, AT + DAY), newer)

    assert verify(REPORT, given).outcome(DEVICE) is Outcome.NOT_CHECKED


def test_what_is_said_later_ends_no_suspension_before() -> None:
    later = RESPONDER.respond(BROM, PROVISIONER, begin=AT + DAY, end=AT + 2 * DAY)

    given = GIVEN + responses(on_hold(AT - DAY, AT + DAY), later)
    assert "(certificateHold)" in rejection(REPORT, given).detail


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_answers_of_one_instant_the_bad_one_counts(order: int) -> None:
    both = [RESPONDER.respond(BROM, PROVISIONER, status=s) for s in (OCSPCertStatus.GOOD, REVOKED)]

    assert rejection(REPORT, GIVEN + responses(*both[::order])).check == DEVICE


@pytest.mark.parametrize(
    ("begin", "end"),
    [(OLD_BEGIN, OLD_END), (AT + DAY, AT + 2 * DAY), (OLD_BEGIN, None)],
    ids=["old", "of the future", "without an end"],
)
def test_a_response_that_is_not_current_says_nothing(begin: datetime, end: datetime | None) -> None:
    """As if it were not there: it is good for a day, and nobody is to be blamed for its age."""
    stale = RESPONDER.respond(BROM, PROVISIONER, begin=begin, end=end)
    others = Endorsements(ocsp=tuple(about_path((PROVISIONER, IDENTITY, ROOT))))

    verified = verify(REPORT, GIVEN + others + responses(stale))

    assert verified.outcome(DEVICE) is Outcome.NOT_CHECKED
    assert "a current OCSP response about GH100 A01 GSP BROM" in verified.detail(DEVICE)


@pytest.mark.parametrize(
    "responder",
    [
        Responder(owner="somebody"),
        Responder(owner="somebody", is_delegated=False),
        Responder(purposes=()),
        Responder(purposes=(ExtendedKeyUsageOID.CLIENT_AUTH,)),
        Responder(not_after=AT - DAY),
        Responder(issued_by="NVIDIA GH100 Identity"),
    ],
    ids=["impostor", "impostor's key", "no purpose", "another purpose", "expired", "of another CA"],
)
@pytest.mark.parametrize("status", [OCSPCertStatus.GOOD, REVOKED])
def test_a_response_of_somebody_else(responder: Responder, status: OCSPCertStatus) -> None:
    forged = responder.respond(BROM, PROVISIONER, status=status)
    finding = rejection(REPORT, GIVEN + responses(forged))

    assert finding.check == DEVICE
    assert "is not signed by NVIDIA GH100 Provisioner ICA 1" in finding.detail


def test_an_altered_response() -> None:
    good = RESPONDER.respond(BROM, PROVISIONER)
    response = decoder.decode(good)
    forged = replace(response, tbs=response.tbs + b"\0")

    finding = rejection(REPORT, GIVEN + Endorsements(ocsp=(forged,)))

    assert "is not signed by" in finding.detail


def test_responses_about_other_devices_are_left_alone() -> None:
    impostor = HOPPER.__class__(owner="somebody")
    forged = Responder(owner="somebody").respond(impostor.chain()[1], impostor.chain()[2])

    assert verify(REPORT, GIVEN + responses(forged)).outcome(DEVICE) is Outcome.NOT_CHECKED


def crl(
    issuer: x509.Certificate,
    name: str,
    *revoked: int,
    end: timedelta = DAY,
    owner: str = "NVIDIA",
    critical: bool = False,
) -> Endorsements:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(AT - DAY)
        .next_update(AT + end)
    )
    for serial in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(AT - DAY)
        builder = builder.add_revoked_certificate(entry.build())
    if critical:
        builder = builder.add_extension(x509.DeltaCRLIndicator(1), critical=True)
    return Endorsements(crls=(builder.sign(key_of(owner, name), SHA384()),))


NAMES = HOPPER.names


def lists() -> Endorsements:
    return (
        crl(PROVISIONER, NAMES[2]) + crl(IDENTITY, NAMES[3], 7) + crl(ROOT, NAMES[4])
    )  # fmt: skip


def test_revocation_lists_cover_too() -> None:
    assert verify(REPORT, GIVEN + lists()).outcome(DEVICE) is Outcome.PASSED


def test_a_certificate_on_a_list() -> None:
    listed = crl(PROVISIONER, NAMES[2], BROM.serial_number)

    finding = rejection(REPORT, GIVEN + covered() + listed)

    assert finding.check == DEVICE
    assert "GH100 A01 GSP BROM is revoked" in finding.detail


@pytest.mark.parametrize(
    "bad",
    [crl(PROVISIONER, NAMES[2], owner="somebody"), crl(PROVISIONER, NAMES[2], critical=True)],
    ids=["forged", "a part of a list"],
)
def test_a_list_that_is_not_the_issuers(bad: Endorsements) -> None:
    finding = rejection(REPORT, GIVEN + covered() + bad)

    assert "a revocation list that is to cover GH100 A01 GSP BROM is not its issuer's" in (
        finding.detail
    )


def test_an_outdated_list_covers_nothing() -> None:
    old = crl(PROVISIONER, NAMES[2], end=-timedelta(hours=1))

    assert verify(REPORT, GIVEN + old).outcome(DEVICE) is Outcome.NOT_CHECKED
    revoked = crl(PROVISIONER, NAMES[2], BROM.serial_number, end=-timedelta(hours=1))
    assert rejection(REPORT, GIVEN + revoked).check == DEVICE
