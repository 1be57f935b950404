"""Record and replay: true evidence without its machine, believed by nobody but who replays it."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.cli.tool import Outcome, run, run_process
from tests.example_guests import cpp_reporter

REPLAYED = "tag:wasmtime-attestation,2026:replayed-evidence-token#1"


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of a simulation, with its root beside it."""
    folder = tmp_path_factory.mktemp("recording")
    file = folder / "recording.json"
    options = ("--user-data", "c0ffee", "--audience", "you", "--trust-out", folder / "root.pem")
    assert run("attest", "vm", "--tee", "simulated", "--record", file, *options).code == 0
    return file


def members(file: Path) -> dict[str, Any]:
    document = json.loads(file.read_text())
    assert isinstance(document, dict)
    return document


def replay(file: Path, *options: str | Path) -> Outcome:
    return run("attest", "vm", "--tee", f"replay:{file}", *options)


def claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    document = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert isinstance(document, dict)
    return document


def test_what_a_recording_has(recording: Path) -> None:
    document = members(recording)
    assert (document["kind"], document["schema"]) == ("wasmtime-attestation recording", 1)
    assert document["tee"] == {"tee_type": "simulated", "provider": "simulated"}
    assert [piece["type"] for piece in document["evidence"]] == ["amd-sev-snp"]
    assert document["binding"]["user_data"] == "wP_u"
    assert document["binding"]["audience"] == "you"
    assert document["redacted"] == []
    assert document["context"]["recorder"].startswith("wasmtime-attestation ")
    assert stat.S_IMODE(recording.stat().st_mode) == 0o600
    assert {path.name for path in recording.parent.iterdir()} == {"recording.json", "root.pem"}


def test_a_replay_says_what_it_is(recording: Path) -> None:
    outcome = replay(recording)
    assert outcome.code == 0
    assert outcome.err.startswith("REPLAYED evidence")
    assert "SIMULATED" in outcome.err
    assert claims(outcome.out)["eat_profile"] == REPLAYED


def test_nobody_else_verifies_a_replayed_token(recording: Path, tmp_path: Path) -> None:
    token = tmp_path / "token"
    assert replay(recording, "--nonce", "00" * 16, "-o", token).code == 0
    for trust in ((), ("--trust", recording.parent / "root.pem")):
        outcome = run("verify", token, *trust, "--json")
        assert outcome.code == 4
        failed = [c for c in json.loads(outcome.out)["checks"] if c["outcome"] == "failed"]
        assert [check["id"] for check in failed] == ["token.profile"]
        assert REPLAYED in failed[0]["detail"]
        assert "only the process that replays it" in failed[0]["detail"]


def test_the_original_still_verifies(tmp_path: Path) -> None:
    """Recording takes nothing away from the token that was printed."""
    root, file = tmp_path / "root.pem", tmp_path / "file"
    made = run("attest", "vm", "--tee", "simulated", "--record", file, "--trust-out", root)
    assert run("verify", "-", "--trust", root, stdin=made.out.encode()).code == 0


def test_a_guest_is_served(recording: Path) -> None:
    """The reporter attests and has its own token verified, in the process that replays."""
    outcome = run_process("run", "--tee", f"replay:{recording}", cpp_reporter())
    assert outcome.code == 0, outcome.err
    assert "REPLAYED" in outcome.err
    assert "SIMULATED" in outcome.err


def test_a_replay_cannot_be_recorded(recording: Path, tmp_path: Path) -> None:
    outcome = replay(recording, "--record", tmp_path / "again")
    assert outcome.code == 2
    assert "a recording already" in outcome.err


def test_what_was_not_recorded_is_not_there(recording: Path) -> None:
    for target in ("gpu:0", "all"):
        outcome = run("attest", target, "--tee", f"replay:{recording}")
        assert outcome.code == 3
        assert "had no GPU" in outcome.err or "no GPUs" in outcome.err or "recording" in outcome.err


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"schema": 2}, "schema 1"),
        ({"kind": "x"}, "schema 1"),
        ({"evidence": []}, "no evidence"),
        ({"recorded_at": "now"}, "recorded_at"),
        ({"recorded_at": 1 << 40}, "recorded_at"),
        ({"recorded_at": True}, "recorded_at"),
        ({"binding": {}}, "binding"),
        ({"simulated_root": "00"}, "simulated_root"),
        ({"simulated_root": 1}, "simulated_root"),
        ({"more": 1}, "more"),
        ({"redacted": [1]}, "redacted"),
        ({"gpus": [{}] * 65}, "gpus"),
        ({"context": []}, "context"),
    ],
)
def test_files_that_are_no_recordings(
    recording: Path, tmp_path: Path, change: dict[str, Any], says: str
) -> None:
    file = tmp_path / "file"
    file.write_text(json.dumps(members(recording) | change))
    outcome = replay(file)
    assert (outcome.code, outcome.out) == (2, "")
    assert "no recording" in outcome.err
    assert says in outcome.err


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in replay(tmp_path / "absent").err
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate((32 << 20) + 1)
    assert "more than" in replay(large).err
    for content in (b"", b"{", b"\xff", b"[" * 100_000):
        large.write_bytes(content)
        assert replay(large).code == 2
    assert run("attest", "vm", "--tee", "replay:").code == 2


def test_a_recording_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    absent = tmp_path / "absent" / "file"
    outcome = run("attest", "vm", "--tee", "simulated", "--record", absent)
    assert outcome.code == 2
    assert f"{absent} cannot be written: No such file or directory" in outcome.err
    folder = tmp_path / "folder"
    folder.mkdir()
    assert run("attest", "vm", "--tee", "simulated", "--record", folder).code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_options_that_name_the_same_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    outcome = run("attest", "vm", "--tee", "simulated", "--record", file, "-o", file)
    assert outcome.code == 2
    assert not file.exists()


def test_a_redacted_recording_replays_and_proves_nothing(recording: Path, tmp_path: Path) -> None:
    file = tmp_path / "redacted.json"
    outcome = run("redact", recording, "-o", file)
    assert (outcome.code, outcome.out) == (0, "")
    assert "removed: CHIP_ID" in outcome.err
    assert "no evidence in it verifies" in outcome.err
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    document = members(file)
    assert len(document["evidence"][0]["endorsements"]) == 2
    assert "CHIP_ID" in document["redacted"][0]
    assert replay(file).code == 0
    served = run_process("-v", "run", "--tee", f"replay:{file}", cpp_reporter())
    assert "redacted and proves nothing: CHIP_ID" in served.err


def test_only_recordings_are_redacted(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"{}")
    assert run("redact", file, "-o", tmp_path / "out").code == 2
    assert not (tmp_path / "out").exists()
