"""Tokens that are still good, when they are not, and one attestation for all who ask at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from wasmtime_attestation.cache.kept import Kept
from wasmtime_attestation.cache.key import ALL, VM, Key, ServiceName
from wasmtime_attestation.cache.settings import Settings
from wasmtime_attestation.cache.tokens import TokenCache
from wasmtime_attestation.errors import (
    AttestationError,
    Finding,
    PolicyError,
    RejectedError,
    UnavailableError,
    UnsupportedError,
)

from tests.cache.keys import EVIDENCE, EXPIRES, GUEST, ISSUED, MARGIN, OTHER_GUEST, SERVED, kept


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now: float = ISSUED

    def __call__(self) -> float:
        return self.now


class Host:
    """Issues tokens that are numbered, and counts them."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.clock, self.elapsed = Clock(), Clock()
        self.cache = TokenCache(self.clock, settings, elapsed=self.elapsed)
        self.issued = 0

    def issue(self) -> Kept:
        self.issued += 1
        return kept(f"token {self.issued}", int(self.clock.now))

    def ask(self, key: Key = EVIDENCE, issue: Callable[[], Kept] | None = None) -> str:
        return self.cache.token(key, issue or self.issue).token


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.mark.parametrize(
    ("seconds", "is_good"),
    [(0, True), (1, True), (269, True), (270, False), (300, False), (1e9, False), (-1, False)],
)
def test_a_token_is_handed_out_again_while_it_is_good(
    host: Host, seconds: float, is_good: bool
) -> None:
    host.ask()
    host.clock.now += seconds
    assert host.ask() == ("token 1" if is_good else "token 2")


def test_a_token_that_was_not_good_once_is_forgotten(host: Host) -> None:
    """Also when the clock is set right again."""
    host.ask()
    host.clock.now = ISSUED - 1
    host.ask()
    host.clock.now = ISSUED
    assert host.ask() == "token 2"


def test_a_clock_that_is_set_back_again_and_again_lengthens_no_life(host: Host) -> None:
    host.ask()
    host.elapsed.now += EXPIRES - ISSUED - MARGIN - 1
    assert host.ask() == "token 1"
    host.elapsed.now += 1
    assert host.ask() == "token 2"


def test_evidence_has_its_own_limit() -> None:
    host = Host(Settings(max_age=100))
    host.ask()
    host.clock.now += 99
    assert host.ask() == "token 1"
    host.clock.now += 1
    assert host.ask() == "token 2"


def test_the_limit_counts_from_when_evidence_was_collected() -> None:
    host = Host(Settings(max_age=100))
    host.ask(issue=lambda: kept("old evidence", collected=ISSUED - 60))
    host.clock.now += 39
    assert host.ask() == "old evidence"
    host.clock.now += 1
    assert host.ask() == "token 1"


OTHERS = [
    replace(SERVED, kind="ita"),
    replace(SERVED, target=ALL),
    replace(SERVED, target="GPU-1"),
    replace(SERVED, guest_digest=OTHER_GUEST),
    replace(SERVED, guest_digest=None),
    replace(SERVED, user_data=b""),
    replace(SERVED, user_data=None),
    replace(SERVED, audience=""),
    replace(SERVED, audience=None),
    replace(SERVED, policy="q"),
    replace(SERVED, policy=None),
    replace(SERVED, service=ServiceName("maa", "https://other.example")),
    replace(SERVED, service=ServiceName("ita", "https://maa.example")),
    replace(SERVED, service=None),
    replace(SERVED, signing_key=b"k"),
    replace(SERVED, boot=b"b"),
]


@pytest.mark.parametrize("other", OTHERS, ids=str)
def test_whatever_differs_makes_another_token(host: Host, other: Key) -> None:
    assert host.ask(SERVED) == "token 1"
    assert host.ask(other) == "token 2"
    assert (host.ask(SERVED), host.ask(other)) == ("token 1", "token 2")


