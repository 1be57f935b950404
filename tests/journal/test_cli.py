"""The commands `journal show`, `follow`, `verify` and `export`."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from queue import Queue

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from wasmtime_attestation.errors import Finding
from wasmtime_attestation.issuer import TokenIssuer
from wasmtime_attestation.journal.decision import Function, Verdict
from wasmtime_attestation.journal.files import listing
from wasmtime_attestation.journal.writer import Journal

from tests.cli.tool import COMMAND, run
from tests.fakes.host import Clock
from tests.fakes.token import encode
from tests.journal.kept import DECISION, DENIED, check, keep, lines_of, settings
from tests.journal.test_attestation import attested

ISSUER = TokenIssuer()
THUMBPRINT = ISSUER.key_thumbprint.hex()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A journal of nine decisions over three minutes, in two files."""
    clock, directory = Clock(), tmp_path / "journal"
    with Journal(settings(directory, rotate_seconds=100), ISSUER, clock) as journal:
        for number in range(9):
            clock.now += 20
            decision = DENIED if number % 3 == 0 else DECISION
            function = Function.ATTEST if number < 8 else Function.VERIFY_TOKEN
            name = "a.wasm" if number < 4 else "b.wasm"
            journal.record(
                replace(decision, function=function, guest=name, duration=1000 * (number + 1))
            )
    assert len(listing(directory)) == 2
    return directory


def head(directory: Path) -> str:
    return str(check(listing(directory)).head)


def test_verify_says_what_was_found(directory: Path) -> None:
    outcome = run("journal", "verify", directory)
    assert outcome.code == 0, outcome.err
    assert "outcome  verified" in outcome.out
    assert f"head     {head(directory)}" in outcome.out
    assert "9 decision" in outcome.out
    assert THUMBPRINT in outcome.out
    assert "give --key" in outcome.err
    assert "only --head can tell" in outcome.err


@pytest.mark.parametrize("form", ["hex", "base64url", "jwk", "pem"])
def test_verify_with_a_key_and_a_head_leaves_nothing_open(
    directory: Path, tmp_path: Path, form: str
) -> None:
    file = tmp_path / "key"
    if form == "jwk":
        file.write_text(json.dumps(ISSUER.key_jwk))
    elif form == "pem":
        public = ISSUER._key.public_key()
        file.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    named = {"hex": THUMBPRINT, "base64url": encode(ISSUER.key_thumbprint)}
    key = named.get(form, str(file))
    outcome = run("journal", "verify", directory, "--key", key, "--head", head(directory))
    assert (outcome.code, outcome.err) == (0, "")


def test_verify_with_another_key_rejects(directory: Path) -> None:
    outcome = run("journal", "verify", directory, "--key", "0" * 64)
    assert outcome.code == 4
    assert "journal.key" in outcome.err


def test_verify_names_the_first_bad_record(directory: Path) -> None:
    path = listing(directory)[1]
    lines = lines_of(path)
    path.write_bytes(b"".join([lines[0], lines[1].replace(b"b.wasm", b"a.wasm"), *lines[2:]]))
    outcome = run("journal", "verify", "--json", directory)
    assert outcome.code == 4
    report = json.loads(outcome.out)
    number = json.loads(lines[1])["seq"]
    assert report["outcome"] == "rejected"
    assert report["problem"] == {
        "file": str(path),
        "line": 2,
        "seq": number,
        "check": "journal.hash",
        "detail": report["problem"]["detail"],
    }
    assert report["head"]["seq"] == number - 1
    assert f"{path}:2 (record {number}): journal.hash" in outcome.err


def test_verify_json(directory: Path) -> None:
    outcome = run("journal", "verify", "--json", directory)
    report = json.loads(outcome.out)
    number, _, digest = head(directory).partition(":")
    assert report == {
        "schema": 1,
        "outcome": "verified",
        "journal": str(directory),
        "records": {"open": 1, "decision": 9, "checkpoint": 2, "rotation": 1},
        "first": report["first"],
        "head": {"seq": int(number), "hash": digest},
        "signed": {"seq": int(number), "hash": digest},
        "keys": {THUMBPRINT: 2},
        "attestations": [],
        "cut_bytes": 0,
        "lost": 0,
        "orphans": 0,
        "problem": None,
    }


