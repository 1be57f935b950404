"""Every platform: detected, examined, attested by the tool and by guests, verified to its root."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from wasmtime_attestation import wit
from wasmtime_attestation.attesters import recording_file, replay
from wasmtime_attestation.cli import given
from wasmtime_attestation.embedding import files
from wasmtime_attestation.policy import HARDWARE_ONLY, AppraisalPolicy, read
from wasmtime_attestation.policy.source import Source
from wasmtime_attestation.service import AttestationService, Settings

from tests.cli.tool import Outcome, run
from tests.collecting.platforms import PLATFORMS, SNP, Platform, verifying
from tests.emulation.namespace import Namespace
from tests.guests import gpu_guests

NONCE = "0123456789abcdef"


def _each() -> list[object]:
    """One platform is tried in every run, all of them where there is time."""
    return [
        pytest.param(p, id=str(p), marks=[pytest.mark.slow] * (p is not SNP)) for p in PLATFORMS
    ]


@pytest.fixture(scope="module", params=_each())
def platform(request: pytest.FixtureRequest) -> Platform:
    assert isinstance(request.param, Platform)
    return request.param


@pytest.fixture(scope="module")
def machine(platform: Platform) -> Iterator[Namespace]:
    with platform.start() as machine:
        yield machine


def verified(machine: Namespace, platform: Platform, token: str, *options: str) -> dict[str, Any]:
    """Returns the claims of a token, which must verify with the miniature vendors' roots."""
    needed = verifying(machine, platform)
    outcome = run("verify", "-", *needed, *options, "--json", stdin=token.encode())
    assert outcome.code == 0, outcome.err
    assert outcome.err.startswith("SIMULATED")  # a miniature's root is none of a vendor's
    claims = json.loads(outcome.out)["claims"]
    assert isinstance(claims, dict)
    return claims


def without_trust(options: list[str]) -> list[str]:
    pairs = zip(options[::2], options[1::2], strict=True)
    return [word for pair in pairs if pair[0] != "--trust" for word in pair]


def kinds(token: str) -> tuple[str, ...]:
    """Returns the kinds of evidence that stand in a token."""
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return tuple(piece["type"] for piece in claims["evidence"])


def attest(machine: Namespace, target: str, *options: str) -> Outcome:
    outcome = machine.cli("attest", target, "--nonce", NONCE, *options)
    assert outcome.code == 0, outcome.err
    return outcome


def policy_of(platform: Platform) -> AppraisalPolicy:
    if platform.policy is None:
        return HARDWARE_ONLY
    return read("policy", Source.of("policy", platform.policy.encode()))[0]


def replaying(file: Path, platform: Platform, options: list[str]) -> wit.World:
    """Returns the world of a host that replays and trusts the miniature vendors."""
    given_as = list(zip(options[::2], options[1::2], strict=True))
    roots = tuple(Path(value) for option, value in given_as if option == "--trust")
    named = tuple(Path(value) for option, value in given_as if option == "--endorsements")
    made = recording_file.read(file)
    settings = Settings(
        given.anchors(roots),
        policy=policy_of(platform),
        endorsements=files.endorsements(named) + made.decoded_endorsements(),
        recorded=made.recorded,
    )
    return AttestationService(replay.machine(made), settings, time.time).for_guest(None)


def test_detect(machine: Namespace, platform: Platform) -> None:
    outcome = machine.cli("detect", "--json")
    assert (outcome.code, outcome.err) == (0, "")
    members = json.loads(outcome.out)
    assert members["tee_type"] == platform.tee_type
    assert members["provider"] == platform.provider
    assert members["supports_attestation"] is True
    assert members["obstacle"] == ""
    assert members["gpu_count"] == platform.evidence.count("nvidia-gpu")
    assert all(gpu["confidential"] for gpu in members["gpus"])
    assert members["cloud"] == ("azure" if platform.provider == "azure-vtpm" else "")


