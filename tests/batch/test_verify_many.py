"""Each item of a batch comes out as if it had been alone, with any executor."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from wasmtime_attestation import verifier
from wasmtime_attestation.appraisal import appraise
from wasmtime_attestation.batch import Item, Verification, verify_many
from wasmtime_attestation.batch.ordered import processes
from wasmtime_attestation.batch.terms import Terms
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.errors import AttestationError
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.memo import Memo
from wasmtime_attestation.policy import HARDWARE_ONLY, AppraisalPolicy
from wasmtime_attestation.verifier.expectations import Expected
from wasmtime_attestation.verifier.token import verify_token

from tests.fakes import amd, intel
from tests.fakes.certificates import crl
from tests.fakes.forgeries import FORGERIES
from tests.fakes.token import NONCE, Forger

AT = amd.AT + timedelta(seconds=10)
HOST = Forger()
INTEL = Evidence(EvidenceType.INTEL_TDX, intel.PLATFORM.quote())
ROOTS = Anchors([*amd.real_anchors()._roots, *intel.real_anchors()._roots])
KNOWN = intel.Collateral(intel.PLATFORM).endorsements()
STRICT = AppraisalPolicy("nothing")
ITEMS = [
    Item(INTEL),
    Item(INTEL, report_data=bytes(64)),
    Item(INTEL, report_data=b"\1" * 64),
    Item(replace(INTEL, data=INTEL.data[:-1])),
    Item(INTEL, expected=Expected(nonce=bytes(32))),
    Item(HOST.token(), expected=Expected(nonce=NONCE)),
    Item(HOST.token(), expected=Expected(nonce=bytes(8))),
    Item(amd.MILAN.collect(bytes(64))),
    Item(Evidence(EvidenceType.AMD_SEV_SNP, amd.MILAN.report())),
    *(Item(forgery.make(HOST)) for forgery in FORGERIES),
]


def alone(item: Item, policy: AppraisalPolicy | None) -> tuple[object, ...]:
    """Verifies an item by hand."""
    ledger, claims, result = Ledger(), None, None
    outcome, message = "verified", None
    try:
        if isinstance(item.subject, str):
            token = verify_token(
                item.subject, item.expected, KNOWN, at=AT, anchors=ROOTS, ledger=ledger
            )
            claims, found, guest = (
                token.verdict.to_json(),
                token.claims[0],
                token.token.guest_digest,
            )
        else:
            found, guest = (
                verifier.verify(
                    item.subject,
                    KNOWN,
                    report_data=item.report_data,
                    nonce=item.expected.nonce,
                    at=AT,
                    anchors=ROOTS,
                    ledger=ledger,
                ),
                None,
            )
            claims = {"evidence": [found.to_json()]}
        if policy is not None:
            result = appraise(found, policy, at=AT, guest_digest=guest)
    except AttestationError as error:
        outcome, message = error.case, error.message
    return outcome, message, ledger.checks, claims, result


def of(verification: Verification) -> tuple[object, ...]:
    details = verification.details
    found = details.checks, details.claims, details.result
    return verification.outcome, verification.error, *found


@pytest.fixture(params=["here", "threads", "processes"])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor | None]:
    if request.param == "here":
        yield None
        return
    with ThreadPoolExecutor(2) if request.param == "threads" else processes(2) as pool:
        yield pool


@pytest.mark.parametrize(
    "policy", [None, HARDWARE_ONLY, STRICT], ids=["none", "hardware", "strict"]
)
def test_each_item_comes_out_as_if_it_had_been_alone(
    executor: Executor | None, policy: AppraisalPolicy | None
) -> None:
    found = verify_many(
        ITEMS * 3, endorsements=KNOWN, anchors=ROOTS, at=AT, policy=policy, executor=executor
    )

    assert [of(verification) for verification in found] == [alone(i, policy) for i in ITEMS] * 3


def test_all_outcomes_are_there() -> None:
    outcomes = {
        verification.outcome
        for policy in (HARDWARE_ONLY, STRICT)
        for verification in verify_many(
            ITEMS, endorsements=KNOWN, anchors=ROOTS, at=AT, policy=policy
        )
    }

    assert outcomes == {"verified", "rejected", "unavailable", "policy", "invalid-argument"}


def test_what_is_no_item_is_an_internal_error_and_costs_no_other() -> None:
    items: list[object] = [ITEMS[0], None, ITEMS[0]]

    found = [*verify_many(items, endorsements=KNOWN, anchors=ROOTS, at=AT)]  # type: ignore[arg-type]

    assert [verification.outcome for verification in found] == ["verified", "internal", "verified"]
    assert "NoneType" in str(found[1].error)
    assert found[1].details.claims is None


def test_a_memo_that_was_given_is_used() -> None:
    memo = Memo()

    [*verify_many(ITEMS[:1], endorsements=KNOWN, anchors=ROOTS, at=AT, memo=memo)]

    assert len(memo) > 0


def test_what_items_share_is_made_once_in_a_process() -> None:
    pickled = pickle.dumps(Terms(KNOWN))

    first, second = pickle.loads(pickled), pickle.loads(pickled)  # noqa: S301

    assert first is second
    assert first.value == KNOWN
    assert first.memo is second.memo
    other = pickle.loads(pickle.dumps(Terms(Endorsements())))  # noqa: S301
    assert other.memo is not first.memo


def test_endorsements_survive_pickling() -> None:
    ark = amd.MILAN.amd.ark
    everything = KNOWN + amd.MILAN.endorsements(crl(ark.certificate, ark.key))

    copy = pickle.loads(pickle.dumps(everything))  # noqa: S301

    assert copy == everything
    assert copy.fingerprint == everything.fingerprint
    assert copy.fingerprint != KNOWN.fingerprint
