"""A span has exactly the instants at which a computation comes out the same."""

# ruff: noqa: SIM300
# Which side the instant stands on is what is tested.
from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasmtime_attestation.memo.instant import ObservedInstant, has_zone, worded

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ZONE = timezone(2 * HOUR)

Computation = Callable[[datetime], object]


def observed(computation: Computation) -> tuple[object, ObservedInstant]:
    at = ObservedInstant.of(AT)
    return computation(at), at


def holds(computation: Computation, at: datetime) -> bool:
    value, instant = observed(computation)
    assert value == computation(AT)
    return instant.span.holds(at)


@pytest.mark.parametrize(
    "comparison",
    [
        lambda at: at <= AT + HOUR,
        lambda at: at < AT + HOUR,
        lambda at: AT + HOUR >= at,
        lambda at: AT + HOUR > at,
        lambda at: AT - HOUR <= at < AT + HOUR,
        lambda at: not at >= AT + HOUR,
        lambda at: max(at, AT + HOUR) == AT + HOUR,
        lambda at: sorted([AT + HOUR, at])[0] is at,
    ],
)
def test_a_comparison_holds_until_the_other_instant(comparison: Computation) -> None:
    assert holds(comparison, AT)
    assert holds(comparison, AT + HOUR - timedelta.resolution)
    assert holds(comparison, AT.astimezone(ZONE))
    assert not holds(comparison, AT + HOUR)
    assert not holds(comparison, AT + 2 * HOUR)


def test_what_is_compared_with_nothing_holds_for_ever() -> None:
    assert holds(lambda _: 1, AT + 10_000 * HOUR)


@pytest.mark.parametrize(
    "use",
    [
        lambda at: at.isoformat(),
        lambda at: at.year,
        lambda at: at.timestamp(),
        lambda at: at.astimezone(ZONE),
        lambda at: at.replace(hour=1),
        lambda at: at.utctimetuple(),
        lambda at: at + HOUR,
        lambda at: HOUR + at,
        lambda at: at - HOUR,
        lambda at: at - AT,
        lambda at: AT - at,
        lambda at: at == AT + HOUR,
        lambda at: at != AT + HOUR,
        lambda at: AT + HOUR == at,
        lambda at: at in {AT + HOUR},
        hash,
        str,
        repr,
        lambda at: f"{at}",
        lambda at: f"{at:%H}",
        lambda at: pickle.loads(pickle.dumps(at)),  # noqa: S301
        lambda at: at <= AT,
        lambda at: at < AT,
        lambda at: AT >= at,
        lambda at: getattr(at, "hour"),  # noqa: B009
        lambda at: datetime.combine(at.date(), at.timetz()),
        ObservedInstant.of,
    ],
)
def test_any_other_use_holds_for_the_instant_alone(use: Computation) -> None:
    assert holds(use, AT)
    assert not holds(use, AT + timedelta.resolution)
    assert not holds(use, AT - timedelta.resolution)


def test_what_is_written_holds_in_its_time_zone_alone() -> None:
    assert not holds(lambda at: at.isoformat(), AT.astimezone(ZONE))


@pytest.mark.parametrize("use", [lambda at: at + HOUR, lambda at: at - HOUR, lambda at: HOUR + at])
def test_what_is_made_of_it_is_ordinary(use: Computation) -> None:
    value, _ = observed(use)
    assert type(value) is datetime


def test_an_instant_without_a_zone_cannot_be_compared_as_ever() -> None:
    with pytest.raises(TypeError):
        observed(lambda at: at < AT.replace(tzinfo=None))


MINUTES = st.integers(-20, 20)
BOUNDS = st.lists(st.tuples(MINUTES, st.sampled_from(["<", "<=", ">", ">="])), max_size=6)


@given(BOUNDS, MINUTES)
def test_where_a_span_holds_every_comparison_comes_out_the_same(
    bounds: list[tuple[int, str]], minute: int
) -> None:
    def compare(at: datetime) -> list[bool]:
        results = []
        for bound, operator in bounds:
            other = AT + timedelta(minutes=bound)
            results.append(
                {"<": at < other, "<=": at <= other, ">": other < at, ">=": other <= at}[operator]
            )
        return results

    later = AT + timedelta(minutes=minute)
    if holds(compare, later):
        assert compare(later) == compare(AT)


def test_words_are_part_of_what_comes_out_unless_they_are_not() -> None:
    for words in (True, False):
        at = ObservedInstant.of(AT, words=words)
        assert at < AT + HOUR
        assert f"{worded(at)}" == f"{AT}"
        assert at.span.holds(AT + HOUR / 2) is not words


def test_a_time_zone_says_nothing_of_the_instant() -> None:
    at = ObservedInstant.of(AT)
    assert has_zone(at)
    assert at.span.holds(AT + HOUR)
    assert has_zone(AT)
    assert not has_zone(AT.replace(tzinfo=None))


@pytest.mark.parametrize("other", [AT + HOUR, AT - HOUR, AT + HOUR / 7, AT + timedelta(days=3)])
def test_the_seconds_of_a_span_are_those_that_it_holds_for(other: datetime) -> None:
    at = ObservedInstant.of(AT)
    assert isinstance(at < other, bool)
    here, seconds = int(AT.timestamp()), at.span.seconds()
    for second in (*range(here - 3605, here - 3595), *range(here - 3, here + 3700)):
        assert (second in seconds) is at.span.holds(datetime.fromtimestamp(second, UTC))
    assert len(seconds) <= 2 * 86_400


def test_a_pinned_instant_has_one_second() -> None:
    at = ObservedInstant.of(AT)
    assert at.year == 2026
    assert list(at.span.seconds()) == [int(AT.timestamp())]
