"""`verify --json`: the public form of DESIGN section 7, checked by hand for each outcome."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from wasmtime_attestation.checks import CHECKS

from tests.cli.tool import run
from tests.fakes.token import Forger, without

AT = "2026-03-01T00:00:10Z"
ARGUMENTS = ("verify", "-", "--at", AT, "--json")
HOST = Forger()


def report(root: Path, text: str, *options: str) -> tuple[int, dict[str, Any]]:
    outcome = run(*ARGUMENTS, "--trust", root, *options, stdin=text.encode())
    members = json.loads(outcome.out)
    check_schema(members, text)
    return outcome.code, members


def keys(value: object, *names: str) -> None:
    assert isinstance(value, Mapping)
    assert list(value) == list(names)


def check_schema(members: dict[str, Any], text: str) -> None:
    keys(members, "schema", "outcome", "input", "checks", "claims", "appraisal")
    assert members["schema"] == 1
    assert members["outcome"] in {"verified", "rejected", "policy", "unavailable"}
    check_input(members["input"], text)
    check_checks(members["checks"])
    assert members["claims"] is None or isinstance(members["claims"], dict)
    check_appraisal(members["appraisal"])


def check_input(members: object, text: str) -> None:
    keys(members, "name", "kind", "size", "sha256", "verified_at")
    assert members == {
        "name": "-",
        "kind": "evidence-token" if "." in text else "unknown",
        "size": len(text),
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "verified_at": AT,
    }


def check_checks(checks: list[dict[str, str]]) -> None:
    assert checks
    for check in checks:
        keys(check, "id", "outcome", "detail")
        assert check["id"] in CHECKS
        assert check["outcome"] in {"passed", "failed", "not-checked"}
        assert check["detail"]
    ids = [check["id"] for check in checks]
    assert len(set(ids)) == len(ids)


def check_appraisal(appraisal: dict[str, Any] | None) -> None:
    if appraisal is None:
        return
    keys(appraisal, "policy", "status", "findings", "trustworthiness")
    assert appraisal["status"] in {"affirming", "warning", "contraindicated"}
    for finding in appraisal["findings"]:
        keys(finding, "check", "detail")
        assert re.fullmatch(r"policy\.[a-z-]+", finding["check"])


def outcomes(members: dict[str, Any]) -> dict[str, str]:
    return {check["id"]: check["outcome"] for check in members["checks"]}


def test_verified(root: Path) -> None:
    code, members = report(root, HOST.token())
    assert (code, members["outcome"]) == (0, "verified")
    assert set(outcomes(members).values()) == {"passed", "not-checked"}
    assert list(members["claims"])[:2] == ["kind", "issuer"]
    assert list(members["claims"])[-2:] == ["token", "evidence"]
    (evidence,) = members["claims"]["evidence"]
    assert evidence["tee_type"] == "simulated"
    assert evidence["platform"] == "amd-sev-snp"
    assert evidence["amd-sev-snp"]["measurement"] == bytes(range(48)).hex()
    assert members["appraisal"]["status"] == "warning"
    assert members["appraisal"]["policy"] == "hardware-only"


def test_rejected(root: Path) -> None:
    code, members = report(root, HOST.sign(without(HOST.payload(), "exp")))
    assert (code, members["outcome"]) == (4, "rejected")
    assert outcomes(members)["token.format"] == "failed"
    assert outcomes(members)["token.signature"] == "not-checked"
    assert (members["claims"], members["appraisal"]) == (None, None)


def test_rejected_before_it_is_known_what_it_is(root: Path) -> None:
    code, members = report(root, "neither")
    assert (code, members["outcome"]) == (4, "rejected")
    assert outcomes(members) == {"input.format": "failed"}


def test_policy(root: Path) -> None:
    token = HOST.sign(HOST.payload(policy=0xB0000, vmpl=3))
    code, members = report(root, token)
    assert (code, members["outcome"]) == (5, "policy")
    assert "failed" not in outcomes(members).values()
    assert members["claims"] is not None
    assert members["appraisal"]["status"] == "contraindicated"
    found = {finding["check"] for finding in members["appraisal"]["findings"]}
    assert {"policy.debug", "policy.vmpl"} <= found


def test_unavailable(root: Path) -> None:
    payload = HOST.payload()
    payload["evidence"][0]["endorsements"] = []
    code, members = report(root, HOST.sign(payload))
    assert (code, members["outcome"]) == (6, "unavailable")
    assert outcomes(members)["snp.signer"] == "not-checked"
    assert outcomes(members)["token.signature"] == "passed"
    assert (members["claims"], members["appraisal"]) == (None, None)


@pytest.mark.parametrize("text", ["é", "\x1b[2J", '"\\'])
def test_it_is_ascii_whatever_the_token_says(root: Path, text: str) -> None:
    token = HOST.sign(HOST.payload(audience=text))
    outcome = run(*ARGUMENTS, "--trust", root, stdin=token.encode())
    assert outcome.out.isascii()
    assert "\x1b" not in outcome.out
    assert json.loads(outcome.out)["claims"]["token"]["aud"] == text


def test_standard_output_has_nothing_but_json(root: Path) -> None:
    outcome = run(*ARGUMENTS, "--trust", root, "--verbose", stdin=HOST.token().encode())
    assert json.loads(outcome.out)["outcome"] == "verified"
    assert "SIMULATED" in outcome.err
