"""Records: their one form, what they say, what they cannot say, and what is no record."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasmtime_attestation.errors import (
    CASES,
    AttestationError,
    DeniedError,
    Finding,
    InternalError,
    InvalidArgumentError,
    PolicyError,
    RejectedError,
    UnavailableError,
    UnsupportedError,
)
from wasmtime_attestation.journal import form, record
from wasmtime_attestation.journal.decision import (
    Decision,
    Function,
    Verdict,
    findings_of,
    sha256,
    verdict_of,
)
from wasmtime_attestation.journal.record import MAX_LINE, BadRecordError, read, write

from tests.journal.kept import DECISION, DENIED, Members, keep, lines_of, sealed

INSTANCE, TIME = "0" * 32, "2026-03-01T00:00:00.000000Z"
texts = st.text(max_size=400)
anything = st.characters()  # surrogates too
digests = st.none() | st.binary(min_size=32, max_size=32)
findings = st.builds(Finding, st.text(anything, max_size=200), st.text(anything, max_size=400))
decisions = st.builds(
    Decision,
    function=st.sampled_from(Function),
    verdict=st.sampled_from(Verdict),
    guest=st.none() | st.text(anything, max_size=200),
    guest_digest=digests,
    target=st.none() | texts,
    nonce_sha256=digests,
    audience=st.none() | st.text(anything, max_size=400),
    evidence_sha256=st.lists(st.binary(min_size=32, max_size=32), max_size=70).map(tuple),
    token_sha256=digests,
    service=st.none() | texts,
    policy=st.none() | texts,
    findings=st.lists(findings, max_size=20).map(tuple),
    duration=st.integers(-5, 2**40),
)


def line_of(decision: Decision) -> bytes:
    header = {"time": TIME, "instance": INSTANCE, "kind": "decision"}
    return write(7, {**header, **decision.members(), "prev": "1" * 64}).line


def test_a_record_is_what_the_documentation_says(tmp_path: Path) -> None:
    (path,) = keep(tmp_path / "journal", 2)
    opened, denied, decision, checkpoint = map(json.loads, lines_of(path))
    assert [one["seq"] for one in (opened, denied, decision, checkpoint)] == [1, 2, 3, 4]
    assert list(decision) == [
        *("schema", "seq", "time", "instance", "kind", "function", "verdict", "guest"),
        *("guest_digest", "target", "nonce_sha256", "audience", "evidence_sha256"),
        *("token_sha256", "service", "policy", "findings", "duration_us", "prev", "hash"),
    ]
    assert decision["schema"] == 1
    assert decision["time"] == "2026-03-01T00:00:00.000000Z"
    assert decision["guest_digest"] == hashlib.sha256(b"guest").hexdigest()
    assert decision["nonce_sha256"] == hashlib.sha256(b"nonce").hexdigest()
    assert decision["evidence_sha256"] == [hashlib.sha256(b"evidence").hexdigest()]
    assert (decision["audience"], decision["duration_us"]) == ("für dich", 1)
    assert denied["findings"] == [
        {"check": "capability.rate", "detail": "more than 60 calls a minute"}
    ]
    assert (checkpoint["kind"], checkpoint["reason"]) == ("checkpoint", "close")
    assert len({one["instance"] for one in (opened, denied, decision, checkpoint)}) == 1


def test_the_chain_can_be_followed_by_hand(tmp_path: Path) -> None:
    (path,) = keep(tmp_path / "journal", 2)
    prev = "0" * 64
    for line in lines_of(path):
        members = json.loads(line)
        assert members["prev"] == prev
        # 76 bytes: ,"hash":"…"} and the line end.
        prev = hashlib.sha256(line[:-76]).hexdigest()
        assert members["hash"] == prev


@given(decisions)
def test_any_decision_is_one_bounded_line_that_reads_back(decision: Decision) -> None:
    line = line_of(decision)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert line.isascii()
    assert len(line) <= MAX_LINE
    found = read(line)
    assert (found.head.sequence, found.kind, found.prev) == (7, "decision", "1" * 64)
    members = json.loads(line)
    assert found.members == members
    assert members["function"] == decision.function
    assert members["verdict"] == decision.verdict
    assert len(members["findings"]) <= 16
    for name, limit in (("guest", 128), ("target", 128), ("audience", 256)):
        assert members[name] is None or len(members[name]) <= limit
    json.dumps(members, ensure_ascii=False).encode("utf-8")


@given(decisions)
def test_the_short_way_takes_no_more_than_the_long_one(decision: Decision) -> None:
    line = line_of(decision)
    if form.USUAL_DECISION.fullmatch(line):
        assert record._members(line) == json.loads(line)


def test_usual_decisions_take_the_short_way() -> None:
    for decision in (replace(DECISION, audience=None), DENIED):
        match = form.USUAL_DECISION.fullmatch(line_of(decision))
        assert match is not None
        assert (match[1], match[2]) == (b"7", b"1" * 64)


def test_digests_are_what_is_kept() -> None:
    assert sha256(b"nonce") == hashlib.sha256(b"nonce").digest()
    assert sha256(None) is None


def test_text_of_guests_cannot_end_a_record_or_pose_as_one() -> None:
    hostile = '","verdict":"ok"}\n{"schema":1,"seq":8\u2028\x00\x1b[2J'
    line = line_of(replace(DENIED, guest=hostile, audience=hostile * 20))
    assert line.count(b"\n") == 1
    members = json.loads(line)
    assert (members["guest"], members["verdict"]) == (hostile, "denied")
    assert len(members["audience"]) == 256
    assert members["audience"].endswith("...")


def test_more_findings_than_fit_are_counted() -> None:
    many = tuple(Finding(f"check.{number}", "x") for number in range(100))
    kept = json.loads(line_of(replace(DENIED, findings=many)))["findings"]
    assert len(kept) == 16
    assert kept[14]["check"] == "check.14"
    assert kept[15] == {"check": "more", "detail": "85 findings left out"}


def test_every_error_has_a_verdict() -> None:
    for found in (RejectedError, PolicyError):
        error: AttestationError = found([Finding("a.b", "c")])
        assert (verdict_of(error), findings_of(error)) == (found.case, (Finding("a.b", "c"),))
    for case in (UnsupportedError, UnavailableError, InvalidArgumentError, InternalError):
        error = case("why")
        assert (verdict_of(error), findings_of(error)) == (case.case, (Finding(case.case, "why"),))
    assert (verdict_of(None), findings_of(None)) == (Verdict.OK, ())
    assert set(Verdict) == {"ok", *(case.case for case in CASES)}


def test_a_refusal_keeps_the_rule() -> None:
    error = DeniedError("rate: more than 60 calls a minute")
    assert findings_of(error)[0].detail == "rate: more than 60 calls a minute"


def decision_members() -> Members:
    return {
        "schema": 1,
        "seq": 1,
        "time": TIME,
        "instance": INSTANCE,
        "kind": "decision",
        **DECISION.members(),
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("schema", 2),
        ("schema", True),
        ("schema", "1"),
        ("seq", -1),
        ("seq", 1.0),
        ("seq", True),
        ("seq", 2**63),
        ("time", "2026-03-01T00:00:00Z"),
        ("time", "2026-03-01T00:00:00.00000\u0661Z"),
        ("time", "2026-13-01T00:00:00.000000Z"),
        ("time", "2026-02-30T00:00:00.000000Z"),
        ("time", "2026-02-29T00:00:00.000000Z"),
        ("time", "2026-04-31T00:00:00.000000Z"),
        ("time", "0000-03-01T00:00:00.000000Z"),
        ("time", "2026-03-01T25:00:00.000000Z"),
        ("time", "2026-03-01T00:60:00.000000Z"),
        ("instance", "0" * 31),
        ("kind", "secret"),
        ("kind", None),
        ("kind", ["decision"]),
        ("function", "a b"),
        ("function", ""),
        ("guest", "x" * 129),
        ("guest", 1),
        ("guest", "\ud800"),
        ("guest_digest", "A" * 64),
        ("guest_digest", ""),
        ("evidence_sha256", {}),
        ("evidence_sha256", ["0"]),
        ("evidence_sha256", ["0" * 64] * 65),
        ("findings", [{"check": "a"}]),
        ("findings", [{"detail": "a", "check": "b"}]),
        ("findings", [{"check": "a", "detail": "b", "token": "c"}]),
        ("findings", [{"check": "a", "detail": ["b"]}]),
        ("findings", None),
        ("findings", [{"check": "a" * 129, "detail": "b"}]),
        ("findings", [{"check": "a", "detail": "b" * 257}]),
        ("findings", [{"check": "a", "detail": "b"}] * 17),
        ("audience", "a" * 257),
        ("duration_us", None),
        ("duration_us", 1.5),
    ],
)
def test_what_is_of_another_form_is_no_record(name: str, value: object) -> None:
    # With and without escapes, which are read in two ways.
    for audience in ("für dich", None):
        line, _ = sealed(decision_members() | {"audience": audience, name: value}, "0" * 64)
        with pytest.raises(BadRecordError, match=r"journal\.format"):
            read(line)


def test_members_are_those_of_the_kind_in_their_order() -> None:
    members = decision_members()
    read(sealed(members, "0" * 64)[0])
    swapped = {name: members[name] for name in reversed(members)}
    lacking = {name: members[name] for name in members if name != "guest"}
    for wrong in (members | {"token": "x"}, lacking, swapped):
        with pytest.raises(BadRecordError, match=r"journal\.format"):
            read(sealed(wrong, "0" * 64)[0])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"seq":1,', b'"seq":1,"seq":1,'),
        (b'"seq":1,', b'"seq":01,'),
        (b'"seq":1,', b'"seq": 1,'),
        (b'"seq":1,', b'"seq":1e0,'),
        (b'"guest":"guest.wasm"', b'"guest":"\\u0067uest.wasm"'),
        (b'"guest":"guest.wasm"', '"guest":"gü"'.encode()),
        (b'"guest":"guest.wasm"', b'"guest":"\xff"'),
        (b'"guest":"guest.wasm"', b'"guest":NaN'),
        (b'"findings":[]', b'"findings":' + b"[" * 50_000),
        (b'"findings":[]', b'"findings":' + b"[" * 50_000 + b"]" * 50_000),
        (b'"findings":[]', b'"findings":' + b'{"a":' * 20_000),
        (b'"duration_us":1234', b'"duration_us":' + b"9" * 100_000),
    ],
)
def test_one_meaning_has_one_text(old: bytes, new: bytes) -> None:
    line, _ = sealed(decision_members(), "0" * 64)
    body = line[:-76].replace(old, new)
    assert body != line[:-76]
    again = body + f',"hash":"{hashlib.sha256(body).hexdigest()}"}}\n'.encode()
    with pytest.raises(BadRecordError, match=r"journal\.format"):
        read(again)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"{}\n",
        b"\0" * 4096,
        b"x" * MAX_LINE,
        f',"hash":"{hashlib.sha256(b"").hexdigest()}"}}\n'.encode(),
        f'1,"hash":"{hashlib.sha256(b"1").hexdigest()}"}}\n'.encode(),
    ],
)
def test_what_is_no_record_at_all(line: bytes) -> None:
    with pytest.raises(BadRecordError, match=r"journal\.format"):
        read(line)
