"""Works on many items with an executor: results in order, and one bad item costs no other.

Only as much of the input is read as is worked on, so it may be endless.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

CHUNK = 64
"""Items that go to a worker together."""
AHEAD = 8
"""Chunks that are under way at once."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Failure:
    """An item that could not be worked on, and why."""

    reason: str


def in_order(
    work: Callable[[T], R],
    items: Iterable[T],
    executor: Executor | None = None,
    *,
    chunk: int = CHUNK,
    ahead: int = AHEAD,
) -> Iterator[R | Failure]:
    """Yields what the work makes of each item, in the order of the items.

    Args:
        work: what is done with one item; other processes must be able to import it.
        items: are read as they are needed.
        executor: of any kind; None works here, item by item. A pool of processes that an item
            breaks is replaced by one of the same size, which is shut down at the end.
        chunk: how many items go to a worker together.
        ahead: how many chunks are under way at once.

    Yields:
        a result, or a failure where the work raised or its process died.
    """
    if executor is None:
        for item in items:
            yield from _work_on(work, (item,))
        return
    line = _Line(work, executor)
    try:
        yield from line.run(iter(items), chunk, ahead)
    finally:
        line.close()


def _work_on(work: Callable[[T], R], items: Sequence[T]) -> list[R | Failure]:
    """Works on items within a worker; whatever one raises is its own affair."""
    results: list[R | Failure] = []
    for item in items:
        try:
            results.append(work(item))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - it must not cost the others
            results.append(Failure(f"{type(error).__name__}: {error}"))
    return results


class _Line(Generic[T, R]):
    """The chunks under way, first in, first out."""

    def __init__(self, work: Callable[[T], R], executor: Executor) -> None:
        self._work = work
        self._executor = executor
        self._own: list[Executor] = []
        self._chunks: deque[tuple[tuple[T, ...], Future[list[R | Failure]] | None]] = deque()

    def run(self, items: Iterator[T], chunk: int, ahead: int) -> Iterator[R | Failure]:
        while True:
            while len(self._chunks) < ahead and (taken := tuple(islice(items, chunk))):
                self._chunks.append((taken, self._submit(taken)))
            if not self._chunks:
                return
            yield from self._results(*self._chunks.popleft())

    def close(self) -> None:
        """Gives up what is under way."""
        for _, future in self._chunks:
            if future is not None:
                future.cancel()
        for executor in self._own:
            executor.shutdown(wait=False, cancel_futures=True)

    def _submit(self, items: tuple[T, ...]) -> Future[list[R | Failure]] | None:
        """Hands a chunk over; returns None where the pool is broken."""
        try:
            return self._executor.submit(_work_on, self._work, items)
        except BrokenExecutor:
            return None

    def _results(
        self, items: tuple[T, ...], future: Future[list[R | Failure]] | None
    ) -> Iterable[R | Failure]:
        if future is None:
            return self._one_by_one(items)
        try:
            return future.result()
        except CancelledError:
            raise
        except Exception:  # noqa: BLE001 - an item killed the worker, or cannot travel
            return self._one_by_one(items)

    def _one_by_one(self, items: tuple[T, ...]) -> Iterator[R | Failure]:
        """Works on each item alone, so that the one at fault is known."""
        self._mend()
        alone = self._pool(1)
        for item in items:
            try:
                yield from alone.submit(_work_on, self._work, (item,)).result()
            except BrokenExecutor:
                yield Failure("the process that worked on it died")
                alone = self._pool(1)
            except CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - such as one that cannot be pickled
                yield Failure(f"{type(error).__name__}: {error}")

    def _mend(self) -> None:
        """Replaces a pool that is broken; the chunks that it lost come back one by one."""
        try:
            self._executor.submit(_nothing).result()
        except BrokenExecutor:
            self._executor = self._pool(getattr(self._executor, "_max_workers", None))

    def _pool(self, workers: int | None) -> Executor:
        context = multiprocessing.get_context("spawn")
        self._own.append(ProcessPoolExecutor(workers, mp_context=context))
        return self._own[-1]


def _nothing() -> None:
    """Shows that a pool is alive."""
