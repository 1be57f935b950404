"""Results come in order from any executor, with bounded memory, whatever an item does."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from functools import partial
from itertools import count, islice
from pathlib import Path

import pytest
from wasmtime_attestation.batch.ordered import AHEAD, CHUNK, HEAVY, Failure, in_order, processes


def square(number: int) -> int:
    if number < 0:
        raise ValueError(f"{number} is negative")
    return number * number


def leave(number: int) -> int:
    return sys.exit(number) if number == 1 else number


def die(number: int) -> int:
    if number == 70:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def unpicklable(number: int) -> object:
    return (lambda: number) if number == 1 else number


def dawdle(number: int) -> int:
    time.sleep(0.02 if number % CHUNK == 0 else 0)
    return number


def whoever(_number: int) -> int:
    return os.getpid()


@pytest.fixture(params=["here", "threads", "processes"])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor | None]:
    if request.param == "here":
        yield None
        return
    with ThreadPoolExecutor(2) if request.param == "threads" else processes(2) as pool:
        yield pool


def test_results_come_in_the_order_of_the_items(executor: Executor | None) -> None:
    assert list(in_order(square, range(500), executor)) == [n * n for n in range(500)]
    assert list(in_order(dawdle, range(500), executor)) == [*range(500)]
    assert list(in_order(square, [], executor)) == []


def test_an_item_that_raises_costs_no_other(executor: Executor | None) -> None:
    results = list(in_order(square, [1, -2, 3], executor))

    assert results == [1, Failure(-2, "ValueError: -2 is negative"), 9]
    assert list(in_order(leave, [0, 1, 2], executor)) == [0, Failure(1, "SystemExit: 1"), 2]


class Counted:
    """An endless input that knows how much of it was read."""

    def __init__(self) -> None:
        self.read = 0

    def __iter__(self) -> Iterator[int]:
        for self.read in count(1):
            yield self.read


def test_an_endless_input_is_read_as_it_is_worked_on(executor: Executor | None) -> None:
    items = Counted()

    results = in_order(square, items, executor)
    assert list(islice(results, 1000)) == [n * n for n in range(1, 1001)]
    results.close()  # type: ignore[attr-defined]

    assert items.read <= 1000 + CHUNK * (AHEAD + 1)


def test_heavy_items_go_in_small_chunks() -> None:
    items = Counted()
    with ThreadPoolExecutor(1) as executor:
        results = in_order(square, items, executor, weigh=lambda _: HEAVY)
        next(results)
        results.close()  # type: ignore[attr-defined]

    assert items.read <= AHEAD + 1


def test_an_item_that_kills_its_process_costs_no_other() -> None:
    with processes(2) as executor:
        results = list(in_order(die, range(300), executor))

    assert results[70] == Failure(70, "the process that worked on it died")
    assert [*results[:70], *results[71:]] == [*range(70), *range(71, 300)]


def die_often(number: int) -> int:
    if number % CHUNK == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def test_items_that_kill_their_process_leave_none_behind() -> None:
    most = 0
    with processes(1) as executor:
        for result in in_order(die_often, range(CHUNK * 5), executor):
            most = max(most, len(multiprocessing.active_children()))
            assert not isinstance(result, Failure) or result.item % CHUNK == 5

    # A pool, and one process for those that may be at fault.
    assert most <= 2


class BrokenError(Exception):
    pass


def breaking(count: int) -> Iterator[int]:
    yield from range(count)
    raise BrokenError


@pytest.mark.parametrize("count", [0, 3, CHUNK, CHUNK * AHEAD + 3])
def test_what_came_before_an_input_broke_is_worked_on(
    executor: Executor | None, count: int
) -> None:
    results = in_order(square, breaking(count), executor)

    assert list(islice(results, count)) == [n * n for n in range(count)]
    with pytest.raises(BrokenError):
        next(results)


def test_a_pool_that_is_broken_from_the_start_is_replaced() -> None:
    with processes(1) as executor:
        with pytest.raises(Exception, match="terminated abruptly"):
            executor.submit(die, 70).result()

        assert list(in_order(square, range(100), executor)) == [n * n for n in range(100)]


def test_what_cannot_travel_costs_no_other() -> None:
    with processes(1) as executor:
        results = list(in_order(unpicklable, [0, 1, 2], executor))
        sent = list(in_order(isinstance_of_int, [0, Path, open_file()], executor))

    assert results[0] == 0
    assert results[2] == 2
    assert isinstance(results[1], Failure)
    assert "pickle" in results[1].reason
    assert sent[:2] == [True, False]
    assert isinstance(sent[2], Failure)


def isinstance_of_int(value: object) -> bool:
    return isinstance(value, int)


def open_file() -> object:
    return (n for n in range(3))


class Dask(Executor):
    """Like a cluster of Dask's: a task that kills its worker fails alone, and the others go on."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)

    def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN002, ANN003, ANN201
        return self._pool.submit(self._run, fn, args, kwargs)

    @staticmethod
    def _run(fn, args, kwargs):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN205
        if any(isinstance(arg, tuple) and 70 in arg for arg in args):
            raise KeyError("KilledWorker")
        return fn(*args, **kwargs)


def test_a_task_that_a_cluster_gave_up_costs_no_other() -> None:
    results = list(in_order(die, range(300), Dask()))

    assert results[70] == Failure(70, "the process that worked on it died")
    assert [*results[:70], *results[71:]] == [*range(70), *range(71, 300)]


class Cancelling(Executor):
    """An executor whose owner has given up."""

    def __init__(self) -> None:
        self.futures: list[Future[object]] = []

    def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN002, ANN003, ANN201
        del fn, args, kwargs
        future: Future[object] = Future()
        future.cancel()
        self.futures.append(future)
        return future


def test_cancelling_ends_the_batch() -> None:
    with pytest.raises(CancelledError):
        list(in_order(square, range(1000), Cancelling()))


def test_who_stops_listening_cancels_what_is_under_way() -> None:
    with ThreadPoolExecutor(1) as executor:
        results = in_order(partial(pause, 0.001), range(10_000), executor)
        next(results)
        begin = time.monotonic()
        results.close()  # type: ignore[attr-defined]

    assert time.monotonic() - begin < AHEAD * CHUNK * 0.001 * 2


def pause(seconds: float, number: int) -> int:
    time.sleep(seconds)
    return number


def test_processes_work_at_the_same_time() -> None:
    with processes(2) as executor:
        workers = set(in_order(whoever, range(2000), executor))

    assert os.getpid() not in workers
    assert 1 <= len(workers) <= 2
