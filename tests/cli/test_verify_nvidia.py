"""`verify` and `inspect` of reports of real GPUs: every outcome, every wrapping."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from tests import vectors
from tests.cli.tool import Outcome, run
from tests.verifier.test_nvidia_real import CHAIN, DRIVER, NONCE, VBIOS, blackwell, hopper

REPORT = "nvidia/gonvattest_test_raw_gpu_attestation_report.dat"
AT = ("--at", "2025-08-21T12:00:00Z")
GOOD = (CHAIN, DRIVER, VBIOS)
MATCH = "32 of 33 golden measurements match; index 35 is skipped: NVDEC0 is disabled"


def verify(source: Path, files: tuple[str, ...], *options: str) -> Outcome:
    endorsed = [part for name in files for part in ("--endorsements", str(vectors.path(name)))]
    return run("verify", source, *endorsed, *options)


def item(report: bytes, chain: str) -> dict[str, str]:
    return {
        "arch": "HOPPER",
        "nonce": "00" * 32,
        "evidence": base64.b64encode(report).decode(),
        "certificate": base64.b64encode(vectors.read(chain)).decode(),
    }


def test_a_report_is_authentic_and_not_appraised() -> None:
    outcome = verify(vectors.path(REPORT), GOOD, *AT, "--nonce", NONCE.hex())

    assert outcome.code == 0
    assert outcome.out.splitlines()[-1] == "result   authentic, NOT APPRAISED"
    assert MATCH in outcome.out
    assert "478176379286082186618948445787393647364802107249" in outcome.out


def test_a_folder_with_everything_in_it() -> None:
    """Responses of another day say nothing, and files of other kinds may stand there."""
    folder = str(vectors.path(REPORT).parent)
    outcome = run("verify", vectors.path(REPORT), "--endorsements", folder, *AT, "--json")

    report = json.loads(outcome.out)
    checks = {check["id"]: check["outcome"] for check in report["checks"]}
    assert outcome.code == 0
    assert checks["nvidia.device-revocation"] == "passed"
    assert checks["nvidia.rim-revocation"] == "not-checked"
    assert report["input"]["kind"] == "nvidia-gpu"
    (evidence,) = report["claims"]["evidence"]
    assert evidence["nvidia-gpu"]["measurements_skipped"] == [35]
    assert evidence["nvidia-gpu"]["measurements_matched"] == 32


@pytest.mark.parametrize("encode", [bytes.hex, lambda data: base64.b64encode(data).decode()])
def test_text_is_recognised(encode: object, tmp_path: Path) -> None:
    file = tmp_path / "report.txt"
    file.write_text(encode(hopper()))  # type: ignore[operator]

    assert MATCH in verify(file, GOOD, *AT).out


def test_nvidias_list(tmp_path: Path) -> None:
    file = tmp_path / "evidence.json"
    file.write_text(json.dumps([item(hopper(), CHAIN)]))

    assert verify(file, (DRIVER, VBIOS), *AT).code == 0


@pytest.mark.parametrize(("count", "code"), [(1, 0), (2, 5)])
def test_how_many_gpus_there_must_be(count: int, code: int, tmp_path: Path) -> None:
    file, under = tmp_path / "evidence.json", tmp_path / "count.toml"
    file.write_text(json.dumps([item(hopper(), CHAIN)]))
    under.write_text(f'schema = 1\naccept = ["nvidia-gpu"]\n[gpu]\nexpected-count = {count}\n')

    outcome = verify(file, (DRIVER, VBIOS), *AT, "--policy", str(under))

    assert outcome.code == code
    assert ("evidence of 1 GPUs; the policy expects 2" in outcome.err) == (code == 5)


def test_each_of_several_devices_is_verified(tmp_path: Path) -> None:
    file = tmp_path / "evidence.json"
    chains = (CHAIN, "nvidia/nvsdk_blackwellCertChain.txt")
    items = [
        item(report, chain) for report, chain in zip((hopper(), blackwell()), chains, strict=True)
    ]
    file.write_text(json.dumps(items))

    outcome = verify(file, (DRIVER, VBIOS), *AT, "--json")

    checks = json.loads(outcome.out)["checks"]
    first = {check["outcome"] for check in checks if check["evidence"] == 0}
    assert outcome.code == 6
    assert "failed" not in first
    assert "evidence [1]" in outcome.err


def test_a_device_does_not_stand_for_two(tmp_path: Path) -> None:
    file = tmp_path / "evidence.json"
    file.write_text(json.dumps([item(hopper(), CHAIN)] * 2))

    outcome = verify(file, (DRIVER, VBIOS), *AT, "--policy", "hardware-only")

    assert outcome.code == 4
    assert "nvidia.device: evidence [1]: device 47817637928608" in outcome.err
    assert "is that of evidence [0]: each counts once" in outcome.err


def test_missing_manifests_are_named() -> None:
    source = vectors.path("nvidia/nvsdk_blackwellAttestationReport.txt")

    outcome = verify(source, ("nvidia/nvsdk_blackwellCertChain.txt",), *AT)

    assert outcome.code == 6
    assert "NV_GPU_CC_DRIVER_GB100_575.32" in outcome.err
    assert "NV_GPU_VBIOS_G525_0220_886_970088000F" in outcome.err


def test_an_expired_manifest() -> None:
    outcome = verify(vectors.path(REPORT), GOOD, "--at", "2026-06-02T00:00:00Z")

    assert outcome.code == 4
    assert "nvidia.driver-rim" in outcome.err
    assert "expired at 2026-06-01T02:08:29" in outcome.err


def test_another_nonce() -> None:
    outcome = verify(vectors.path(REPORT), GOOD, *AT, "--nonce", "00" * 32)

    assert outcome.code == 4
    assert "nvidia.nonce" in outcome.err


def test_a_gpu_has_no_report_data() -> None:
    outcome = verify(vectors.path(REPORT), GOOD, *AT, "--report-data", "00" * 64)

    assert outcome.code == 2
    assert "has a nonce, and no report data" in outcome.err


@pytest.mark.parametrize(("preset", "code"), [("hardware-only", 0), ("gpu", 5)])
def test_presets(preset: str, code: int) -> None:
    outcome = verify(vectors.path(REPORT), GOOD, *AT, "--policy", preset)

    assert outcome.code == code
    assert ("policy.gpu-revocation" in outcome.err) is (code == 5)


def test_a_report_is_inspected() -> None:
    report = json.loads(run("inspect", vectors.path(REPORT), "--json").out)

    assert report["kind"] == "nvidia-gpu"
    assert report["report"]["driver_version"] == "550.90.07"
    assert len(report["report"]["measurements"]) == 64


def test_a_manifest_is_inspected() -> None:
    (manifest,) = json.loads(run("inspect", vectors.path(VBIOS), "--json").out)["manifests"]

    assert manifest["id"] == "NV_GPU_VBIOS_1010_0200_882_96009F0001"
    assert manifest["version"] == "96.00.9F.00.01"
    assert len(manifest["golden_measurements"]) == 12


def test_a_response_is_inspected() -> None:
    name = "nvidia/gonvattest_test_gpu_certificate_l2_base64encoded_ocsp_response.dat"
    ((answer,),) = json.loads(run("inspect", vectors.path(name), "--json").out)["ocsp_responses"]

    assert answer["status"] == "good"
    assert answer["this_update"] == "2025-08-21T06:47:08Z"
