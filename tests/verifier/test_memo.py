"""With a memo the answers are the same at every instant, and one signature is left to verify."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from wasmtime_attestation import verifier
from wasmtime_attestation.checks import Check, Ledger
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.endorsements import x509 as certs
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.errors import AttestationError
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.memo import Memo
from wasmtime_attestation.verifier import p256, snp_signer

from tests.fakes import amd, intel
from tests.fakes.certificates import crl
from tests.fakes.intel import PLATFORM, PLATFORM_15, Collateral

STEP = timedelta.resolution
Outcome = tuple[Claims | str, tuple[Check, ...]]


def verify(
    evidence: Evidence,
    endorsements: Endorsements,
    memo: Memo | None,
    *,
    at: datetime = intel.AT,
    anchors: Anchors | None = None,
) -> Outcome:
    ledger = Ledger()
    try:
        claims: Claims | str = verifier.verify(
            evidence,
            endorsements,
            report_data=None,
            nonce=None,
            at=at,
            anchors=anchors or intel.real_anchors(),
            ledger=ledger,
            memo=memo,
        )
    except AttestationError as error:
        claims = str(error)
    return claims, ledger.checks


def tdx(platform: intel.Platform = PLATFORM) -> Evidence:
    return Evidence(EvidenceType.INTEL_TDX, platform.quote())


def snp(machine: amd.Machine = amd.MILAN, **fields: bytes) -> Evidence:
    return Evidence(EvidenceType.AMD_SEV_SNP, machine.report(**fields))


def turns_of_intel() -> Iterator[datetime]:
    """Every instant at which something of the miniature Intel begins or ends."""
    yield from (intel.NOT_BEFORE, intel.NOT_AFTER, intel.ISSUED, intel.NEXT_UPDATE, intel.AT)
    yield from (EARLY, LATE)


EARLY, LATE = intel.AT - timedelta(days=3), intel.AT + timedelta(days=3)
"""When the second of two statements, lists and certificates begins, and the first ends."""


def in_turn() -> Endorsements:
    """Collateral of which each part is there twice, so that an instant decides which is used."""
    stamp = "%Y-%m-%dT%H:%M:%SZ"
    until = {"nextUpdate": LATE.strftime(stamp)}
    since = {"issueDate": EARLY.strftime(stamp), "tcbEvaluationDataNumber": 18}
    root = "Intel SGX Root CA"
    older = Collateral(
        PLATFORM,
        intel.changed(intel.TCB_INFO, **until),
        intel.changed(intel.QE_IDENTITY, **until),
        root_crl=intel.crl(root, PLATFORM.key(root), end=LATE),
        pck_crl=intel.crl(PLATFORM.ca, PLATFORM.key(PLATFORM.ca), end=LATE),
    )
    newer = Collateral(
        PLATFORM,
        intel.changed(intel.TCB_INFO, **since),
        intel.changed(intel.QE_IDENTITY, **since),
        root_crl=intel.crl(root, PLATFORM.key(root), begin=EARLY),
        pck_crl=intel.crl(PLATFORM.ca, PLATFORM.key(PLATFORM.ca), begin=EARLY),
        signers=(
            intel.certificate(
                "Intel SGX TCB Signing",
                PLATFORM.key("Intel SGX TCB Signing"),
                root,
                PLATFORM.key(root),
                not_after=LATE,
                serial=7,
            ),
        ),
    )
    return older.endorsements() + newer.endorsements()


def test_at_every_instant_a_quote_comes_out_as_without_a_memo() -> None:
    evidence, endorsements, memo = tdx(), in_turn(), Memo()
    instants = [turn + k * STEP for turn in turns_of_intel() for k in (-1, 0, 1)] * 3
    random.Random(1).shuffle(instants)  # noqa: S311

    outcomes = [verify(evidence, endorsements, memo, at=at) for at in instants]

    expected = {at: verify(evidence, endorsements, None, at=at) for at in set(instants)}
    assert outcomes == [expected[at] for at in instants]
    issued = {
        claims.details.evaluation_number  # type: ignore[union-attr]
        for claims, _ in outcomes
        if isinstance(claims, Claims)
    }
    assert issued == {17, 18}


def test_at_every_instant_a_report_comes_out_as_without_a_memo() -> None:
    ark = amd.MILAN.amd.ark
    lists = [crl(ark.certificate, ark.key), crl(ark.certificate, ark.key, revoked=[1])]
    turns = {amd.NOT_BEFORE, amd.NOT_AFTER, amd.AT} | {
        at for each in lists for at in (each.last_update_utc, each.next_update_utc) if at
    }
    evidence, memo = snp(), Memo()
    instants = [turn + k * STEP for turn in turns for k in (-1, 0, 1)] * 3
    random.Random(1).shuffle(instants)  # noqa: S311
    for endorsements in (amd.MILAN.endorsements(), amd.MILAN.endorsements(*lists)):
        for at in instants:
            outcome = verify(evidence, endorsements, memo, at=at, anchors=amd.real_anchors())
            assert outcome == verify(
                evidence, endorsements, None, at=at, anchors=amd.real_anchors()
            )


@pytest.fixture
def signatures(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The signature checks of all verifiers, by the name of the function that made them."""
    made: list[str] = []

    def counted(name: str, function: Callable[..., bool]) -> Callable[..., bool]:
        def call(*arguments: object) -> bool:
            made.append(name)
            return function(*arguments)

        return call

    for module, name in (
        (p256, "is_signed"),
        (certs, "is_issued_by"),
        (certs, "is_signed_by"),
        (snp_signer, "signed"),
    ):
        monkeypatch.setattr(module, name, counted(name, getattr(module, name)))
    return made


