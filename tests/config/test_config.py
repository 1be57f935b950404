"""What is in force, where it comes from, and what is refused, by way of the tool."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from wasmtime_attestation.config import read
from wasmtime_attestation.config.file import layer
from wasmtime_attestation.config.schema import schema

from tests.cli.tool import Outcome, run
from tests.config.production import PAGE as PRODUCTION
from tests.config.production import documented

PAGE = ("azure", "ita", "nras", "trustee", "air-gapped")
NONCE = "0123456789abcdef"


@pytest.fixture(autouse=True)
def _no_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def settings(*arguments: str | Path) -> dict[str, Any]:
    outcome = run("config", "show", "--json", *arguments)
    assert outcome.code == 0, outcome.err
    found = json.loads(outcome.out)["settings"]
    assert isinstance(found, dict)
    return found


def refused(text: str, tmp_path: Path) -> Outcome:
    outcome = run("config", "check", write(tmp_path / "host.toml", text))
    assert (outcome.code, outcome.out) == (2, "")
    return outcome


def test_each_value_says_where_it_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = write(
        tmp_path / "home/wasmtime-attestation/config.toml",
        'schema = 1\n[host]\ntee = "none"\ngpus = 1\npolicy = "strict"\n',
    )
    named = write(
        tmp_path / "host.toml", "schema = 1\n\n[host]\ngpus = 2\nevidence-summary = true\n"
    )
    monkeypatch.setenv("WASMTIME_ATTESTATION_EVIDENCE_SUMMARY", "no")
    found = settings("--config", named)
    assert (found["host.gpus"]["value"], found["host.gpus"]["origin"]) == (2, f"{named}:4")
    assert (found["host.tee"]["value"], found["host.tee"]["origin"]) == ("none", f"{users}:3")
    assert found["host.policy"]["origin"] == f"{users}:5"
    summary = found["host.evidence-summary"]
    assert summary["value"] is False
    assert summary["origin"] == "environment variable WASMTIME_ATTESTATION_EVIDENCE_SUMMARY"
    assert found["host.tokens"]["value"] == ["evidence"]
    assert found["host.tokens"]["origin"] == "default"
    monkeypatch.setenv("WASMTIME_ATTESTATION_CONFIG", str(named))
    assert settings()["host.gpus"]["origin"] == f"{named}:4"


def test_an_option_counts_before_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = write(tmp_path / "host.toml", 'schema = 1\n[host]\ntee = "none"\n')
    asked = ("attest", "vm", "--nonce", NONCE, "--config", named)
    assert run(*asked).code == 3
    monkeypatch.setenv("WASMTIME_ATTESTATION_TEE", "simulated")
    assert run(*asked).code == 0
    assert run(*asked, "--tee", "none").code == 3


def test_keys_are_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "sk-do-not-show"  # noqa: S105
    write(tmp_path / "secrets/ita", secret)
    monkeypatch.setenv("NVIDIA_API_KEY", secret)
    text = '[services.ita]\napi-key-file = "secrets/ita"\n[services.nras]\n'
    text += 'api-key-env = "NVIDIA_API_KEY"\n'
    named = write(tmp_path / "host.toml", f"schema = 1\n{text}")
    for form in ((), ("--json",)):
        outcome = run("config", "show", "--config", named, *form)
        assert secret not in outcome.out + outcome.err
        assert "set, from environment NVIDIA_API_KEY" in outcome.out
        assert f"set, from file {tmp_path}/secrets/ita" in outcome.out
    monkeypatch.delenv("NVIDIA_API_KEY")
    assert (
        "not set, from environment NVIDIA_API_KEY" in run("config", "show", "--config", named).out
    )


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        ("[host]\n", ":1:1", "schema is missing"),
        ("schema = 2\n", ":1:1", "schema must be 1"),
        ('schema = 1\n[host]\ntokns = ["maa"]\n', ":3:1", "did you mean tokens?"),
        ('schema = 1\n[host]\ntokens = ["jwt"]\n', ":3:11", "tokens has 'jwt'"),
        ("schema = 1\n[host]\ntokens = []\n", ":3:1", "tokens is empty"),
        ('schema = 1\n[host]\ntokens = ["maa"]\n', ":3:1", "there is no [services.maa]"),
        ('schema = 1\n[host]\n  tokens = ["ear"]\n', ":3:3", "there is no ear-key"),
        ('schema = 1\n[host]\ntee = "sgx"\n', ":3:1", "tee has 'sgx'"),
        ("schema = 1\n[services.maa]\n", ":2:11", "has a url or a region"),
        ('schema = 1\n[policies]\nstrict = "a.toml"\n', ":3:1", "is a preset's name"),
        ('schema = 1\n[endorsers]\nintel-pcs-url = "pccs"\n', ":3:1", "is no address"),
        ('schema = 1\n[journal]\nfsync = "maybe"\n', ":3:1", "known are"),
        ('schema = 1\n[cache]\nnonce-record = "redis"\n', ":3:1", "none is configured"),
        ('schema = 1\n[cache]\nnonce-record = ""\n', ":3:1", "is empty"),
        ("schema = 1\n[hosts]\n", ":2:2", "did you mean host?"),
        ("schema = 1\n[host\n", ":2:6", ""),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(
    tmp_path: Path, text: str, place: str, problem: str
) -> None:
    error = refused(text, tmp_path).err
    assert f"configuration {tmp_path}/host.toml{place}: " in error
    assert problem in error


def test_a_variable_that_makes_no_sense_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (("GPUS", "many"), ("TOKENS", "evidence,jwt"), ("GPUS", "257")):
        with monkeypatch.context() as patch:
            patch.setenv(f"WASMTIME_ATTESTATION_{name}", text)
            outcome = run("config", "show")
        assert outcome.code == 2
        assert f"environment variable WASMTIME_ATTESTATION_{name}: " in outcome.err


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_write_is_refused(tmp_path: Path, mode: int) -> None:
    file = write(tmp_path / "host.toml", "schema = 1\n", mode)
    outcome = run("attest", "vm", "--tee", "simulated", "--config", file)
    assert outcome.code == 2
    assert f"others may write {file}" in outcome.err
    file.chmod(0o644)
    assert run("config", "show", "--config", file).code == 0


def test_a_folder_that_others_may_write_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "open" / "host.toml", "schema = 1\n")
    file.parent.chmod(0o777)
    assert "others may write" in run("config", "show", "--config", file).err
    # As /tmp is: others cannot replace the file.
    file.parent.chmod(0o1777)
    assert run("config", "show", "--config", file).code == 0


def test_another_users_file_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "host.toml", "schema = 1\n")
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")
    os.chown(file, 65534, 65534)
    assert "belongs to user 65534" in run("config", "show", "--config", file).err


def test_files_that_are_none(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.toml", tmp_path, Path("/dev/null")):
        outcome = run("config", "check", path)
        assert outcome.code == 2
        assert "Traceback" not in outcome.err


def test_paths_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "etc/own.toml", 'schema = 1\nextends = "strict"\n')
    text = 'schema = 1\n[host]\npolicy = "own.toml"\n[policies]\nours = "own.toml"\n'
    text += '[journal]\ndirectory = "log"\n'
    named = write(tmp_path / "etc/host.toml", text)
    monkeypatch.chdir("/")
    found = settings("--config", named)
    assert found["host.policy"]["value"] == f"{tmp_path}/etc/own.toml"
    assert found["policies.ours"]["value"] == f"{tmp_path}/etc/own.toml"
    assert found["journal.directory"]["value"] == f"{tmp_path}/etc/log"
    outcome = run("config", "check", named)
    assert (outcome.code, outcome.err) == (0, "")
    write(tmp_path / "etc/own.toml", "schema = 3\n")
    assert "own.toml:1:1: schema must be 1" in run("config", "check", named).err


def test_the_schema_fits_the_page() -> None:
    printed = json.loads(run("config", "schema").out)
    jsonschema.Draft202012Validator.check_schema(printed)
    validator = jsonschema.Draft202012Validator(printed)
    for name in PAGE:
        validator.validate(tomllib.loads(documented(name)))
    wrong: list[dict[str, Any]] = [
        {"hosts": {}},
        {"host": {"gpus": "8"}},
        {"host": {"tee": "sgx"}},
        {"host": {"tee": "replay:"}},
        {"host": {"tokens": ["jwt"]}},
        {"journal": {"fsync": "maybe"}},
        {"cache": {"redis": "redis://user:password@cache.example"}},
        {"guests": {"trainer": {"path": "/a", "functions": ["reboot"]}}},
    ]
    for tables in wrong:
        assert not validator.is_valid({"schema": 1, **tables}), tables
    assert not validator.is_valid({})
    validator.validate({"schema": 1, "host": {"tee": "replay:a.json", "tokens": ["ear"]}})


def examples() -> Iterator[tuple[str, str]]:
    """Every TOML text of the documents that is a configuration, or some tables of one."""
    root = PRODUCTION.parents[1]
    for page in (root / "README.md", *sorted((root / "docs").rglob("*.md"))):
        blocks = re.findall(r"^```toml\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
        for number, text in enumerate(blocks):
            if re.search(
                r"^\[(host|policies|endorsers|services|cache|journal|guests)\b", text, re.M
            ):
                yield f"{page.name} {number}", text


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in examples()])
def test_every_documented_configuration_fits_the_schema_and_is_read(
    text: str, tmp_path: Path
) -> None:
    text = text.replace('"…"', f'"{"0" * 64}"')
    values = {"schema": 1, **tomllib.loads(text)}
    jsonschema.Draft202012Validator(schema()).validate(values)
    if "schema" not in tomllib.loads(text):
        text = f"schema = 1\n{text}"
    read([layer(write(tmp_path / "host.toml", text))])


def test_each_documented_part_of_a_configuration_is_found() -> None:
    pages = {name.partition(" ")[0] for name, _ in examples()}
    assert {"production.md", "caches.md", "journal.md", "guests.md", "services.md"} <= pages


def test_what_is_replayed_goes_to_no_service(tmp_path: Path) -> None:
    recording = tmp_path / "recording.json"
    made = run("attest", "vm", "--tee", "simulated", "--record", recording)
    assert made.code == 0, made.err
    text = 'schema = 1\n[services.maa]\nurl = "https://127.0.0.1:9"\n'
    named = write(tmp_path / "host.toml", text)
    asked = ("attest", "vm", "--tee", f"replay:{recording}", "--config", named)
    outcome = run(*asked, "--token", "maa")
    assert outcome.code == 2
    assert "what is replayed is no fresh evidence" in outcome.err
    assert run(*asked, "--token", "evidence").code == 0


def test_what_tokens_of_services_cannot_have_is_refused(tmp_path: Path) -> None:
    named = write(tmp_path / "host.toml", 'schema = 1\n[services.maa]\nregion = "westeurope"\n')
    outcome = run(
        *("attest", "vm", "--tee", "simulated", "--config", named, "--token", "maa", "--boot-log")
    )
    assert outcome.code == 2
    assert "--boot-log, --endorse and --record are for evidence tokens" in outcome.err
