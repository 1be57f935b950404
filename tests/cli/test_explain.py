"""`verify --explain`: what each check requires, means, asks to do, and where that comes from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from wasmtime_attestation.appraisal.findings import FINDINGS
from wasmtime_attestation.checks import CHECKS
from wasmtime_attestation.checks.rule import Rule

from tests.cli.tool import run
from tests.fakes.token import Forger

AT = ("--at", "2026-03-01T00:00:10Z")
HOST = Forger()
LABELS = ("requires", "means", "otherwise", "do", "source")
MEMBERS = ["requirement", "meaning", "remedy", "source"]


def verify(root: Path, text: str, *options: str) -> str:
    return run("verify", "-", *AT, "--trust", root, *options, stdin=text.encode()).out


def entries(out: str) -> dict[str, dict[str, str]]:
    """Returns what stands below each check or finding, with the lines put together again."""
    found: dict[str, dict[str, str]] = {}
    id_ = label = ""
    for line in out.split("claims\n")[0].splitlines() + out.split("\nresult ")[-1].splitlines():
        words = line.split()
        head = [word.removesuffix(":") for word in words if word.removesuffix(":") in ALL]
        if not line.startswith(" " * 15):
            id_, label = head[0] if head else "", ""
        elif words[0] in LABELS and line[15] != " ":
            label = words[0]
            found.setdefault(id_, {})[label] = " ".join(words[1:])
        elif id_:
            found[id_][label] += " " + " ".join(words)
    return found


ALL: dict[str, Rule] = {**CHECKS, **FINDINGS}


def test_every_check_is_explained(root: Path) -> None:
    out = verify(root, HOST.token(), "--explain")
    explained = entries(out)

    passed, open_ = explained["token.signature"], explained["token.nonce"]
    assert passed == {
        "requires": CHECKS["token.signature"].requirement,
        "source": CHECKS["token.signature"].source,
    }
    assert open_ == {
        "requires": CHECKS["token.nonce"].requirement,
        "otherwise": CHECKS["token.nonce"].meaning,
        "do": CHECKS["token.nonce"].remedy,
        "source": CHECKS["token.nonce"].source,
    }
    assert explained["policy.simulated"]["means"] == FINDINGS["policy.simulated"].meaning
    for line in out.splitlines():
        id_ = next((word for word in line.split() if word in CHECKS), None)
        if line.startswith("  ") and id_ is not None and line.split()[0] != "requires":
            assert id_ in explained


def test_without_being_asked_it_stays_short(root: Path) -> None:
    assert entries(verify(root, HOST.token())) == {}


def test_a_check_that_failed_is_explained_in_any_case(root: Path) -> None:
    token = HOST.token()
    forged = token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")

    assert entries(verify(root, forged)) == {
        "token.signature": {
            "means": CHECKS["token.signature"].meaning,
            "do": CHECKS["token.signature"].remedy,
        }
    }


def test_a_finding_that_refuses_is_explained_in_any_case_and_once(root: Path) -> None:
    token = HOST.sign(HOST.payload(policy=0xB0000, vmpl=3))
    explained = entries(verify(root, token))

    assert set(explained) == {"policy.debug", "policy.vmpl"}
    assert explained["policy.vmpl"] == {
        "means": FINDINGS["policy.vmpl"].meaning,
        "do": FINDINGS["policy.vmpl"].remedy,
    }


@pytest.mark.parametrize("policy", [0x30000, 0xB0000])
def test_json_says_it_only_if_asked(root: Path, policy: int) -> None:
    token = HOST.sign(HOST.payload(policy=policy))
    plain: dict[str, Any] = json.loads(verify(root, token, "--json"))
    full: dict[str, Any] = json.loads(verify(root, token, "--json", "--explain"))

    for check in full["checks"]:
        about = [check.pop(member) for member in MEMBERS]
        rule = CHECKS[check["id"]]
        assert about == [rule.requirement, rule.meaning, rule.remedy, rule.source]
    for finding in full["appraisal"]["findings"]:
        about = [finding.pop(member) for member in MEMBERS]
        rule = FINDINGS[finding["check"]]
        assert about == [rule.requirement, rule.meaning, rule.remedy, rule.source]
    assert full == plain


@pytest.mark.parametrize("id_", ALL)
def test_every_rule_says_all_it_has_to(id_: str) -> None:
    rule = ALL[id_]

    for text in (rule.requirement, rule.meaning, rule.remedy):
        assert text.endswith(".")
        assert len(text) > 20
        assert "  " not in text
    assert rule.source
    assert not rule.source.endswith(".")
    assert rule.meaning != rule.requirement
