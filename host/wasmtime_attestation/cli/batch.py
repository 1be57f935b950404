"""`verify --batch`: one verification a line, one report a line, in the order of the lines."""

from __future__ import annotations

import base64
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import chain, islice
from typing import BinaryIO

import click

from wasmtime_attestation.batch.ordered import CHUNK, Failure, in_order, processes
from wasmtime_attestation.batch.shared import Shared
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.cli.report import SCHEMA, as_json_text
from wasmtime_attestation.cli.terminal import say
from wasmtime_attestation.cli.verification import Request, examine
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.errors import (
    CASES,
    AttestationError,
    InternalError,
    InvalidArgumentError,
    RejectedError,
)
from wasmtime_attestation.evidence import strict_json
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.memo import recall

MAX_LINE = 8 << 20
"""Bytes in a line: the largest evidence in hex, and room for endorsements."""
MAX_ID = 256
"""Characters in an `id`."""
VERIFIED = "verified"
_SIMULATED = "SIMULATED"

# From the best to the worst; the exit code is that of the worst line.
_OUTCOMES = (VERIFIED, "unavailable", "policy", "rejected", "invalid-argument", "internal")
_EXIT_CODES = {case.case: case.exit_code for case in CASES} | {VERIFIED: 0}
_MEMBERS = {"id", "evidence", "token", "endorsements", "report_data", "nonce", "audience"}
_PROGRESS_EVERY = 0.5
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of input and its number; None in place of one that is too long."""

    number: int
    text: bytes | None


@dataclass(frozen=True, slots=True)
class Answer:
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
    lines = _lines(file)
    if workers > 1:
        first = list(islice(lines, CHUNK + 1))
        lines = chain(first, lines)
        workers = workers if len(first) > CHUNK else 1
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


def _answers(
    lines: Iterable[Line], request: Request, executor: Executor | None
) -> Iterator[Answer]:
    work = partial(_answer, Shared(replace(request, data=b"")))
    for answer in in_order(work, lines, executor, weigh=_weight):
        if isinstance(answer, Failure):
            yield _broken(f"{request.name}:{answer.item.number}", InternalError(answer.reason))
        else:
            yield answer


def _weight(line: Line) -> int:
    return len(line.text or b"")


def _lines(file: BinaryIO) -> Iterator[Line]:
    """Reads line by line, however long they are; empty ones count and are left out."""
    number = 0
    while text := file.readline(MAX_LINE + 1):
        number += 1
        if len(text) > MAX_LINE and not text.endswith(b"\n"):
            while (rest := file.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                pass
            yield Line(number, None)
        elif text.strip():
            yield Line(number, text)


def _answer(shared: Shared[Request], line: Line) -> Answer:
    """Verifies one line; every outcome is an answer."""
    name = f"{shared.value.name}:{line.number}"
    id_ = None
    try:
        members = _members(line)
        id_ = _id(members)
        request = _request(shared, members, name)
    except ValueError as error:
        return _broken(name, RejectedError.of("input.format", f"the line is no item: {error}"), id_)
    except InvalidArgumentError as error:
        return _broken(name, error, id_)
    try:
        report = examine(request)
    except AttestationError as error:
        return _broken(name, error, id_)
    return _printed(report.outcome, as_json_text(report), id_, simulated=report.simulated)


def _members(line: Line) -> dict[str, Json]:
    if line.text is None:
        raise ValueError(f"it has more than {MAX_LINE} bytes")
    members = strict_json.loads(line.text)
    if not isinstance(members, dict):
        raise ValueError("it is no JSON object")
    if unknown := sorted(members.keys() - _MEMBERS):
        raise ValueError(f"it has members that are not known: {strict_json.brief([*unknown])}")
    if len(members.keys() & {"evidence", "token"}) != 1:
        raise ValueError("it must have either evidence or a token")
    return members


def _id(members: dict[str, Json]) -> str | None:
    return _text(members, "id", MAX_ID) if "id" in members else None


def _request(shared: Shared[Request], members: dict[str, Json], name: str) -> Request:
    """Returns what a line asks for; what it does not say holds as for all."""
    common = shared.value
    expected = common.expected
    if "nonce" in members:
        expected = replace(expected, nonce=_hex(members, "nonce", range(8, 65)))
    if "audience" in members:
        expected = replace(expected, audience=_text(members, "audience", MAX_ID))
    return replace(
        common,
        name=name,
        data=_data(members),
        endorsements=_endorsements(shared, members),
        expected=expected,
        report_data=(
            _hex(members, "report_data", range(64, 65))
            if "report_data" in members
            else common.report_data
        ),
        memo=shared.memo,
    )


def _data(members: dict[str, Json]) -> bytes:
    """A document may stand in a line as it is, or as text."""
    value = members["token"] if "token" in members else members["evidence"]
    if isinstance(value, dict | list):
        return json.dumps(value).encode()
    if not isinstance(value, str):
        raise ValueError("evidence and token are text, and evidence may be a JSON document")
    return value.encode()


def _endorsements(shared: Shared[Request], members: dict[str, Json]) -> Endorsements:
    common = shared.value.endorsements
    texts = members.get("endorsements", [])
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError("endorsements is no list of texts")
    if not texts:
        return common
    given = tuple(map(str, texts))
    return recall(shared.memo, _read, given, common, at=shared.value.at, ledger=Ledger())


def _read(
    texts: tuple[str, ...], common: Endorsements, at: datetime, ledger: Ledger
) -> Endorsements:
    """Reads the endorsements of a line: PEM, hex, Intel's JSON, or a file in base64."""
    del at, ledger
    files = [(f"endorsements[{index}]", _file(text)) for index, text in enumerate(texts)]
    found = Endorsements.from_files(files) + common
    found.check_size()
    return found


def _file(text: str) -> bytes:
    data = text.strip().encode()
    if data.startswith((b"{", b"-----BEGIN ")) or set(data) <= set(b"0123456789abcdefABCDEF"):
        return data
    return base64.b64decode(data, validate=True)


def _text(members: dict[str, Json], name: str, most: int) -> str:
    value = members[name]
    if not isinstance(value, str) or len(value) > most:
        raise ValueError(f"{name} is no text of at most {most} characters")
    return value


def _hex(members: dict[str, Json], name: str, sizes: range) -> bytes:
    data = bytes.fromhex(_text(members, name, 2 * sizes[-1]))
    if len(data) not in sizes:
        raise ValueError(f"{name} has {len(data)} bytes, not {sizes[0]} to {sizes[-1]}")
    return data


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