def test_no_two_keys_have_one_digest() -> None:
    """Neither do those whose parts are the same text in other places."""
    keys = [
        SERVED,
        *OTHERS,
        replace(SERVED, nonce=b"u", user_data=None),
        replace(SERVED, audience="p", policy="a"),
        Key(SERVED.kind, VM, None, user_data=b"\x01"),
        Key(SERVED.kind, VM, None, audience="01"),
        Key(SERVED.kind, VM, None, policy='{"bytes": "01"}'),
        Key(SERVED.kind, VM, None, boot=b"\x01"),
        Key(SERVED.kind, VM, None, signing_key=b"\x01"),
    ]
    assert len({key.digest for key in keys}) == len(keys)


def test_an_answer_to_a_challenge_is_always_new(host: Host) -> None:
    challenged = replace(EVIDENCE, nonce=bytes(8))
    assert [host.ask(challenged), host.ask(challenged), host.ask()] == [
        "token 1",
        "token 2",
        "token 3",
    ]
    assert len(host.cache) == 1


def test_clearing_forgets_one_guests_tokens(host: Host) -> None:
    keys = [EVIDENCE, replace(EVIDENCE, target="GPU-0"), SERVED]
    other = replace(EVIDENCE, guest_digest=OTHER_GUEST)
    before = [host.ask(key) for key in (*keys, other)]
    host.cache.clear(GUEST)
    assert len(host.cache) == 1
    after = [host.ask(key) for key in (*keys, other)]
    assert not set(before[:3]) & set(after)
    assert after[3] == before[3]
    host.cache.clear_all()
    assert len(host.cache) == 0


def test_the_number_is_bounded_and_the_one_not_used_for_longest_gives_way() -> None:
    host = Host(Settings(entries=3))
    keys = [replace(EVIDENCE, target=f"GPU-{n}") for n in range(4)]
    for key in keys[:3]:
        host.ask(key)
    assert host.ask(keys[0]) == "token 1"
    host.ask(keys[3])
    assert [host.ask(keys[n]) for n in (0, 2, 3)] == ["token 1", "token 3", "token 4"]
    assert host.ask(keys[1]) == "token 5"
    assert len(host.cache) == 3


def test_the_bytes_are_bounded() -> None:
    host = Host(Settings(size=10_000))
    for number in range(5):
        host.ask(replace(EVIDENCE, target=f"GPU-{number}"), lambda: kept("x" * 3000))
    assert len(host.cache) == 2
    host.ask(replace(EVIDENCE, target="vast"), lambda: kept("x" * 10_000))
    assert len(host.cache) == 0


def test_nothing_is_kept_where_that_is_the_setting() -> None:
    host = Host(Settings(entries=0))
    assert [host.ask(), host.ask()] == ["token 1", "token 2"]


@pytest.mark.parametrize(
    "error",
    [
        UnavailableError("busy"),
        RejectedError([Finding("token.key", "no")]),
        PolicyError([Finding("policy.tee", "no"), Finding("policy.debug", "no")]),
    ],
    ids=lambda error: str(error.case),
)
def test_a_failure_is_not_remembered(host: Host, error: AttestationError) -> None:
    def fail() -> Kept:
        raise error

    with pytest.raises(type(error)) as caught:
        host.ask(issue=fail)
    assert caught.value is error
    assert host.ask() == "token 1"


def test_that_there_is_no_such_thing_is_remembered_for_a_moment(host: Host) -> None:
    def fail() -> Kept:
        raise UnsupportedError("no such thing")

    with pytest.raises(UnsupportedError):
        host.ask(issue=fail)
    with pytest.raises(UnsupportedError, match="no such thing"):
        host.ask()
    assert host.ask(SERVED) == "token 1"
    host.elapsed.now += 2
    assert host.ask() == "token 2"


def test_clearing_forgets_that_there_was_no_such_thing(host: Host) -> None:
    def fail() -> Kept:
        raise UnsupportedError("no such thing")

    with pytest.raises(UnsupportedError):
        host.ask(issue=fail)
    host.cache.clear(GUEST)
    assert host.ask() == "token 1"


