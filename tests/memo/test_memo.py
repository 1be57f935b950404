"""A memo remembers what succeeded, for all of its inputs and its instants, and nothing else."""

from __future__ import annotations

import pickle
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from wasmtime_attestation.checks import Check, Ledger, Outcome
from wasmtime_attestation.endorsements.anchors import Anchor, Anchors
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.memo import Memo, recall

AT = datetime(2026, 3, 1, tzinfo=UTC)
END = AT + timedelta(days=1)
TAKEN: Counter[str] = Counter()


@dataclass(frozen=True)
class Pair:
    one: bytes
    other: int


@dataclass
class Mutable:
    one: bytes


def length(data: bytes, at: datetime, ledger: Ledger) -> int:
    """Succeeds for non-empty data until `END`."""
    TAKEN["length"] += 1
    if not data or at >= END:
        ledger.reject("snp.format", f"{len(data)} bytes at {at.isoformat()}")
    ledger.passed("snp.format", f"{len(data)} bytes")
    ledger.not_checked("snp.chip-id", "as it happens")
    return len(data)


def size(data: object, at: datetime, ledger: Ledger) -> str:
    del at, ledger
    TAKEN["size"] += 1
    return repr(data)


@pytest.fixture(autouse=True)
def count() -> None:
    TAKEN.clear()


def test_a_step_that_succeeded_is_not_taken_again() -> None:
    memo, ledgers = Memo(), (Ledger(), Ledger())

    values = [recall(memo, length, b"abc", at=AT, ledger=ledger) for ledger in ledgers]

    assert values == [3, 3]
    assert TAKEN["length"] == 1
    expected = (
        Check("snp.format", Outcome.PASSED, "3 bytes"),
        Check("snp.chip-id", Outcome.NOT_CHECKED, "as it happens"),
    )
    assert [ledger.checks for ledger in ledgers] == [expected, expected]


def test_without_a_memo_a_step_is_taken_each_time() -> None:
    for _ in range(2):
        recall(None, length, b"abc", at=AT, ledger=Ledger())

    assert TAKEN["length"] == 2


def test_a_step_that_failed_is_taken_again_and_its_checks_are_kept() -> None:
    memo = Memo()
    for _ in range(2):
        ledger = Ledger()
        with pytest.raises(RejectedError, match="0 bytes at 2026-03-01T00:00:00"):
            recall(memo, length, b"", at=AT, ledger=ledger)
        assert [check.outcome for check in ledger.checks] == [Outcome.FAILED]

    assert TAKEN["length"] == 2
    assert len(memo) == 0


def test_past_its_end_a_step_is_taken_again() -> None:
    memo = Memo()
    recall(memo, length, b"abc", at=AT, ledger=Ledger())
    recall(memo, length, b"abc", at=END - timedelta.resolution, ledger=Ledger())
    assert TAKEN["length"] == 1

    with pytest.raises(RejectedError):
        recall(memo, length, b"abc", at=END, ledger=Ledger())
    assert recall(memo, length, b"abc", at=AT, ledger=Ledger()) == 3


def test_the_index_of_a_piece_of_evidence_is_the_ledgers() -> None:
    memo = Memo()
    recall(memo, length, b"abc", at=AT, ledger=Ledger(1))
    ledger = Ledger(2)

    recall(memo, length, b"abc", at=AT, ledger=ledger)

    assert {check.evidence for check in ledger.checks} == {2}


def anchors(*names: str) -> Anchors:
    return Anchors(Anchor(name, bytes(32)) for name in names)


DISTINCT = (
    b"",
    b"a",
    b"a" * 600,
    b"a" * 601,
    (600, b"a"),
    None,
    0,
    "a",
    "",
    (),
    (b"a",),
    ((b"a",),),
    (b"a", b""),
    (b"", b"a"),
    Pair(b"a", 0),
    Pair(b"a", 1),
    (b"a", 1),
    anchors("a"),
    anchors("a", "b"),
    anchors("b", "a"),
    anchors('a", "b'),
)


def test_no_input_is_taken_for_another() -> None:
    memo = Memo()
    for _ in range(2):
        for value in DISTINCT:
            assert recall(memo, size, value, at=AT, ledger=Ledger()) == repr(value)
        assert TAKEN["size"] == len(DISTINCT)


def test_equal_inputs_need_not_be_the_same_object() -> None:
    memo = Memo()
    for _ in range(2):
        for value in (b"a" * 600, Pair(b"a" * 600, 1), anchors("a"), (b"a" * 600,)):
            recall(memo, size, value, at=AT, ledger=Ledger())

    assert TAKEN["size"] == 4


@pytest.mark.parametrize(
    "value",
    [True, bytearray(b"a"), [b"a"], {b"a"}, Mutable(b"a"), Pair, 1.5, Memo(), (bytearray(),)],
)
def test_what_can_change_is_no_input(value: object) -> None:
    with pytest.raises(TypeError):
        recall(Memo(), size, value, at=AT, ledger=Ledger())

    assert not TAKEN


def test_a_step_depends_on_nothing_but_its_inputs() -> None:
    hidden = 5

    def closure(data: bytes, at: datetime, ledger: Ledger) -> int:
        del at, ledger
        return len(data) + hidden

    for step in (closure, lambda data, at, ledger: len(data)):  # noqa: ARG005
        with pytest.raises(TypeError, match="may depend on more than its inputs"):
            recall(Memo(), step, b"a", at=AT, ledger=Ledger())


def test_the_least_recently_used_step_is_forgotten_first() -> None:
    memo = Memo(entries=2)
    for data in (b"a", b"bb", b"a", b"ccc", b"a"):
        recall(memo, length, data, at=AT, ledger=Ledger())
    assert TAKEN["length"] == 3
    assert len(memo) == 2

    recall(memo, length, b"bb", at=AT, ledger=Ledger())

    assert TAKEN["length"] == 4


def test_the_size_of_what_is_remembered_is_limited() -> None:
    memo = Memo(size=100_000)
    for letter in range(64):
        recall(memo, length, bytes([letter]) * 20_000, at=AT, ledger=Ledger())
        assert len(memo) <= 4

    recall(memo, length, bytes(200_000), at=AT, ledger=Ledger())

    assert len(memo) == 0


def test_a_memo_that_may_remember_nothing_still_verifies() -> None:
    memo = Memo(entries=0)
    for _ in range(2):
        assert recall(memo, length, b"abc", at=AT, ledger=Ledger()) == 3

    assert TAKEN["length"] == 2


def test_a_memo_stays_in_its_process() -> None:
    with pytest.raises(TypeError, match="stays in its process"):
        pickle.dumps(Memo())


def test_threads_may_share_a_memo() -> None:
    memo, barrier = Memo(entries=8), threading.Barrier(4)

    def work(start: int) -> bool:
        barrier.wait()
        return all(
            recall(memo, length, bytes(1 + (start + i) % 20), at=AT, ledger=Ledger())
            == 1 + (start + i) % 20
            for i in range(3000)
        )

    with ThreadPoolExecutor(4) as executor:
        assert all(executor.map(work, range(4)))
    assert len(memo) <= 8
