"""Detection says what is there, and everything that it looked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from wasmtime_attestation.attesters.detect import SOURCES, DetectedAttester, detect
from wasmtime_attestation.errors import UnsupportedError
from wasmtime_attestation.wit import TeeInfo, TeeType


def machine(root: Path, *paths: str) -> Path:
    """Makes a file system with some files in it."""
    for path in paths:
        file = root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return root


@pytest.mark.parametrize(
    ("paths", "tee_type", "provider"),
    [
        ([], TeeType.NONE, ""),
        (["/dev/sev-guest"], TeeType.AMD_SEV_SNP, "sev-guest"),
        (["/dev/tdx_guest"], TeeType.INTEL_TDX, "tdx-guest"),
        (["/dev/tdx-guest"], TeeType.INTEL_TDX, "tdx-guest"),
        (["/sys/firmware/sev"], TeeType.AMD_SEV, ""),
        (["/sys/firmware/sev", "/dev/sev-guest"], TeeType.AMD_SEV_SNP, "sev-guest"),
        (["/dev/sev", "/dev/null"], TeeType.NONE, ""),
    ],
)
def test_the_kind_follows_from_the_files(
    tmp_path: Path, paths: list[str], tee_type: TeeType, provider: str
) -> None:
    detection = detect(machine(tmp_path, *paths))

    assert (detection.tee_type, detection.provider) == (tee_type, provider)
    assert [probe.source for probe in detection.probes] == list(SOURCES)
    found = {probe.source.path for probe in detection.probes if probe.found}
    assert found == {path for path in paths if path in {s.path for s in SOURCES}}


@pytest.mark.parametrize(
    ("path", "start"),
    [
        (None, "No TEE attestation available. Not running in a Confidential VM"),
        ("/sys/firmware/sev", "AMD SEV detected (memory encrypted) but SEV-SNP not available"),
        ("/dev/sev-guest", "amd-sev-snp is here (sev-guest), but this release collects no"),
        ("/dev/tdx_guest", "intel-tdx is here (tdx-guest), but this release collects no"),
    ],
)
def test_collecting_is_refused_with_the_reason(
    tmp_path: Path, path: str | None, start: str
) -> None:
    attester = DetectedAttester(detect(machine(tmp_path, *([path] if path else []))))

    with pytest.raises(UnsupportedError) as caught:
        attester.collect(bytes(64))

    assert caught.value.message.startswith(start)
    # The field's guests cut JSON at quotes (DESIGN section 5).
    assert caught.value.message.isascii()
    assert not set(caught.value.message) & set('"\\')


def test_what_is_there_is_named_and_not_promised(tmp_path: Path) -> None:
    attester = DetectedAttester(detect(machine(tmp_path, "/dev/sev-guest")))

    assert attester.info() == TeeInfo(
        TeeType.AMD_SEV_SNP, supports_attestation=False, provider="sev-guest", gpu_count=0
    )
