"""`verify --batch`: a line in, a report out, in order, and the worst outcome is the exit code."""

from __future__ import annotations

import base64
import json
import os
import pty
import signal
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from wasmtime_attestation.cli import batch, batch_line
from wasmtime_attestation.endorsements.x509 import der, pem
from wasmtime_attestation.errors import CASES
from wasmtime_attestation.evidence import detached_eat

from tests.cli.tool import COMMAND, Outcome, run, run_process
from tests.fakes import nras
from tests.fakes.amd import MILAN
from tests.fakes.token import NONCE, NOW, Forger

# Ten seconds after the tokens are issued.
AT = ("--at", "2026-03-01T00:00:10Z")
CHAIN = [pem(certificate).decode() for certificate in MILAN.chain()]


def test_the_instant_is_the_one_of_the_fakes() -> None:
    assert NOW == 1772323200


def report(**fields: Any) -> str:  # noqa: ANN401
    return base64.b64encode(MILAN.report(**fields)).decode()


def line(**members: object) -> str:
    return json.dumps(members) + "\n"


def verify(lines: str | bytes, root: Path, *options: str | Path) -> Outcome:
    data = lines if isinstance(lines, bytes) else lines.encode()
    return run("verify", "--batch", "-", "--trust", root, *AT, *options, stdin=data)


def reports(outcome: Outcome) -> list[dict[str, Any]]:
    return [json.loads(text) for text in outcome.out.splitlines()]


def test_every_line_gets_the_report_that_it_would_get_alone(root: Path, tmp_path: Path) -> None:
    tampered, unendorsed = Forger().token()[:-4], report()
    lines = [
        line(token=Forger().token()),
        line(id="second", token=Forger().token(), nonce=NONCE.hex()),
        line(token=tampered),
        line(evidence=report(report_data=b"\1" * 64), endorsements=CHAIN),
        line(evidence=report(), endorsements=CHAIN, report_data="00" * 64),
        line(evidence=unendorsed),
    ]

    outcome = verify("".join(lines), root)

    assert outcome.code == 4
    found = reports(outcome)
    assert [each["outcome"] for each in found] == [
        "verified",
        "verified",
        "rejected",
        "verified",
        "verified",
        "unavailable",
    ]
    assert [each["input"]["name"] for each in found] == [f"-:{n}" for n in range(1, 7)]
    assert [each.get("id") for each in found] == [None, "second", None, None, None, None]
    assert outcome.err == (
        "6 lines: 4 verified, 1 unavailable, 1 rejected, "
        "4 SIMULATED: ends at a root given by --trust\n"
    )
    for text, batched in ((tampered, found[2]), (unendorsed, found[5])):
        file = tmp_path / "input"
        file.write_text(text)
        single = json.loads(run("verify", file, "--trust", root, *AT, "--json").out)
        single["input"]["name"] = batched["input"]["name"]
        assert batched == single


def test_a_line_does_not_bring_the_keys_that_vouch_for_it(root: Path, tmp_path: Path) -> None:
    token = detached_eat.wrap(detached_eat.read(json.loads(nras.answer())))
    keys = tmp_path / "keys.json"
    keys.write_bytes(nras.keys())
    for form in (nras.keys(), base64.b64encode(nras.keys())):
        outcome = verify(line(token=token, endorsements=[form.decode()]), root)
        assert [found["outcome"] for found in reports(outcome)] == ["invalid-argument"]
        assert "--issuer" in outcome.out
    assert verify(line(token=token), root, "--endorsements", keys).code == 0


def test_endorsements_of_one_line_do_not_count_for_another(root: Path) -> None:
    lines = line(evidence=report(), endorsements=CHAIN) + line(evidence=report())

    first, second = reports(verify(lines, root))

    assert (first["outcome"], second["outcome"]) == ("verified", "unavailable")


@pytest.mark.parametrize("form", ["pem", "hex", "base64", "base64 of pem"])
def test_endorsements_are_recognised(form: str, root: Path) -> None:
    def write(certificate: x509.Certificate) -> str:
        data = pem(certificate) if "pem" in form else der(certificate)
        if form == "hex":
            return data.hex()
        return data.decode() if form == "pem" else base64.b64encode(data).decode()

    texts = [*map(write, MILAN.chain())]

    assert verify(line(evidence=report(), endorsements=texts), root).code == 0


