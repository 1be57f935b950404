"""Tokens that are still good, and when they are not."""

from __future__ import annotations

import pytest
from wasmtime_attestation.cache import MARGIN, MAX_ENTRIES, Subject, TokenCache
from wasmtime_attestation.wit import AttestationResult, TeeType

GUEST, OTHER_GUEST = Subject(bytes(32)), Subject(bytes(range(32)))
NOBODY = Subject(None)
ISSUED, EXPIRES = 1000, 1300


def result(name: str = "ours", issued: int = ISSUED) -> AttestationResult:
    return AttestationResult(name, None, issued, TeeType.SIMULATED)


@pytest.fixture
def cache() -> TokenCache:
    cache = TokenCache()
    cache.put(GUEST, result(), EXPIRES)
    return cache


@pytest.mark.parametrize("now", [ISSUED, ISSUED + 1, EXPIRES - MARGIN - 1])
def test_a_token_is_handed_out_again_while_it_is_good(cache: TokenCache, now: int) -> None:
    assert cache.get(GUEST, now) == result()


@pytest.mark.parametrize("now", [EXPIRES - MARGIN, EXPIRES - 1, EXPIRES, EXPIRES + 1, 2**53])
def test_it_is_not_handed_out_close_to_its_expiry_or_later(cache: TokenCache, now: int) -> None:
    assert cache.get(GUEST, now) is None


@pytest.mark.parametrize("now", [ISSUED - 1, 0, -1])
def test_it_is_not_handed_out_before_it_was_issued(cache: TokenCache, now: int) -> None:
    """A clock that goes backwards must not lengthen a token's life."""
    assert cache.get(GUEST, now) is None


def test_each_guest_has_its_own(cache: TokenCache) -> None:
    assert cache.get(OTHER_GUEST, ISSUED) is None
    assert cache.get(NOBODY, ISSUED) is None
    cache.put(NOBODY, result("of nobody"), EXPIRES)
    cache.put(OTHER_GUEST, result("other"), EXPIRES)
    tokens = [cache.get(guest, ISSUED) for guest in (GUEST, OTHER_GUEST, NOBODY)]
    assert tokens == [result(), result("other"), result("of nobody")]


def test_a_new_token_replaces_the_old_one(cache: TokenCache) -> None:
    cache.put(GUEST, result("new", ISSUED + 5), EXPIRES + 5)
    assert cache.get(GUEST, ISSUED + 5) == result("new", ISSUED + 5)
    assert cache.get(GUEST, ISSUED) is None


def test_clearing_forgets_one_guests_token(cache: TokenCache) -> None:
    cache.put(OTHER_GUEST, result("other"), EXPIRES)
    cache.clear(GUEST.guest_digest)
    assert cache.get(GUEST, ISSUED) is None
    assert cache.get(OTHER_GUEST, ISSUED) == result("other")
    cache.clear(GUEST.guest_digest)


def test_each_gpu_has_its_own_and_clearing_forgets_them_all(cache: TokenCache) -> None:
    gpus = [Subject(GUEST.guest_digest, uuid) for uuid in ("GPU-0", "GPU-1")]
    assert [cache.get(gpu, ISSUED) for gpu in gpus] == [None, None]
    for gpu in gpus:
        cache.put(gpu, result(gpu.gpu or ""), EXPIRES)
    other = Subject(OTHER_GUEST.guest_digest, "GPU-0")
    cache.put(other, result("other"), EXPIRES)
    assert [cache.get(gpu, ISSUED) for gpu in gpus] == [result("GPU-0"), result("GPU-1")]
    assert cache.get(GUEST, ISSUED) == result()

    cache.clear(GUEST.guest_digest)

    assert [cache.get(subject, ISSUED) for subject in (GUEST, *gpus)] == [None, None, None]
    assert cache.get(other, ISSUED) == result("other")


def test_it_is_bounded_and_the_oldest_gives_way(cache: TokenCache) -> None:
    guests = [Subject(n.to_bytes(32, "big")) for n in range(1, MAX_ENTRIES)]
    for guest in guests:
        cache.put(guest, result(), EXPIRES)
    assert cache.get(GUEST, ISSUED) == result()
    cache.put(GUEST, result("renewed"), EXPIRES)
    cache.put(Subject(b"one more"), result(), EXPIRES)
    assert cache.get(guests[0], ISSUED) is None
    assert cache.get(guests[1], ISSUED) == result()
    assert cache.get(GUEST, ISSUED) == result("renewed")
