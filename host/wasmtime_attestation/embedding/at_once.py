"""Many runs at once, in the threads of an executor, with the results in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import TypeVar

from wasmtime_attestation.embedding.stopping import Stop, stop_with
from wasmtime_attestation.errors import InvalidArgumentError

T = TypeVar("T")
R = TypeVar("R")
AHEAD = 2
"""Items that are taken for each worker before the first result is."""


def in_order(
    work: Callable[[T, Stop], R],
    items: Iterable[T],
    *,
    workers: int | None,
    executor: Executor | None,
) -> Iterator[R]:
    """Works on items; results come in the order of the items, and few items wait.

    Args:
        work: works on an item until it is done, or told to stop.
        items: any number.
        workers: how many at a time; None for as many as there are processors.
        executor: of threads, which works instead of new ones.

    Raises:
        InvalidArgumentError: the executor is one of processes, or there are no workers.
    """
    if workers is not None and workers < 1:
        raise InvalidArgumentError(f"{workers} workers can run nothing")
    if executor is not None:
        _check_threads(executor)
    return _in_order(work, items, workers or os.cpu_count() or 1, executor)


def _in_order(
    work: Callable[[T, Stop], R], items: Iterable[T], workers: int, executor: Executor | None
) -> Iterator[R]:
    from concurrent.futures import ThreadPoolExecutor  # queues, which a single run needs not

    pool = executor or ThreadPoolExecutor(workers, thread_name_prefix="guest")
    stop: Stop = Future()
    waiting: deque[Future[R]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item, stop))
            if len(waiting) > AHEAD * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        stop_with(stop, "whoever waited for the guest wants no more")
        for future in waiting:
            future.cancel()
        if executor is None:
            pool.shutdown()


def _check_threads(executor: Executor) -> None:
    from concurrent.futures import ProcessPoolExecutor  # multiprocessing, which few need

    if isinstance(executor, ProcessPoolExecutor):
        raise InvalidArgumentError(
            "a host and its key live in one process: give an executor of threads, which use all "
            "processors, since guests run outside of Python's lock"
        )