class Slow:
    """An attestation that a test lets go on when it wants to."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.begun, self.may_end = threading.Event(), threading.Event()
        self.error: BaseException | None = None
        self.count = 0

    def __call__(self) -> Kept:
        self.count += 1
        self.begun.set()
        assert self.may_end.wait(30)
        if self.error is not None:
            raise self.error
        return self._host.issue()


def wait_for_followers(count: int) -> None:
    """Followers wait on an event; that they do is seen in their stacks alone."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if sum(t.name.startswith("ask") for t in threading.enumerate()) >= count:
            time.sleep(0.05)
            return
        time.sleep(0.005)
    pytest.fail("the threads did not start")


def test_a_thousand_at_once_cause_one_attestation(host: Host) -> None:
    slow = Slow(host)
    with ThreadPoolExecutor(1000, "ask") as pool:
        answers = [pool.submit(host.ask, EVIDENCE, slow) for _ in range(1000)]
        wait_for_followers(1000)
        slow.may_end.set()
        assert {answer.result(30) for answer in answers} == {"token 1"}
    assert slow.count == 1


def test_different_keys_run_side_by_side(host: Host) -> None:
    first, second = Slow(host), Slow(host)
    with ThreadPoolExecutor(2, "ask") as pool:
        one = pool.submit(host.ask, EVIDENCE, first)
        two = pool.submit(host.ask, SERVED, second)
        assert first.begun.wait(30)
        assert second.begun.wait(30)
        first.may_end.set()
        second.may_end.set()
        assert {one.result(30), two.result(30)} == {"token 1", "token 2"}


def test_those_who_wait_fail_together_and_the_next_one_asks_anew(host: Host) -> None:
    slow = Slow(host)
    slow.error = RejectedError([Finding("token.key", "one"), Finding("token.time", "two")])
    with ThreadPoolExecutor(20, "ask") as pool:
        answers = [pool.submit(host.ask, EVIDENCE, slow) for _ in range(20)]
        wait_for_followers(20)
        slow.may_end.set()
        errors = [answer.exception(30) for answer in answers]
    assert slow.count == 1
    assert {str(error) for error in errors} == {"token.key: one; token.time: two"}
    assert len({id(error) for error in errors}) == 20
    assert host.ask() == "token 1"


@pytest.mark.parametrize("end", [KeyboardInterrupt(), SystemExit(3), ValueError("a fault")])
def test_who_waited_for_one_that_was_interrupted_goes_on(host: Host, end: BaseException) -> None:
    slow = Slow(host)
    slow.error = end
    with ThreadPoolExecutor(9, "ask") as pool:
        leader = pool.submit(host.ask, EVIDENCE, slow)
        assert slow.begun.wait(30)
        followers = [pool.submit(host.ask) for _ in range(8)]
        wait_for_followers(9)
        slow.may_end.set()
        assert leader.exception(30) is end
        assert {follower.result(30) for follower in followers} == {"token 1"}


def test_who_waits_does_not_wait_forever() -> None:
    host = Host(Settings(wait_seconds=1))
    slow = Slow(host)
    with ThreadPoolExecutor(1, "ask") as pool:
        leader = pool.submit(host.ask, EVIDENCE, slow)
        assert slow.begun.wait(30)
        with pytest.raises(UnavailableError, match="has not ended"):
            host.ask()
        slow.may_end.set()
        assert leader.result(30) == "token 1"
    assert host.ask() == "token 1"


def test_what_was_begun_before_clear_is_for_those_who_asked_before(host: Host) -> None:
    slow = Slow(host)
    with ThreadPoolExecutor(2, "ask") as pool:
        leader = pool.submit(host.ask, EVIDENCE, slow)
        assert slow.begun.wait(30)
        follower = pool.submit(host.ask)
        wait_for_followers(2)
        host.cache.clear(GUEST)
        assert host.ask() == "token 1"
        slow.may_end.set()
        assert (leader.result(30), follower.result(30)) == ("token 2", "token 2")
    assert host.ask() == "token 1"


def test_clear_of_another_guest_disturbs_nobody(host: Host) -> None:
    slow = Slow(host)
    with ThreadPoolExecutor(1, "ask") as pool:
        leader = pool.submit(host.ask, EVIDENCE, slow)
        assert slow.begun.wait(30)
        host.cache.clear(OTHER_GUEST)
        slow.may_end.set()
        assert leader.result(30) == "token 1"
    assert host.ask() == "token 1"
