from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

from benchmarks import plot
from benchmarks.goals import Comparison, Goal, at_least, at_most
from tests import vectors
from tests.tools import missing

ROOT = Path(__file__).resolve().parents[1]
GOALS = ("host-calls", "startup", "throughput")
BARE = ("one ECDSA P-384 signature", "")
P256 = ("one ECDSA P-256 signature", "")
COLD, PARSED = "cold: all is parsed and verified", "endorsements parsed before"
WARM = "warm: with a memo"
TOKENS = {("evidence token (ES384), simulated", how) for how in (COLD, WARM)}
ISSUED = {
    (f"{algorithm} token of {whose} service{two}", how)
    for algorithm, whose, two in (
        ("ES384", "NVIDIA's", " (two)"),
        ("RS256", "Azure's", ""),
        ("PS384", "Intel's", ""),
    )
    for how in ("one bare signature", "signature and claims", "every check, keys parsed before")
}
GPU = {("GPU report, Hopper", how) for how in ("one bare signature", COLD, PARSED, WARM)}
QUOTES = {("TDX quote", how) for how in (COLD, PARSED, WARM)}
OTHER = ("TDX quote, dcap-qvl", "its only way")


def output(name: str, **environment: str) -> str:
    """Runs a benchmark for as short as it can and returns what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", "--quick"],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def table(text: str) -> dict[tuple[str, str], list[float]]:
    """Returns the figures of a Markdown table by the first two columns."""
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line] for line in lines[2:]]
    return {
        (first, second): [float(figure.replace(",", "")) for figure in figures]
        for first, second, *figures in cells
        if figures[0][0].isdigit()
    }


def assert_figures(rows: dict[tuple[str, str], list[float]], count: int) -> None:
    assert {len(figures) for figures in rows.values()} == {count}
    assert min(figure for figures in rows.values() for figure in figures) > 0


def test_one_command_holds_figures_against_goals_and_draws_them(tmp_path: Path) -> None:
    drawing = tmp_path / "plot.svg"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--svg", drawing, *GOALS, "generation"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert (done.returncode, done.stderr) == (0, "")
    sections = done.stdout.split("## ")[1:]
    assert [section.split(":")[0].split("\n")[0] for section in sections] == [
        "Host calls",
        "Start-up",
        "Guests a second",
        "generation",
    ]
    lines = [line.split("|") for section in sections[:3] for line in section.splitlines()]
    cells = [[cell.strip() for cell in line] for line in lines if len(line) == 10]
    rows = [line for line in cells if line[2][0].isdigit()]
    assert len(rows) == 6 + 2 + 6
    for row in rows:
        assert_verdict(float(row[6].replace(",", "")), row[7], row[8])
    root = etree.fromstring(drawing.read_text())
    bars = root.findall("{http://www.w3.org/2000/svg}rect")
    assert len(bars) == len(rows)
    met = [bar.get("class") for bar in bars]
    assert met == [row[8].replace(" ", "-") or "plain" for row in rows]


def assert_verdict(ratio: float, goal: str, verdict: str) -> None:
    if not goal:
        assert verdict == ""
        return
    words = re.fullmatch(r"at (least|most) ([0-9.]+) times", goal)
    assert words
    bound, margin = float(words[2]), 0.01 * ratio  # three digits are printed
    if abs(ratio - bound) > margin:
        is_met = ratio > bound if words[1] == "least" else ratio < bound
        assert verdict == ("met" if is_met else "not met")


@pytest.mark.parametrize(
    ("goal", "ratio", "verdict"),
    [
        (at_least(20), 20.0, "met"),
        (at_least(20), 19.99, "not met"),
        (at_most(5), 5.0, "met"),
        (at_most(5), 5.01, "not met"),
        (None, 1.0, ""),
    ],
)
def test_a_goal_is_met_or_it_is_not(goal: Goal | None, ratio: float, verdict: str) -> None:
    assert Comparison("call", 1, ratio, "µs", "other", ratio, goal).verdict == verdict


def test_a_drawing_has_one_size_whatever_was_measured() -> None:
    sizes = set()
    for ratio in (0.001, 1.0, 3.0, 1e9):
        compared = [Comparison("a < b & c", 1, 1, "µs", "other", ratio, at_least(20))]
        root = etree.fromstring(plot.drawn({"<calls>": compared}))
        sizes.add((root.get("width"), root.get("height")))
        for bar in root.iter("{http://www.w3.org/2000/svg}rect"):
            begin, width = float(bar.get("x", "")), float(bar.get("width", ""))
            assert 0 <= begin < begin + width <= plot.WIDTH
    assert len(sizes) == 1


def test_host_calls_compares_every_call_of_both_abis_with_a_stock_call() -> None:
    text = output("host_calls")
    rows = table(text.split("\n\n")[0])
    assert set(rows) == {
        (call, abi)
        for call in (
            "detect-tee",
            "attest-vm, cached",
            "verify-token, the same",
            "verify-token, never seen",
        )
        for abi in ("component", "core module")
    } | {(f"list<u8> of 64 KiB, {way}", "component") for way in ("in", "out")}
    assert_figures(rows, 3)


def test_verify_compares_quotes_and_reports_with_one_signature() -> None:
    folder = vectors.path("snp/ms_report_v3_milan.bin").parents[1]
    text = output("verify", ATTESTATION_VECTORS=str(folder))
    quotes, reports, issued = map(table, text.split("\n\n")[:3])
    assert set(quotes) - {OTHER} == {P256} | QUOTES
    assert quotes[P256][1] == 1
    assert quotes["TDX quote", WARM][0] * 4 < quotes["TDX quote", PARSED][0]
    assert set(reports) == {BARE} | TOKENS | {
        (f"SEV-SNP report, {line}", how)
        for line in ("Milan", "Turin")
        for how in (COLD, PARSED, WARM)
    }
    assert_figures(reports, 2)
    assert reports[BARE][1] == 1
    assert set(issued) == ISSUED | GPU
    assert_figures(issued, 2)
    assert "no real evidence" not in text


def test_verify_says_that_reports_are_simulated_where_there_are_no_real_ones(
    tmp_path: Path,
) -> None:
    text = output("verify", ATTESTATION_VECTORS=str(tmp_path))
    rows = table(text)
    simulated = {("SEV-SNP report, simulated", how) for how in (COLD, PARSED, WARM)}
    assert set(rows) == {BARE} | TOKENS | simulated | ISSUED
    assert_figures(rows, 2)
    assert "no real evidence" in text


def test_verify_batch_compares_processes_with_one() -> None:
    rows = table(output("verify_batch"))
    assert {first for first, _ in rows} == {"verify_many", "verify --batch"}
    assert_figures(rows, 3)
    assert {figures[2] for (_, how), figures in rows.items() if how == "one process"} == {1.0}


def test_journal_compares_policies_and_verification_with_a_bare_hash() -> None:
    written, read = map(table, output("journal").split("\n\n")[:2])
    assert {how for _, how in written} == {"fsync always", "fsync interval", "fsync never"}
    assert {how for _, how in read} == {"bare SHA-256", "verify"}
    assert_figures(written, 3)
    assert_figures(read, 2)


def test_generation_times_every_language() -> None:
    lines = [line.split("|") for line in output("generation").splitlines() if "|" in line]
    rows = {cells[1].strip(): float(cells[2].replace(",", "")) for cells in lines[2:]}
    assert {"rust", "cpp", "host"} < set(rows)
    assert min(rows.values()) > 0


@pytest.mark.slow
def test_collect_measures_every_kind_of_machine() -> None:
    if os.geteuid() != 0:
        missing("emulated machines need root")
    text = output("collect")
    kinds = ("SEV-SNP, configfs-tsm", "TDX, configfs-tsm", "SEV-SNP, /dev/sev-guest")
    for kind in (*kinds, "TDX, /dev/tdx_guest and QGS"):
        lines = [line for line in text.splitlines() if line.startswith(f"| {kind}")]
        assert [line.count("|") for line in lines] == [6, 5], kind
