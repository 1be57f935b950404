"""GPUs through NVML: which is which, in which mode, and what they hand over."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from wasmtime_attestation.attesters.nvidia import NvidiaAttester
from wasmtime_attestation.endorsements.x509 import der, load_certificate, pem
from wasmtime_attestation.errors import (
    InvalidArgumentError,
    UnavailableError,
    UnsupportedError,
)
from wasmtime_attestation.evidence import spdm
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.wit import GpuInfo

from tests.emulation.nvml.machine import NvmlMachine, board, eight, machine_of
from tests.fakes.nvidia import HOPPER, SWITCH, Device

NONCE = bytes(range(100, 132))
FIRST = "GPU 0 (NVIDIA H100 80GB HBM3, driver 550.90.07)"


def serial(evidence: Evidence) -> int:
    return load_certificate(evidence.endorsements[0].data).serial_number


def test_a_gpu_signs_the_nonce_and_brings_its_chain() -> None:
    with NvmlMachine([board(0)]):
        evidence = NvidiaAttester().collect(0, NONCE)

    assert evidence.type is EvidenceType.NVIDIA_GPU
    assert spdm.decode(evidence.data).nonce == NONCE
    chain = [der(certificate) for certificate in board(0).device.chain()]
    # Signatures are made anew each time, so the certificates are told by what they are about.
    names = [load_certificate(e.data).subject for e in evidence.endorsements]
    assert names == [load_certificate(data).subject for data in chain]


def test_indices_are_in_the_order_of_the_bus_and_not_in_nvmls() -> None:
    with eight():
        attester = NvidiaAttester()
        gpus = attester.gpus()
        evidence = attester.collect_all(NONCE)

    assert [gpu.index for gpu in gpus] == [*range(8)]
    assert [gpu.uuid for gpu in gpus] == [board(n).uuid for n in range(8)]
    expected = [board(n).device.chain()[0].serial_number for n in range(8)]
    assert [serial(piece) for piece in evidence] == expected
    assert len(set(expected)) == 8


def test_the_bus_orders_by_domain_first_and_by_numbers() -> None:
    places = [(1, 2, 0), (0, 0xA0, 0), (0, 0x9, 1), (0, 0x9, 0)]
    gpus = [board(n, pci=pci) for n, pci in enumerate(places)]
    with NvmlMachine(gpus):
        assert [gpu.uuid[11] for gpu in NvidiaAttester().gpus()] == ["3", "2", "1", "0"]


def test_one_gpu_of_eight() -> None:
    with eight() as machine:
        attester = NvidiaAttester()
        attester.gpus()
        machine.calls.clear()
        evidence = attester.collect(5, NONCE)

    assert serial(evidence) == board(5).device.chain()[0].serial_number
    assert machine.calls.count("nvmlDeviceGetConfComputeGpuAttestationReport") == 1


@pytest.mark.parametrize("index", [1, 7, 8, 2**32 - 1])
def test_a_gpu_that_is_not_there(index: int) -> None:
    with NvmlMachine([board(0)]), pytest.raises(UnsupportedError) as caught:
        NvidiaAttester().collect(index, NONCE)

    assert str(caught.value) == f"there is no GPU {index}: this machine has one GPU, with index 0"


def test_a_gpu_beyond_the_last_of_eight() -> None:
    with eight(), pytest.raises(UnsupportedError, match="8 GPUs, with indices 0 to 7"):
        NvidiaAttester().collect(8, NONCE)


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_nonces_have_32_bytes(size: int) -> None:
    with NvmlMachine() as machine:
        attester = NvidiaAttester()
        for call in (lambda: attester.collect(0, bytes(size)), lambda: attester.collect_all(b"")):
            with pytest.raises(InvalidArgumentError, match="32 bytes, not"):
                call()
        assert machine.calls == []


def refused(architecture: int = 9, **settings: object) -> str:
    with machine_of([board(0, architecture=architecture)], **settings) as machine:
        attester = NvidiaAttester()
        (info,) = attester.gpus()
        assert not info.confidential
        with pytest.raises(UnsupportedError) as caught:
            attester.collect(0, NONCE)
        with pytest.raises(UnsupportedError) as again:
            attester.collect_all(NONCE)
        # NVML would only say UNKNOWN, and so it is not asked.
        assert "nvmlDeviceGetConfComputeGpuAttestationReport" not in machine.calls
    assert str(again.value) == str(caught.value)
    return str(caught.value)


def test_cc_mode_off() -> None:
    message = refused(enabled=0)
    assert message.startswith(f"{FIRST} is CC capable but CC mode is off; ")
    assert "nvidia_gpu_tools.py --set-cc-mode=on --reset-after-cc-mode-switch" in message


def test_cc_mode_off_outside_a_confidential_vm() -> None:
    assert "and the driver sees no confidential virtual machine" in refused(enabled=0, cpu=0)


def test_not_cc_capable() -> None:
    message = refused(enabled=0, capable=0)
    assert message.startswith(f"{FIRST} is not CC capable, as its driver says")


def test_a_gpu_older_than_cc() -> None:
    assert refused(enabled=0, architecture=7).startswith(f"{FIRST} is not CC capable; ")


def test_the_developers_mode_is_refused() -> None:
    assert f"{FIRST} is in the developers' mode of CC (devtools)" in refused(devtools=1)


@pytest.mark.parametrize("code", [3, 13])
def test_a_driver_without_cc(code: int) -> None:
    message = refused(errors={"nvmlSystemGetConfComputeCapabilities": code})
    assert ("is not CC capable" if code == 3 else "install branch 550 or newer") in message


def test_eight_in_one_mode_are_one_sentence() -> None:
    with eight(enabled=0), pytest.raises(UnsupportedError) as caught:
        NvidiaAttester().collect_all(NONCE)

    message = str(caught.value)
    assert message.startswith(
        "GPUs 0, 1, 2, 3, 4, 5, 6 and 7 (NVIDIA H100 80GB HBM3, driver 550.90.07): each is CC"
    )
    assert message.count("CC mode is off") == 1


def test_not_ready_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with NvmlMachine(ready=0), caplog.at_level(logging.WARNING):
        attester = NvidiaAttester()
        attester.collect(0, NONCE)
        attester.collect(0, NONCE)

    (record,) = caplog.records
    assert record.message == (
        "the GPUs are not ready: evidence can be collected, but they accept no work until "
        "nvidia-smi conf-compute -srs 1"
    )


@pytest.mark.parametrize(
    "lacking", ["nvmlSystemGetConfComputeGpusReadyState", "nvmlSystemGetConfComputeSettings"]
)
@pytest.mark.parametrize("code", [3, 13, 25])
def test_what_older_drivers_do_not_say(lacking: str, code: int) -> None:
    with NvmlMachine(errors={lacking: code}):
        assert NvidiaAttester().collect(0, NONCE).data


def test_an_architecture_that_the_driver_does_not_know() -> None:
    with NvmlMachine([board(0, architecture=0xFFFFFFFF)]):
        assert NvidiaAttester().collect(0, NONCE).data


def test_a_machine_whose_gpus_are_protected_on_the_bus_alone() -> None:
    """PPCIE: CC mode is off, and there is evidence all the same."""
    with NvmlMachine(enabled=0, multi_gpu=1):
        attester = NvidiaAttester()
        (info,) = attester.gpus()
        assert info.confidential
        assert attester.collect(0, NONCE).data


def test_names_are_made_printable() -> None:
    with NvmlMachine([board(0, name="H\x1b[31m\n200" + "x" * 60)]):
        (gpu,) = NvidiaAttester().gpus()
    assert gpu == GpuInfo(0, board(0).uuid, "H?[31m?200" + "x" * 60, confidential=True)


@pytest.mark.parametrize("name", ["\udcff", ""])
def test_names_that_are_no_text(name: str) -> None:
    gpu = board(0)
    with NvmlMachine([gpu]):
        gpu.name = name
        if name:
            with pytest.raises(UnavailableError, match="bytes that are no text"):
                NvidiaAttester().gpus()
        else:
            assert NvidiaAttester().gpus()[0].name == "?"


@pytest.mark.parametrize("change", [{"uuid": board(1).uuid}, {"pci": board(1).pci}])
def test_two_gpus_that_cannot_be_told_apart(change: dict[str, Any]) -> None:
    with (
        NvmlMachine([board(0, **change), board(1)]),
        pytest.raises(UnavailableError, match="lists a GPU twice"),
    ):
        NvidiaAttester().gpus()


def test_more_gpus_than_any_machine_has() -> None:
    with NvmlMachine([board(0)] * 65), pytest.raises(UnavailableError, match="counts 65 GPUs"):
        NvidiaAttester().gpus()


def test_a_driver_without_gpus() -> None:
    with NvmlMachine([]), pytest.raises(UnsupportedError, match="sees no GPU"):
        NvidiaAttester().gpus()


def answered(**changes: object) -> str:
    """Returns why what a GPU handed over is no evidence."""
    with NvmlMachine([board(0, **changes)]), pytest.raises(UnavailableError) as caught:
        NvidiaAttester().collect(0, NONCE)
    message = str(caught.value)
    assert message.startswith(FIRST)
    return message


def test_a_report_for_another_nonce() -> None:
    message = answered(report=lambda _: HOPPER.report(nonce=bytes(32)))
    assert "a report for another nonce" in message


@pytest.mark.parametrize("report", [b"\0" * 100, b"\x11\xe0\x01\xff", HOPPER.report()[:-97]])
def test_a_report_that_is_none(report: bytes) -> None:
    assert "no report that is understood" in answered(report=lambda _: report)


def test_the_report_of_a_switch() -> None:
    assert "another kind of device" in answered(report=lambda nonce: SWITCH.report(nonce=nonce))


@pytest.mark.parametrize("size", [0, 0x2001, 2**32 - 1])
def test_sizes_that_the_library_makes_up(size: int) -> None:
    gpu = board(0)
    with NvmlMachine([gpu]):
        gpu.report_size = size
        with pytest.raises(UnavailableError, match=f"the report has {size} bytes as NVML says"):
            NvidiaAttester().collect(0, NONCE)


@pytest.mark.parametrize(
    "chain", [b"x", b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", b"\0" * 40]
)
def test_a_chain_that_is_none(chain: bytes) -> None:
    assert "no certificate chain that can be read" in answered(chain=chain)


def test_a_certificate_that_is_none() -> None:
    text = pem(HOPPER.chain()[0]).decode().splitlines()
    chain = "\n".join([text[0], text[2], text[-1], ""]).encode()
    assert "its certificate cannot be read" in answered(chain=chain)


def test_a_gpu_in_the_place_of_another() -> None:
    with eight() as machine:
        attester = NvidiaAttester()
        attester.collect(2, NONCE)
        other = next(gpu for gpu in machine.gpus if gpu.uuid == board(2).uuid)
        other.uuid = "GPU-ffffffff-0000-0000-0000-000000000000"
        with pytest.raises(UnavailableError, match="the device was exchanged") as caught:
            attester.collect(2, NONCE)
        assert board(2).uuid in str(caught.value)
        assert attester.collect(3, NONCE).data


def test_a_gpu_that_poses_as_another() -> None:
    """The UUID is the driver's word; the certificate is the device's."""
    with NvmlMachine([board(0)]) as machine:
        attester = NvidiaAttester()
        attester.collect(0, NONCE)
        machine.gpus[0].device = Device(unit=" of somebody else")
        with pytest.raises(UnavailableError, match="another device poses as this one"):
            attester.collect(0, NONCE)
        machine.gpus[0].device = board(0).device
        assert attester.collect(0, NONCE).data


def test_indices_stay_when_a_gpu_goes() -> None:
    with eight() as machine:
        attester = NvidiaAttester()
        before = attester.gpus()
        machine.gpus = [gpu for gpu in machine.gpus if gpu.uuid != board(0).uuid]
        with pytest.raises(UnavailableError, match=r"GPU 0 .* NOT_FOUND \(6\)"):
            attester.collect(0, NONCE)
        assert serial(attester.collect(1, NONCE)) == board(1).device.chain()[0].serial_number
        assert attester.gpus() == before