def test_verify_finds_a_cut_end_by_the_head(directory: Path) -> None:
    known = head(directory)
    path = listing(directory)[1]
    path.write_bytes(b"".join(lines_of(path)[:-2]))
    assert run("journal", "verify", directory).code == 0
    outcome = run("journal", "verify", directory, "--head", known)
    assert outcome.code == 4
    assert "its end was cut" in outcome.err


def test_verify_files_one_by_one(directory: Path) -> None:
    first, second = listing(directory)
    assert run("journal", "verify", first, second).code == 0
    assert run("journal", "verify", second).code == 0
    assert run("journal", "verify", second, first).code == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--head", "12"), "no hash"),
        (("--head", "x:" + "0" * 64), "not like"),
        (("--head", "1:" + "g" * 64), "no hash"),
        (("--key", "nothing"), "cannot be read"),
        (("--key", "+" * 43), "base64url"),
        (("--key", __file__), "no single public key"),
    ],
)
def test_what_verify_cannot_use(directory: Path, arguments: tuple[str, ...], message: str) -> None:
    outcome = run("journal", "verify", directory, *arguments)
    assert outcome.code == 2
    assert message in outcome.err


def test_a_pipe_is_no_file_of_a_journal(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "journal-000000000001.jsonl")
    outcome = run("journal", "verify", tmp_path)
    assert outcome.code == 2
    assert "no ordinary file" in outcome.err