@pytest.mark.parametrize(
    ("text", "outcome", "detail"),
    [
        ("junk", "rejected", "the line is no item"),
        ("[]", "rejected", "it is no JSON object"),
        ("{}", "rejected", "either evidence or a token"),
        ('{"evidence":"00","token":"a.b.c"}', "rejected", "either evidence or a token"),
        ('{"evidence":"00","evidence":"00"}', "rejected", "duplicate member"),
        ('{"evidence":"00","policy":"x"}', "rejected", "members that are not known"),
        ('{"evidence":5}', "rejected", "evidence is text or a document"),
        ('{"token":["a.b.c"]}', "rejected", "token is text"),
        ('{"evidence":"00","id":5}', "rejected", "id is no text"),
        ('{"evidence":"00","nonce":"00"}', "rejected", "nonce has 1 bytes"),
        ('{"evidence":"00","report_data":"xx"}', "rejected", "the line is no item"),
        ('{"evidence":"00","endorsements":"x"}', "rejected", "no list of texts"),
        ('{"evidence":"00","endorsements":["%"]}', "rejected", "the line is no item"),
        ('{"evidence":"00","endorsements":["00"]}', "invalid-argument", "endorsements[0]"),
        ('{"evidence":"' + "[" * 10_000 + '"}', "rejected", "nested deeper"),
        ("[" * 100_000, "rejected", "nested deeper"),
        # Without a policy, evidence is not appraised, which a token always is.
        (line(token=report()).strip(), "rejected", "this is evidence, not a token"),
        (line(evidence={"quote": "00", "a": 1.5}).strip(), "rejected", '["a"], which is unknown'),
        ('{"evidence":"\xff"}', "rejected", "the line is no item"),
    ],
)
def test_a_broken_line_is_one_result(text: str, outcome: str, detail: str, root: Path) -> None:
    good = line(token=Forger().token())

    found = verify(good.encode() + text.encode("latin-1") + b"\n" + good.encode(), root)

    first, broken, last = reports(found)
    assert first["outcome"] == last["outcome"] == "verified"
    assert broken["outcome"] == outcome
    assert broken["input"]["name"] == "-:2"
    assert broken["claims"] is None
    said = broken["error"] if "error" in broken else broken["checks"][0]["detail"]
    assert detail in said
    assert found.code == (4 if outcome == "rejected" else 2)


def test_a_line_that_is_too_long_is_one_result(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_line, "MAX_LINE", 50_000)
    good = line(token=Forger().token())

    for size in (50_001, 100_000, 173_456):
        first, broken, last = reports(verify(good + "x" * size + "\n" + good, root))
        assert first["outcome"] == last["outcome"] == "verified"
        assert "more than 50000 bytes" in broken["error"]
    assert reports(verify("x" * 60_000, root))[0]["outcome"] == "rejected"


def test_empty_lines_count_and_are_left_out(root: Path) -> None:
    outcome = verify("\n \n" + line(token=Forger().token()), root)

    assert [each["input"]["name"] for each in reports(outcome)] == ["-:3"]
    nothing = verify("\n", root)
    assert (nothing.code, nothing.out) == (0, "")
    assert nothing.err == "0 lines: nothing to verify\n"


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([line(token=Forger().token())], 0),
        ([line(token=Forger().token()), line(evidence=report())], 6),
        ([line(evidence=report()), "junk\n"], 4),
        (["junk\n", line(token=Forger().token(), report_data="00" * 64)], 2),
    ],
)
def test_the_exit_code_is_that_of_the_worst_line(lines: list[str], code: int, root: Path) -> None:
    assert verify("".join(lines), root).code == code
    assert verify("".join(reversed(lines)), root).code == code


def test_every_case_of_error_has_a_place_among_the_outcomes() -> None:
    """Or a line that failed would not count."""
    assert sorted(batch._OUTCOMES) == sorted({"verified"} | {case.case for case in CASES})


def test_a_policy_holds_for_every_line(root: Path, tmp_path: Path) -> None:
    policy = tmp_path / "nothing.toml"
    policy.write_text("schema = 1\n")

    outcome = verify(line(token=Forger().token()) * 2, root, "--policy", policy)

    assert outcome.code == 5
    assert {each["appraisal"]["status"] for each in reports(outcome)} == {"contraindicated"}


def test_processes_print_the_same(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "lines.jsonl"
    file.write_text((line(token=Forger().token()) + line(evidence=report()) + "junk\n") * 60)
    arguments = ("verify", "--batch", file, "--trust", root, *AT)

    here = run(*arguments, "--workers", "1")
    there = run_process(*arguments, "--workers", "2")

    assert (there.code, there.out, there.err) == (here.code, here.out, here.err)
    assert len(here.out.splitlines()) == 180


def test_with_one_worker_each_line_is_answered_at_once(root: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "verify", "--batch", "-", "--workers", "1", "--trust", str(root), *AT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in (1, 2):
            process.stdin.write(line(token=Forger().token()).encode())
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["input"]["name"] == f"-:{number}"
        process.stdin.close()
        assert process.wait(30) == 0


def test_progress_is_shown_on_a_terminal(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "_PROGRESS_EVERY", 0)
    lines = line(token=Forger().token()) * 3

    assert "\r" not in verify(lines, root).err
    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as terminal:
        counts = Counter({"verified": 2})
        monkeypatch.setattr("sys.stderr", terminal)
        progress = batch._Progress(counts)
        progress.show()
        progress.end()
        terminal.flush()
        shown = os.read(master, 1000).decode()
    os.close(master)
    assert "\r2 lines: 2 verified" in shown


@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_ends_it(workers: str, root: Path, tmp_path: Path) -> None:
    file = tmp_path / "lines.jsonl"
    file.write_text(line(token=Forger().token()) * 2000)
    with subprocess.Popen(
        [*COMMAND, "verify", "--batch", file, "--workers", workers, "--trust", root, *AT],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)

    assert process.returncode == 130
    assert out.count(b"\n") < 1999
    assert err.strip() == b""


@pytest.mark.parametrize(
    "arguments", [(), ("--batch", "-", "-"), ("--workers", "2", "-")], ids=["none", "both", "w"]
)
def test_either_an_input_or_a_batch_is_named(arguments: tuple[str, ...]) -> None:
    assert run("verify", *arguments).code == 2
