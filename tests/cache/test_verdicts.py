"""What was accepted before is accepted again exactly where verification would say so again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasmtime_attestation.attesters import machine as attesters
from wasmtime_attestation.cache.verdicts import Verdicts
from wasmtime_attestation.capabilities.rate import Rates
from wasmtime_attestation.capabilities.rule import PER_MINUTE, Rule
from wasmtime_attestation.capabilities.terms import CallClass
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.errors import AttestationError, RejectedError
from wasmtime_attestation.guarding.guard import EVIDENCE
from wasmtime_attestation.guarding.guarded import Guarded
from wasmtime_attestation.issuer import TokenIssuer
from wasmtime_attestation.policy import HARDWARE_ONLY, AppraisalPolicy
from wasmtime_attestation.service import AttestationService, Settings
from wasmtime_attestation.wit import Status

from tests.fakes.amd import MILAN, real_anchors
from tests.fakes.host import GUEST, OTHER_GUEST, Clock
from tests.fakes.token import NOW

LIFETIME = 300
ISSUER = TokenIssuer(LIFETIME)
EXPIRES = NOW + LIFETIME


def service(
    clock: Clock, policy: AppraisalPolicy = HARDWARE_ONLY, anchors: Anchors | None = None
) -> AttestationService:
    settings = Settings(anchors or real_anchors(), policy)
    return AttestationService(attesters.Machine(MILAN), settings, clock, ISSUER)


TOKEN = service(Clock()).for_guest(GUEST).attest_vm().token
FORGED = TOKEN[:-4] + ("AAAA" if TOKEN[-4:] != "AAAA" else "BBBB")
POLICIES = (HARDWARE_ONLY, replace(HARDWARE_ONLY, maximum_age=120))


class Counted:
    """Verifies by comparing the instant with an end, and counts how often."""

    def __init__(self, end: datetime | None = None, status: Status = Status.AFFIRMING) -> None:
        self.count, self.end, self.answer = 0, end, status

    def __call__(self, _token: str, _terms: object, at: datetime) -> Status:
        self.count += 1
        if self.end is not None and at >= self.end:
            raise RejectedError.of("token.time", "expired")
        return self.answer


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(0).astimezone() + timedelta(seconds=seconds)


MOMENTS = st.integers(NOW - 70, EXPIRES + 10) | st.sampled_from(
    [NOW - 61, NOW - 60, NOW - 59, NOW, NOW + 120, NOW + 121, EXPIRES - 1, EXPIRES]
)
STEPS = st.lists(
    st.tuples(MOMENTS, st.sampled_from([GUEST, OTHER_GUEST]), st.booleans(), st.booleans()),
    min_size=2,
    max_size=6,
)


@pytest.mark.parametrize("policy", POLICIES, ids=["hardware-only", "maximum-age"])
@given(steps=STEPS)
def test_a_host_that_remembers_says_what_one_says_that_never_saw_the_token(
    policy: AppraisalPolicy, steps: list[tuple[int, bytes, bool, bool]]
) -> None:
    clock = Clock()
    remembers = service(clock, policy)
    for now, guest, is_forged, clears in steps:
        clock.now = now
        token = FORGED if is_forged else TOKEN
        world = remembers.for_guest(guest)
        said = world.verify_token(token)
        assert said == service(clock, policy).for_guest(guest).verify_token(token)
        assert said == world.verify_token(token)
        assert not (said and is_forged)
        if clears:
            world.clear_cache()


def test_the_last_second_before_expiry_is_the_last() -> None:
    clock = Clock()
    world = service(clock).for_guest(GUEST)
    assert world.verify_token(TOKEN)
    clock.now = EXPIRES - 0.001
    assert world.verify_token(TOKEN)
    clock.now = EXPIRES
    assert not world.verify_token(TOKEN)


def test_a_verdict_is_asked_for_once_while_it_is_the_same() -> None:
    verdicts, verify = Verdicts(), Counted(at(NOW + 10))
    for now in (NOW, NOW + 9, NOW + 3):
        assert verdicts.status(GUEST, "a.b.c", (), now, verify) is Status.AFFIRMING
    assert verify.count == 1
    for _ in range(2):
        with pytest.raises(RejectedError):
            verdicts.status(GUEST, "a.b.c", (), NOW + 10, verify)
    assert verify.count == 3


@pytest.mark.parametrize(
    ("guest", "token", "terms"),
    [(OTHER_GUEST, "a.b.c", ("key",)), (GUEST, "a.b.d", ("key",)), (GUEST, "a.b.c", ("other",))],
    ids=["guest", "token", "keys"],
)
def test_another_guest_token_or_key_is_another_question(
    guest: bytes, token: str, terms: object
) -> None:
    verdicts, verify = Verdicts(), Counted()
    verdicts.status(GUEST, "a.b.c", ("key",), NOW, verify)
    verdicts.status(guest, token, terms, NOW, verify)
    assert verify.count == 2
    verdicts.status(GUEST, "a.b.c", ("key",), NOW, verify)
    assert verify.count == (3 if terms == ("other",) else 2)


def test_what_looked_at_the_clock_holds_for_that_second() -> None:
    verdicts, seen = Verdicts(), list[int]()

    def verify(_token: str, _terms: object, at: datetime) -> Status:
        seen.append(int(at.timestamp()))
        return Status.WARNING

    for now in (NOW, NOW, NOW + 1, NOW):
        assert verdicts.status(None, "a.b.c", (), now, verify) is Status.WARNING
    assert seen == [NOW, NOW + 1, NOW]


def test_a_guest_that_clears_the_cache_forgets_its_own_verdicts() -> None:
    verdicts, verify = Verdicts(), Counted()
    for guest in (GUEST, OTHER_GUEST):
        verdicts.status(guest, "a.b.c", (), NOW, verify)
    verdicts.clear(GUEST)
    assert len(verdicts) == 1
    verdicts.status(OTHER_GUEST, "a.b.c", (), NOW, verify)
    assert verify.count == 2
    verdicts.status(GUEST, "a.b.c", (), NOW, verify)
    assert verify.count == 3


def test_memory_is_bounded_in_number_and_in_bytes() -> None:
    verdicts, verify = Verdicts(entries=3, size=10_000), Counted()
    for number in range(10):
        verdicts.status(GUEST, f"a.b.{number}", (), NOW, verify)
    assert len(verdicts) == 3
    verdicts.status(GUEST, "x" * 9_000, (), NOW, verify)
    assert len(verdicts) == 1
    verdicts.status(GUEST, "x" * 20_000, (), NOW, verify)
    assert len(verdicts) == 0
    verdicts.status(GUEST, "x" * 9_000, (), NOW, verify)
    assert verify.count == 13


def test_other_roots_or_another_policy_make_another_host() -> None:
    clock = Clock()
    assert service(clock).for_guest(GUEST).verify_token(TOKEN)
    assert not service(clock, anchors=Anchors(())).for_guest(GUEST).verify_token(TOKEN)
    nothing = AppraisalPolicy("nothing", frozenset())
    assert not service(clock, nothing).for_guest(GUEST).verify_token(TOKEN)


def test_a_rule_refuses_a_guest_what_was_accepted_before() -> None:
    clock = Clock()
    host = service(clock)
    assert host.for_guest(GUEST).verify_token(TOKEN)
    rule = Rule("strict", per_minute={**PER_MINUTE, CallClass.VERIFY: 2})
    world = Guarded(host.for_guest(GUEST), rule, Rates(rule, lambda: 0.0), EVIDENCE)
    assert [world.verify_token(TOKEN) for _ in range(3)] == [True, True, False]


def test_threads_of_two_guests_are_told_what_holds_for_each() -> None:
    clock = Clock()
    host = service(clock)

    def ask(number: int) -> bool:
        world = host.for_guest((GUEST, OTHER_GUEST)[number % 2])
        token = FORGED if number % 3 == 0 else TOKEN
        try:
            return world.verify_token(token) == (token == TOKEN)
        except AttestationError:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(ask, range(60)))