def test_a_folder_without_a_journal(tmp_path: Path) -> None:
    for command in ("verify", "show", "export"):
        outcome = run("journal", command, tmp_path)
        assert outcome.code == 2
        assert "has no journal" in outcome.err


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        (("--guest", "a.wasm"), [1, 2, 3, 4]),
        (("--guest", DECISION.guest_digest.hex() if DECISION.guest_digest else ""), range(1, 10)),
        (("--function", "verify-token"), [9]),
        (("--verdict", "denied"), [1, 4, 7]),
        (("--verdict", "denied", "--guest", "a.wasm"), [1, 4]),
        (("--verdict", "denied", "--limit", "2"), [4, 7]),
        (("--verdict", "ok", "--since", "2026-03-01T00:01:40Z"), [5, 6, 8, 9]),
        (("--verdict", "ok", "--until", "2026-03-01T01:01:40+01:00"), [2, 3]),
    ],
)
def test_show_filters(
    directory: Path, filters: tuple[str, ...], numbers: range | list[int]
) -> None:
    outcome = run("journal", "show", directory, *filters, "--json")
    assert outcome.code == 0, outcome.err
    shown = [json.loads(line)["duration_us"] // 1000 for line in outcome.out.splitlines()]
    assert shown == [*numbers]


def test_show_for_people(directory: Path) -> None:
    outcome = run("journal", "show", directory)
    lines = outcome.out.splitlines()
    assert len(lines) == 13
    assert "[open] key_thumbprint=" in lines[0]
    assert lines[1].split() == [
        *("2", "2026-03-01T00:00:20.000000Z", "denied", "attest", "a.wasm", "vm", "evidence"),
        *("production", "1.0", "ms", "capability.rate:", "more", "than", "60", "calls"),
        *("a", "minute"),
    ]


def test_show_lets_nobody_write_on_the_terminal(tmp_path: Path) -> None:
    with Journal(settings(tmp_path / "journal"), ISSUER) as journal:
        journal.record(replace(DENIED, guest="\x1b[2J\nok", target="\u202e"))
    for command in (("show",), ("show", "--summary")):
        outcome = run("journal", *command, tmp_path / "journal")
        assert "\x1b" not in outcome.out
        assert "\u202e" not in outcome.out
        assert "\\x1b[2J\\nok" in outcome.out


def test_show_goes_on_after_lines_that_are_none(directory: Path) -> None:
    path = listing(directory)[0]
    lines = lines_of(path)
    path.write_bytes(b"".join([*lines[:2], b"x" * 300_000 + b"\n", b"{}\n", *lines[2:]]))
    outcome = run("journal", "show", directory, "--json")
    assert outcome.code == 4
    assert len(outcome.out.splitlines()) == 13
    assert f"{path}:3: journal.format" in outcome.err
    assert "2 lines are no records" in outcome.err


def test_a_summary(directory: Path) -> None:
    outcome = run("journal", "show", directory, "--summary", "--json")
    assert json.loads(outcome.out) == {
        "schema": 1,
        "decisions": 9,
        "lost": 0,
        "functions": {
            # By hand: 1 to 8 ms; the nearest rank of 50 % of 8 is the 4th, of 95 % the 8th.
            "attest": {"verdicts": {"denied": 3, "ok": 5}, "p50_us": 4000, "p95_us": 8000},
            "verify-token": {"verdicts": {"ok": 1}, "p50_us": 9000, "p95_us": 9000},
        },
        "guests": {"b.wasm": 5, "a.wasm": 4},
        "findings": {"capability.rate": 3},
    }
    people = run("journal", "show", directory, "--summary").out
    assert "9 decisions, 0 lost" in people


def test_export_json_is_one_array(directory: Path) -> None:
    exported = json.loads(run("journal", "export", directory).out)
    assert exported == [json.loads(line) for path in listing(directory) for line in lines_of(path)]
    assert json.loads(run("journal", "export", directory, "--guest", "nobody").out) == []


def test_export_csv_is_a_table(directory: Path) -> None:
    with Journal(settings(directory), ISSUER) as journal:
        hostile = Finding("a.b", 'say "hi",\nyou')
        journal.record(replace(DENIED, guest="=cmd()", audience="-1", findings=(hostile, hostile)))
    rows = list(
        csv.DictReader(io.StringIO(run("journal", "export", directory, "--format", "csv").out))
    )
    assert len(rows) == 10
    assert (rows[0]["guest"], rows[0]["verdict"], rows[0]["duration_us"]) == (
        "a.wasm",
        "denied",
        "1000",
    )
    assert (rows[-1]["guest"], rows[-1]["audience"]) == ("'=cmd()", "'-1")
    assert rows[-1]["findings"] == 'a.b: say "hi",\nyou; a.b: say "hi",\nyou'


def test_export_tokens_are_what_verify_takes(tmp_path: Path, root: Path) -> None:
    path = attested(tmp_path / "journal", ISSUER)
    token = run("journal", "export", "--format", "tokens", tmp_path / "journal").out
    report = json.loads(run("journal", "verify", "--json", path).out)
    (attestation,) = report["attestations"]
    assert attestation["key_thumbprint"] == THUMBPRINT
    outcome = run(
        *("verify", "-", "--trust", root, "--at", "2026-03-01T00:00:00Z"),
        *("--nonce", attestation["nonce"], "--audience", "wasmtime:attestation journal"),
        stdin=token.encode(),
    )
    assert outcome.code == 0, outcome.err


@contextmanager
def following(*arguments: str | Path) -> Iterator[tuple[subprocess.Popen[bytes], Queue[bytes]]]:
    process = subprocess.Popen(
        [*COMMAND, "journal", "follow", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    lines: Queue[bytes] = Queue()
    assert process.stdout is not None
    stream = process.stdout

    def read() -> None:
        for line in stream:
            lines.put(line)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield process, lines
    finally:
        process.kill()
        process.wait()
        reader.join()
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            pipe.close()


def test_follow_goes_on_across_rotation_until_ctrl_c(tmp_path: Path) -> None:
    directory = tmp_path / "journal"
    with Journal(settings(directory, rotate_bytes=1 << 14), ISSUER, Clock()) as journal:
        for number in range(5):
            journal.record(replace(DECISION, duration=number))
        arguments = (directory, "--json", "--function", "attest", "--lines", "3")
        with following(*arguments) as (process, lines):
            seen = [json.loads(lines.get(timeout=30))["duration_us"] for _ in range(3)]
            for number in range(5, 80):
                journal.record(replace(DECISION, duration=number))
                if number == 40:
                    time.sleep(0.3)
            seen += [json.loads(lines.get(timeout=30))["duration_us"] for _ in range(75)]
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=30) == 130
            assert process.stderr is not None
            assert process.stderr.read().strip() == b""
    assert seen == [*range(2, 80)]
    assert len(listing(directory)) > 2


def test_a_closed_pipe_ends_show_in_silence(tmp_path: Path) -> None:
    keep(tmp_path / "journal", 2000)
    shown = subprocess.run(
        ["sh", "-c", '"$@" | head -n 1', "sh", *COMMAND, "journal", "show", tmp_path / "journal"],
        capture_output=True,
        check=True,
    )
    assert (shown.stdout.count(b"\n"), shown.stderr) == (1, b"")


def test_verdicts_and_functions_are_offered() -> None:
    text = run("journal", "show", "--help").out
    assert all(word in text for word in (*Verdict, *Function))