def another(platform: intel.Platform, quote: bytes, **fields: bytes) -> Evidence:
    """Returns another quote of a platform whose Quoting Enclave has not changed its key since."""
    head = 48 if platform.version == 4 else 54
    signed = quote[:head] + platform.body(**fields)
    signature = intel.ecdsa(platform.key("attestation"), signed)
    rest = quote[len(signed) + 4 + 64 :]
    size = quote[len(signed) : len(signed) + 4]
    return Evidence(EvidenceType.INTEL_TDX, signed + size + signature + rest)


@pytest.mark.parametrize("platform", [PLATFORM, PLATFORM_15], ids=["v4", "v5"])
def test_the_second_quote_of_a_platform_costs_one_signature(
    platform: intel.Platform, signatures: list[str]
) -> None:
    memo, first, endorsements = Memo(), tdx(platform), Collateral(platform).endorsements()
    second = another(platform, first.data, report_data=b"\1" * 64)
    copy = Endorsements() + endorsements

    verify(first, endorsements, memo)
    assert len(signatures) == 10
    signatures.clear()
    claims, _ = verify(second, copy, memo, at=intel.AT + timedelta(days=1))

    assert isinstance(claims, Claims)
    assert claims.report_data == b"\1" * 64
    assert signatures == ["is_signed"]


@pytest.mark.parametrize(
    "fields", [{"tee_tcb_svn": bytes(16)}, {"mrsignerseam": b"\1" * 48}, {"report_data": b"x" * 64}]
)
def test_another_quote_of_a_platform_is_judged_by_what_it_says(fields: dict[str, bytes]) -> None:
    memo, first, endorsements = Memo(), tdx(), Collateral(PLATFORM).endorsements()
    verify(first, endorsements, memo)
    second = another(PLATFORM, first.data, **fields)

    assert verify(second, endorsements, memo) == verify(second, endorsements, None)


def test_the_second_report_of_a_machine_costs_one_signature(signatures: list[str]) -> None:
    memo, endorsements, anchors = Memo(), amd.MILAN.endorsements(), amd.real_anchors()

    verify(snp(), endorsements, memo, anchors=anchors)
    assert len(signatures) >= 4
    signatures.clear()
    verify(snp(report_data=b"\1" * 64), amd.MILAN.endorsements(), memo, anchors=anchors)

    assert signatures == ["signed"]


def test_what_comes_with_evidence_is_read_and_verified_once(signatures: list[str]) -> None:
    memo, anchors = Memo(), amd.real_anchors()

    verify(amd.MILAN.collect(bytes(64)), Endorsements(), memo, anchors=anchors)
    signatures.clear()
    claims, _ = verify(amd.MILAN.collect(b"\1" * 64), Endorsements(), memo, anchors=anchors)

    assert isinstance(claims, Claims)
    assert signatures == ["signed"]


def test_what_one_set_of_roots_trusts_another_does_not() -> None:
    memo, evidence, endorsements = Memo(), tdx(), Collateral(PLATFORM).endorsements()
    named = Anchors.of_vendors().trusting([certs.spki_sha256(PLATFORM.root)])

    real, _ = verify(evidence, endorsements, memo)
    simulated, _ = verify(evidence, endorsements, memo, anchors=named)
    none, _ = verify(evidence, endorsements, memo, anchors=Anchors.of_vendors())

    assert isinstance(real, Claims)
    assert not real.simulated
    assert isinstance(simulated, Claims)
    assert simulated.simulated
    assert isinstance(none, str)
    assert "intel.root" in none


@pytest.mark.parametrize("part", ["tcb_info", "qe_identity", "root_crl", "pck_crl", "signers"])
def test_what_was_verified_with_other_collateral_does_not_count(part: str) -> None:
    memo, evidence = Memo(), tdx()
    verify(evidence, Collateral(PLATFORM).endorsements(), memo)
    key = PLATFORM.key(PLATFORM.ca)
    changes = {
        "tcb_info": intel.changed(intel.TCB_INFO, tcbLevels=[intel.level("Revoked", sgx=9)]),
        "qe_identity": intel.changed(intel.QE_IDENTITY, isvprodid=9),
        "root_crl": intel.crl(
            "Intel SGX Root CA",
            PLATFORM.key("Intel SGX Root CA"),
            revoked=[PLATFORM.authority.serial_number],
        ),
        "pck_crl": intel.crl(PLATFORM.ca, key, revoked=[PLATFORM.pck.serial_number]),
        "signers": (),
    }
    worse = replace(Collateral(PLATFORM), **{part: changes[part]})  # type: ignore[arg-type]
    given = worse.endorsements()

    outcome = verify(evidence, given, memo)

    assert isinstance(outcome[0], str)
    assert outcome == verify(evidence, given, None)