def test_doctor(machine: Namespace, platform: Platform) -> None:
    outcome = machine.cli("doctor", "--json")
    assert (outcome.code, outcome.err) == (0, "")
    members = json.loads(outcome.out)
    assert members["healthy"] is True
    outcomes = {check["id"].removeprefix("doctor."): check for check in members["checks"]}
    assert {id_ for id_ in platform.fine if outcomes[id_]["outcome"] != "ok"} == set()
    assert not any(check["outcome"] == "failed" for check in members["checks"])
    assert all(c["remedy"] for c in members["checks"] if c["outcome"] in ("warning", "failed"))


def test_attest_vm(machine: Namespace, platform: Platform) -> None:
    token = attest(machine, "vm").out
    verified(machine, platform, token, "--nonce", NONCE)
    assert kinds(token) == platform.evidence[:1]
    # Without --trust the miniature is a forger, whatever else is given.
    refused = run("verify", "-", *without_trust(verifying(machine, platform)), stdin=token.encode())
    assert refused.code in (4, 6)


def test_attest_all(machine: Namespace, platform: Platform) -> None:
    gpus = platform.evidence.count("nvidia-gpu")
    token = attest(machine, "all", "--gpus", str(gpus)).out
    verified(machine, platform, token, "--nonce", NONCE)
    assert kinds(token) == platform.evidence
    outcome = machine.cli("attest", "all", "--gpus", str(gpus + 1))
    assert outcome.code in (3, 6)


@pytest.mark.parametrize("build", [gpu_guests.legacy, gpu_guests.component])
def test_guests(machine: Namespace, platform: Platform, build: object) -> None:
    assert callable(build)
    outcome = machine.cli("run", "--tee", "auto", build(), "tee", "vm", "all", "7")
    assert (outcome.code, outcome.err) == (0, "")
    lines = {line.partition(": ")[0]: line.partition(": ")[2] for line in outcome.out.splitlines()}
    assert lines["tee"] == f"{platform.display} by {platform.provider}"
    assert lines["vm"].startswith(f"{platform.display} ")
    token = lines["vm"].removeprefix(f"{platform.display} ")
    claims = verified(machine, platform, token)
    assert kinds(token) == platform.evidence[:1]
    assert len(claims["guest_digest"]) == 64
    if "nvidia-gpu" not in platform.evidence:
        return
    token = lines["attest-gpu 7"].removeprefix("NVIDIA GPU ")
    verified(machine, platform, token)
    assert kinds(token) == ("nvidia-gpu",)
    if build is gpu_guests.legacy:
        assert "the legacy ABI carries at most 50000" in lines["all"]
        return
    token = lines["all"].removeprefix(f"{platform.display} ")
    verified(machine, platform, token)
    assert kinds(token) == platform.evidence


def test_by_its_name(machine: Namespace, platform: Platform) -> None:
    token = attest(machine, "vm", "--tee", platform.provider).out
    verified(machine, platform, token)
    assert kinds(token) == platform.evidence[:1]
    other = "sev-guest" if platform.provider != "sev-guest" else "configfs-tsm"
    outcome = machine.cli("attest", "vm", "--tee", other)
    assert outcome.code in (3, 6)
    assert outcome.err.startswith(("unsupported: ", "unavailable: "))


def test_what_is_recorded_here_replays_anywhere(machine: Namespace, platform: Platform) -> None:
    """Recorded on the machine, replayed outside of it: true there and nowhere else."""
    folder = machine.folder(platform.emulations()[0].name)
    file = folder / "recording.json"
    gpus = platform.evidence.count("nvidia-gpu")
    attest(machine, "all", "--gpus", str(gpus), "--record", str(file))
    replayed = run("attest", "all", "--gpus", str(gpus), "--tee", f"replay:{file}")
    assert replayed.code == 0
    options = verifying(machine, platform)
    assert run("verify", "-", *options, stdin=replayed.out.encode()).code == 4

    world = replaying(file, platform, options)
    assert world.detect_tee().tee_type == platform.tee_type
    token = world.attest_vm().token
    assert world.verify_token(token)
    redacted = folder / "redacted.json"
    assert run("redact", file, "-o", redacted).code == 0
    world = replaying(redacted, platform, options)
    assert not world.verify_token(world.attest_vm().token)
