"""`verify --batch`: one verification a line, one report a line, in the order of the lines."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import BinaryIO, NamedTuple

import click

from wasmtime_attestation.batch.ordered import CHUNK, HEAVY, Failure, in_order, processes
from wasmtime_attestation.batch.terms import Terms
from wasmtime_attestation.cli import batch_line
from wasmtime_attestation.cli.batch_line import Line
from wasmtime_attestation.cli.report import SCHEMA, as_json_text
from wasmtime_attestation.cli.terminal import say
from wasmtime_attestation.embedding.examination import Request, examine
from wasmtime_attestation.errors import (
    CASES,
    AttestationError,
    InternalError,
    InvalidArgumentError,
    RejectedError,
)
from wasmtime_attestation.evidence.strict_json import Json

VERIFIED = "verified"
_SIMULATED = "SIMULATED"

# From the best to the worst; the exit code is that of the worst line.
_OUTCOMES = (
    VERIFIED,
    "unavailable",
    "unsupported",
    "denied",
    "policy",
    "rejected",
    "invalid-argument",
    "internal",
)
_EXIT_CODES = {case.case: case.exit_code for case in CASES} | {VERIFIED: 0}
_PROGRESS_EVERY = 0.5
"""Seconds."""


class Answer(NamedTuple):
    """A line of output: the report, and what counts for the summary."""

    outcome: str
    simulated: bool
    text: str


def run(file: BinaryIO, request: Request, workers: int) -> int:
    """Verifies every line of a file and prints the reports.

    Args:
        file: the lines.
        request: what holds for every line that does not say otherwise; its data is ignored.
        workers: how many processes; with one, each line is answered before the next is read.

    Returns:
        the exit code of the worst outcome.
    """
    lines = batch_line.read(file)
    if workers > 1:
        first, more = _first(lines)
        lines = chain(first, lines)
        workers = workers if more else 1
    counts: Counter[str] = Counter()
    progress = _Progress(counts)
    with _executor(workers) as executor:
        for answer in _answers(lines, request, executor):
            counts[answer.outcome] += 1
            counts[_SIMULATED] += answer.simulated
            sys.stdout.write(f"{answer.text}\n")
            if executor is None:
                sys.stdout.flush()
            progress.show()
    progress.end()
    say(_summary(counts))
    outcomes = [outcome for outcome in _OUTCOMES if counts[outcome]]
    return _EXIT_CODES[outcomes[-1]] if outcomes else 0


def _first(lines: Iterator[Line]) -> tuple[list[Line], bool]:
    """Reads what is too little for several processes; says whether there may be more."""
    first: list[Line] = []
    for line in lines:
        first.append(line)
        if len(first) > CHUNK or sum(map(_weight, first)) >= HEAVY:
            return first, True
    return first, False


def _answers(
    lines: Iterable[Line], request: Request, executor: Executor | None
) -> Iterator[Answer]:
    work = partial(_answer, Terms(replace(request, data=b"")))
    for answer in in_order(work, lines, executor, weigh=_weight):
        if isinstance(answer, Failure):
            yield _broken(f"{request.name}:{answer.item.number}", InternalError(answer.reason))
        else:
            yield answer


def _weight(line: Line) -> int:
    return len(line.text or b"")


def _answer(terms: Terms[Request], line: Line) -> Answer:
    """Verifies one line; every outcome is an answer."""
    name = f"{terms.value.name}:{line.number}"
    id_ = None
    try:
        members = batch_line.decode(line)
        id_ = batch_line.id_of(members)
        request = batch_line.request_of(terms, members, name)
    except ValueError as error:
        return _broken(name, RejectedError.of("input.format", f"the line is no item: {error}"), id_)
    except InvalidArgumentError as error:
        return _broken(name, error, id_)
    try:
        report = examine(request)
    except AttestationError as error:
        return _broken(name, error, id_)
    return _printed(report.outcome, as_json_text(report), id_, simulated=report.simulated)


def _broken(name: str, error: AttestationError, id_: str | None = None) -> Answer:
    """Answers for a line of which there is no report."""
    findings = error.findings if isinstance(error, RejectedError) else ()
    members: dict[str, Json] = {
        "schema": SCHEMA,
        "outcome": error.case,
        "input": {"name": name},
        "checks": [
            {"id": finding.check, "outcome": "failed", "detail": finding.detail}
            for finding in findings
        ],
        "claims": None,
        "appraisal": None,
        "error": error.message,
    }
    return _printed(error.case, members, id_, simulated=False)


def _printed(outcome: str, members: dict[str, Json], id_: str | None, *, simulated: bool) -> Answer:
    return Answer(outcome, simulated, json.dumps(members if id_ is None else {"id": id_} | members))


@contextmanager
def _executor(workers: int) -> Iterator[Executor | None]:
    if workers <= 1:
        yield None
        return
    executor = processes(workers)
    try:
        yield executor
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def available_workers() -> int:
    """Returns how many processors there are for this process."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _summary(counts: Counter[str]) -> str:
    total = sum(counts[outcome] for outcome in _OUTCOMES)
    parts = [f"{counts[outcome]:,} {outcome}" for outcome in _OUTCOMES if counts[outcome]]
    if counts[_SIMULATED]:
        parts.append(f"{counts[_SIMULATED]:,} SIMULATED: ends at a root given by --trust")
    return f"{total:,} lines: {', '.join(parts) or 'nothing to verify'}"


class _Progress:
    """Says now and then how far it is, where somebody looks."""

    def __init__(self, counts: Counter[str]) -> None:
        self._counts = counts
        self._seen = sys.stderr.isatty()
        self._next = time.monotonic() + _PROGRESS_EVERY

    def show(self) -> None:
        if self._seen and time.monotonic() >= self._next:
            self._next = time.monotonic() + _PROGRESS_EVERY
            click.echo(f"\r{_summary(self._counts)}", err=True, nl=False)

    def end(self) -> None:
        if self._seen:
            click.echo("\r\033[K", err=True, nl=False)
