"""Rules for guests: how they are read, which one is for a guest, and what it refuses."""

from __future__ import annotations

import pytest
from wasmtime_attestation.capabilities.globs import matches, overlap
from wasmtime_attestation.capabilities.rate import Bucket
from wasmtime_attestation.capabilities.settings import Settings, load
from wasmtime_attestation.capabilities.terms import CallClass, GuestFunction, GuestIdentity
from wasmtime_attestation.errors import InvalidArgumentError

from tests.fakes.host import Clock

A, B = "aa" * 32, "bb" * 32


def rules(text: str) -> Settings:
    return load("rules.toml", text.encode())


def rule_name(text: str, digest: str | None = None, path: str | None = None) -> str:
    guest = GuestIdentity("guest", None if digest is None else bytes.fromhex(digest), path)
    return rules(text).rule_for(guest).name


BOTH = f"""
[guests.default]
functions = ["detect-tee"]
[guests.by-digest]
digest = "{A}"
[guests.by-path]
path = "/opt/*.wasm"
"""


@pytest.mark.parametrize(
    ("digest", "path", "name"),
    [
        (A, "/opt/a.wasm", "by-digest"),
        (A, None, "by-digest"),
        (B, "/opt/sub/a.wasm", "by-path"),
        (B, "/opt/a.wasmx", "default"),
        (None, "/opt/a.wasm", "by-path"),
        (None, None, "default"),
    ],
)
def test_the_digest_counts_before_the_path_and_the_path_before_the_default(
    digest: str | None, path: str | None, name: str
) -> None:
    assert rule_name(BOTH, digest, path) == name


def test_what_a_rule_leaves_out_is_as_in_the_default() -> None:
    found = rules(BOTH).rule_for(GuestIdentity(digest=bytes.fromhex(A)))
    assert found.functions == {GuestFunction.DETECT_TEE}


def test_without_rules_everything_is_allowed_at_a_rate() -> None:
    default = Settings().default
    assert default.functions == frozenset(GuestFunction)
    assert dict(default.per_minute) == {
        CallClass.ATTEST: 60,
        CallClass.VERIFY: 6000,
        CallClass.OTHER: 0,
    }
    assert (default.audiences, default.user_data_prefix) == (None, b"")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            f'[guests.a]\ndigest="{A}"\n[guests.b]\ndigest="{A.upper()}"',
            "rules.toml:3:9: guests.b and guests.a are both for the same digest",
        ),
        (
            '[guests.a]\npath="/opt/*"\n[guests.b]\npath="/opt/x?.wasm"',
            "guests.b and guests.a are both for the same path",
        ),
        ("[guests.a]\nfunctions=[]", "guests.a needs either a digest or a path"),
        (f'[guests.a]\ndigest="{A}"\npath="x"', "needs either a digest or a path"),
        ('[guests.a]\npath=""', "needs either a digest or a path"),
        ('[guests.default]\npath="x"', "unknown setting guests.default.path"),
        ('[guests.default]\nfunctions=["attest-all"]', "known are detect-tee"),
        ('[guests.default]\ntargets=["gpu:01"]', "gpu:01"),
        ('[guests.default]\nuser-data-prefix="abc"', "not of the form"),
        ('[guests.default]\nminimum-status="contraindicated"', "known are none"),
        ("[guests.default]\nattest-per-minute=-1", "from 0 to"),
        ('[guests.default]\nfunction=["attest"]', "did you mean functions"),
        ('[guests."a b"]\npath="x"', "a rule's name"),
        ("guests = 1", "must be a table"),
        ("[guest.default]", r"no table \[guests\]"),
        ("[guests]\n[other]", "unknown setting other"),
    ],
)
def test_rules_that_make_no_sense_are_refused(text: str, problem: str) -> None:
    with pytest.raises(InvalidArgumentError, match=problem):
        rules(text)


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("/a", "/a", True),
        ("/a", "/b", False),
        ("*", "", True),
        ("", "", True),
        ("", "a", False),
        ("a*", "*b", True),
        ("a*c", "ab", False),
        ("a?c", "a*", True),
        ("a?", "a", False),
        ("*a*", "b*b", True),
        ("/x/*", "/y/*", False),
        ("**a", "a", True),
        ("?*", "", False),
        ("*.wasm", "/opt/*.wa?m", True),
        ("ab*", "a?b", True),
        ("ab*", "ac*", False),
    ],
)
def test_patterns_overlap_where_some_path_is_of_both(one: str, other: str, both: bool) -> None:
    assert overlap(one, other) is both
    assert overlap(other, one) is both


def test_overlap_agrees_with_every_short_path() -> None:
    words = [""]
    for _ in range(3):
        words += [word + letter for word in words for letter in "ab" if len(word) < 3]
    paths = sorted(set(words))
    patterns = [w.replace("b", "*") for w in paths] + [w.replace("a", "?") for w in paths]
    patterns += ["a*b", "?*a", "*?", "b**", "a"]
    for one in patterns:
        for other in patterns:
            # No common path of these needs more than three characters.
            found = any(matches(one, path) and matches(other, path) for path in paths)
            assert overlap(one, other) is found, (one, other)


def test_a_pattern_of_stars_is_quick() -> None:
    assert matches("*" * 255, "")
    assert not matches("*a" * 20 + "b", "a" * 60)


def test_a_bucket_holds_a_minute_and_fills_with_time() -> None:
    clock = Clock(1000.0)
    bucket = Bucket(3, clock)
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    clock.now += 19.9
    assert not bucket.take()
    clock.now += 0.2
    assert bucket.take()
    assert not bucket.take()
    clock.now += 100_000
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]


def test_a_clock_that_goes_back_gives_nothing() -> None:
    clock = Clock(1000.0)
    bucket = Bucket(1, clock)
    assert bucket.take()
    clock.now -= 500
    assert not bucket.take()
    clock.now += 59
    assert not bucket.take()


def test_no_limit_is_no_limit() -> None:
    bucket = Bucket(0, Clock())
    assert all(bucket.take() for _ in range(10_000))
