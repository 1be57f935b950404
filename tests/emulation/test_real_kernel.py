"""The collector on a real kernel: its configfs-tsm with a provider of our own, its TPM driver."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulation.kernel import debian, machine, module
from tests.emulation.transcript import transcript
from tests.tools import require

pytestmark = [pytest.mark.weekly, pytest.mark.timeout(1200)]

FAULTS = {
    "EBUSY": "EBUSY: a former request is still in flight",
    "EINTR": "EINTR: signals interrupted it",
    "ETIMEDOUT": "ETIMEDOUT: the host did not answer",
    "EIO": "EIO: the host or its firmware failed",
    "ENOTTY": "ENOTTY: the guest's key to the firmware was wiped",
    "EINVAL": "EINVAL: the provider refused the request",
    "empty": "an empty report",
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Any:  # noqa: ANN401  JSON
    require("swtpm")
    folder = tmp_path_factory.mktemp("kernel")
    unpacked = debian.unpacked()
    (folder / "module").mkdir()
    provider = module.provider(unpacked, folder / "module")
    return machine.machine(unpacked, provider, folder).boot(600)


def test_without_a_provider(seen: Any) -> None:  # noqa: ANN401
    assert "ENOENT: configfs-tsm is not there: mount configfs" in seen["without module"]
    for when in ("without provider", "collected without provider", "after unloading"):
        assert seen[when].startswith("UnsupportedError: configfs-tsm has no provider"), when


def test_with_a_provider(seen: Any) -> None:  # noqa: ANN401
    assert (seen["provider"], seen["collected"], seen["level 2"]) == ("sev_guest", "True", "2")
    assert seen["at once"] == ["True"] * 16
    assert seen["attest vm"]["code"] == 0, seen["attest vm"]["err"]
    # A token is two points and a line.
    assert seen["attest vm"]["parts"] == 2
    assert seen["left"] == []


@pytest.mark.parametrize("fault", FAULTS)
def test_faults(seen: Any, fault: str) -> None:  # noqa: ANN401
    failed, again, seconds = seen["faults"][fault].split(" | ")
    assert failed.startswith("UnavailableError: ")
    assert FAULTS[fault] in failed
    assert (again, seconds) == ("True", "in time")


def test_the_transcript_is_this_kernels_too(seen: Any) -> None:  # noqa: ANN401
    """What the emulation is held against still holds, in every line."""
    assert seen["probe"] == transcript()


def test_the_tpm_as_the_kernel_reads_it(seen: Any) -> None:  # noqa: ANN401
    assert seen["tpm"] == {"same": True, "measured": True}
