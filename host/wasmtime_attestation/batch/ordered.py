"""Works on many items with an executor: results in order, and one bad item costs no other.

Only as much of the input is read as is worked on, so it may be endless.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

CHUNK = 128
"""Items that go to a worker together."""
AHEAD = 8
"""Chunks that are under way at once."""
HEAVY = 1 << 20
"""The weight from which a chunk is full."""

T = TypeVar("T")
R = TypeVar("R")
Together = Callable[[], list[Any]]


@dataclass(frozen=True, slots=True)
class Failure(Generic[T]):
    """An item that could not be worked on, and why."""

    item: T
    reason: str


@dataclass(frozen=True, slots=True)
class _Raised:
    """What the work raised, as it comes from a worker: an exception may not travel."""

    reason: str


def in_order(
    work: Callable[[T], R],
    items: Iterable[T],
    executor: Executor | None = None,
    *,
    weigh: Callable[[T], int] | None = None,
    together: Together = list,
) -> Iterator[R | Failure[T]]:
    """Yields what the work makes of each item, in the order of the items.

    Args:
        work: what is done with one item; other processes must be able to import it.
        items: are read as they are needed.
        executor: of any kind; None works here, item by item. A pool of processes that an item
            breaks is replaced by one of the same size, which is shut down at the end.
        weigh: about how many bytes an item has, where they may be many.
        together: makes the list in which the results of several items come from a worker.

    Yields:
        a result, or a failure where the work raised or its process died.
    """
    if executor is None:
        for item in items:
            yield from _with_items((item,), _work_on(work, (item,)))
        return
    line = _Line(partial(_work_on, work, together=together), executor)
    try:
        yield from line.run(_chunks(items, weigh or _weightless))
    finally:
        line.close()


def processes(workers: int | None) -> Executor:
    """Returns a pool of processes that leave Ctrl-C to the one that made it."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, context, _ignore_interrupts)


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _work_on(
    work: Callable[[T], R], items: Sequence[T], *, together: Together = list
) -> list[R | _Raised]:
    """Works on items within a worker; whatever one raises is its own affair."""
    results: list[R | _Raised] = together()
    for item in items:
        try:
            results.append(work(item))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - it must not cost the others
            results.append(_Raised(f"{type(error).__name__}: {error}"))
    return results


def _with_items(items: Sequence[T], results: Sequence[R | _Raised]) -> Iterator[R | Failure[T]]:
    for item, result in zip(items, results, strict=True):
        yield Failure(item, result.reason) if isinstance(result, _Raised) else result


def _weightless(_item: object) -> int:
    return 0


def _chunks(items: Iterable[T], weigh: Callable[[T], int]) -> Iterator[tuple[T, ...] | Exception]:
    """Yields chunks, and last what the items raised: what came before is worked on all the same."""
    chunk: list[T] = []
    weight = 0
    ended: Exception | None = None
    try:
        for item in items:
            chunk.append(item)
            weight += weigh(item)
            if len(chunk) == CHUNK or weight >= HEAVY:
                yield tuple(chunk)
                chunk, weight = [], 0
    except Exception as error:  # noqa: BLE001 - it is raised when its turn has come
        ended = error
    if chunk:
        yield tuple(chunk)
    if ended is not None:
        yield ended


class _Line(Generic[T, R]):
    """The chunks under way, first in, first out."""

    def __init__(
        self, work: Callable[[Sequence[T]], list[R | _Raised]], executor: Executor
    ) -> None:
        self._work = work
        self._executor = executor
        self._mended: Executor | None = None
        self._alone: Executor | None = None
        self._chunks: deque[tuple[tuple[T, ...], Future[list[R | _Raised]] | None]] = deque()

    def run(self, chunks: Iterator[tuple[T, ...] | Exception]) -> Iterator[R | Failure[T]]:
        ended: Exception | None = None
        for chunk in chunks:
            if isinstance(chunk, Exception):
                ended = chunk
                break
            self._chunks.append((chunk, self._submit(chunk)))
            if len(self._chunks) == AHEAD:
                yield from self._results(*self._chunks.popleft())
        while self._chunks:
            yield from self._results(*self._chunks.popleft())
        if ended is not None:
            raise ended

    def close(self) -> None:
        """Gives up what is under way."""
        for _, future in self._chunks:
            if future is not None:
                future.cancel()
        for executor in (self._mended, self._alone):
            if executor is not None:
                executor.shutdown(wait=False, cancel_futures=True)

    def _submit(self, items: tuple[T, ...]) -> Future[list[R | _Raised]] | None:
        """Hands a chunk over; returns None where the pool is broken."""
        try:
            return self._executor.submit(self._work, items)
        except BrokenExecutor:
            return None

    def _results(
        self, items: tuple[T, ...], future: Future[list[R | _Raised]] | None
    ) -> Iterator[R | Failure[T]]:
        try:
            results = future.result() if future else None
        except CancelledError:
            raise
        except Exception:  # noqa: BLE001 - an item killed the worker, or cannot travel
            results = None
        if results is None:
            return self._one_by_one(items)
        return _with_items(items, results)

    def _one_by_one(self, items: tuple[T, ...]) -> Iterator[R | Failure[T]]:
        """Works on each item alone, so that the one at fault is known."""
        self._mend()
        for item in items:
            # The same process for one chunk after the other, until an item kills it.
            self._alone = self._alone or processes(1)
            try:
                results = self._alone.submit(self._work, (item,)).result()
            except BrokenExecutor:
                results = [_Raised("the process that worked on it died")]
                self._alone = None
            except CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - such as one that cannot be pickled
                results = [_Raised(f"{type(error).__name__}: {error}")]
            yield from _with_items((item,), results)

    def _mend(self) -> None:
        """Replaces a pool that is broken; the chunks that it lost come back one by one."""
        try:
            self._executor.submit(_nothing).result()
        except BrokenExecutor:
            workers = getattr(self._executor, "_max_workers", None)
            self._executor = self._mended = processes(workers)


def _nothing() -> None:
    """Shows that a pool is alive."""
