"""How a journal looks: lines and tables for people, JSON and CSV for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import cast

from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.journal.record import Head, Record
from wasmtime_attestation.journal.summary import Summary
from wasmtime_attestation.journal.verification import Expected, Findings

SCHEMA = 1
COLUMNS = (
    "seq",
    "time",
    "instance",
    "function",
    "verdict",
    "guest",
    "guest_digest",
    "target",
    "nonce_sha256",
    "audience",
    "evidence_sha256",
    "token_sha256",
    "service",
    "policy",
    "findings",
    "duration_us",
    "hash",
)
"""Of the table that `journal export --format csv` writes."""
_TOP = 20
"""Guests and checks that the summary for people names."""
_HEADER = frozenset({"schema", "seq", "time", "instance", "kind", "prev", "hash", "signature"})
# A program for tables takes what begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def instant(at: datetime) -> str:
    """Returns an instant as records write it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def line(record: Record) -> str:
    """Returns a record on one line."""
    begin = f"{record.head.sequence:>6}  {record.text('time')}  "
    if record.kind != "decision":
        said = (
            f"{name}={_short(value)}"
            for name, value in record.members.items()
            if name not in _HEADER and value is not None
        )
        return f"{begin}[{record.kind}] {' '.join(said)}"
    members = record.members
    guest = members["guest"] or members["guest_digest"] or "-"
    parts = [f"{record.text('verdict'):<11} {record.text('function'):<12}", str(guest)]
    parts += [str(members[name]) for name in ("target", "service", "policy") if members[name]]
    parts.append(f"{record.number('duration_us') / 1000:.1f} ms")
    return f"{begin}{'  '.join(parts)}{_reasons(members)}"


def _reasons(members: Mapping[str, Json]) -> str:
    return "".join(f"  {one['check']}: {one['detail']}" for one in _findings(members))


def _findings(members: Mapping[str, Json]) -> list[dict[str, str]]:
    return cast("list[dict[str, str]]", members["findings"])


def _short(value: Json) -> str:
    text = str(value["x"]) if isinstance(value, dict) else str(value)
    return text if len(text) <= 24 else f"{text[:16]}..."


def summary(counted: Summary) -> str:
    """Returns a summary for people."""
    lines = [f"{'function':<14}{'verdict':<18}{'decisions':>10}"]
    lines += [
        f"{function:<14}{verdict:<18}{count:>10}"
        for (function, verdict), count in sorted(counted.decisions.items())
    ]
    lines.append(f"\n{'function':<14}{'p50 ms':>10}{'p95 ms':>10}")
    for function in sorted(counted.durations):
        median, high = counted.percentiles(function)
        lines.append(f"{function:<14}{median / 1000:>10.1f}{high / 1000:>10.1f}")
    for title, counter in (("guest", counted.guests), ("finding", counted.findings)):
        if counter:
            lines.append(f"\n{title:<32}{'count':>10}")
            lines += [f"{_escaped(name):<32}{n:>10}" for name, n in counter.most_common(_TOP)]
    lines.append(f"\n{counted.decisions.total()} decisions, {counted.lost} lost")
    return "\n".join(lines)


def _escaped(name: str) -> str:
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name)


def findings(name: str, files: int, found: Findings) -> Iterator[str]:
    """Yields what `verify` found, for people."""
    first, head = found.first, found.head
    span = f"records {first.sequence} to {head.sequence}" if first and head else "no records"
    yield f"journal  {name}: {files} files, {span}"
    yield f"outcome  {'rejected' if found.problem else 'verified'}"
    yield "records  " + ", ".join(f"{n} {kind}" for kind, n in sorted(found.records.items()))
    yield f"head     {head or '-'}"
    signed = f"up to {found.signed}" if found.signed else "nothing"
    yield f"signed   {signed}, {found.signers.total()} checkpoints"
    for signer, count in found.signers.items():
        yield f"key      {signer} ({count} checkpoints)"
    for attestation in found.attestations:
        yield (
            f"token    record {attestation.sequence} attests {attestation.key_thumbprint}, "
            f"nonce {attestation.nonce}"
        )


def remarks(found: Findings, expected: Expected) -> Iterator[str]:
    """Yields what people must not miss, for standard error."""
    if found.cut:
        yield f"{found.cut} bytes were torn by a power cut or a kill, and cut"
    if found.lost:
        yield f"{found.lost} decisions are NOT in the journal: it could not be written"
    if found.orphans:
        yield (
            f"{found.orphans} decisions were not signed by the process that is said to have made "
            "them: it was killed, or somebody else wrote them before the next one began"
        )
    if found.problem is not None:
        place, reason = found.problem
        yield f"rejected: {place}: {reason}"
        return
    if found.signers and expected.keys is None:
        yield "signatures were checked with keys in the journal: give --key, or verify its token"
    if found.head != found.signed:
        begin = found.signed.sequence + 1 if found.signed else 1
        yield f"records from {begin} on are not signed: whoever can write the files can forge them"
    if expected.head is None:
        yield "whether records are missing at the end only --head can tell"


def as_json(name: str, found: Findings) -> dict[str, Json]:
    """Returns what `verify` found in its public JSON form."""
    problem: Json = None
    if found.problem is not None:
        place, reason = found.problem
        problem = {
            "file": str(place.file),
            "line": place.line,
            "seq": place.sequence or None,
            "check": reason.finding.check,
            "detail": reason.finding.detail,
        }
    return {
        "schema": SCHEMA,
        "outcome": "rejected" if found.problem else "verified",
        "journal": name,
        "records": dict(found.records),
        "first": _head(found.first),
        "head": _head(found.head),
        "signed": _head(found.signed),
        "keys": dict(found.signers),
        "attestations": [
            {
                "seq": attestation.sequence,
                "instance": attestation.instance,
                "key_thumbprint": attestation.key_thumbprint,
                "nonce": attestation.nonce,
            }
            for attestation in found.attestations
        ],
        "cut_bytes": found.cut,
        "lost": found.lost,
        "orphans": found.orphans,
        "problem": problem,
    }


def _head(head: Head | None) -> Json:
    return None if head is None else {"seq": head.sequence, "hash": head.digest}


def array(records: Iterator[Record]) -> Iterator[str]:
    """Yields a JSON array of records, piece by piece."""
    separator = "[\n"
    for record in records:
        yield separator + record.line.decode("ascii").rstrip("\n")
        separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"


def table(records: Iterator[Record]) -> Iterator[str]:
    """Yields the decisions as CSV (RFC 4180), piece by piece."""
    yield _row(list(COLUMNS))
    for record in records:
        if record.kind == "decision":
            yield _row([_cell(name, record.members) for name in COLUMNS])


def tokens(records: Iterator[Record]) -> Iterator[str]:
    """Yields the tokens that attest the host's keys, one a line."""
    for record in records:
        if record.kind == "attestation" and record.members["token"] is not None:
            yield f"{record.text('token')}\n"


def _cell(name: str, members: Mapping[str, Json]) -> str:
    value = members[name]
    if name == "findings":
        value = "; ".join(f"{one['check']}: {one['detail']}" for one in _findings(members))
    elif isinstance(value, list):
        value = " ".join(map(str, value))
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _row(cells: list[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
