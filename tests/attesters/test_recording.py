"""The file of a recording: what is written is read back, and nothing else is."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from wasmtime_attestation import wit
from wasmtime_attestation.attesters import recording_file, replay
from wasmtime_attestation.attesters.recording import Recording
from wasmtime_attestation.errors import InvalidArgumentError, UnsupportedError

from tests.fakes.recording import of_machine

DATA = of_machine().encode()


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    made = of_machine()
    assert Recording.decode(DATA) == made
    file = tmp_path / "file"
    file.write_bytes(b"of another")
    recording_file.write(file, made)
    assert recording_file.read(file) == made
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    bare = replace(
        made,
        gpus=(),
        info=replace(made.info, gpu_count=0),
        simulated_root=None,
        context={},
        endorsements=(),
        recorded=replace(
            made.recorded,
            redacted=(),
            binding=replace(
                made.recorded.binding, guest_digest=None, user_data=None, audience=None
            ),
        ),
    )
    assert Recording.decode(bare.encode()) == bare


def test_every_cut_is_refused() -> None:
    for end in range(len(DATA) - 1):  # the last byte is the end of the line
        with pytest.raises(ValueError):
            Recording.decode(DATA[:end])


def test_no_flip_is_more_than_refused() -> None:
    """A flip within data is another recording, whose evidence does not verify."""
    for position in range(len(DATA)):
        changed = bytearray(DATA)
        changed[position] ^= 1
        try:
            other = Recording.decode(bytes(changed))
        except ValueError:
            continue
        assert Recording.decode(other.encode()) == other


def test_each_gpu_answers_for_itself() -> None:
    machine = replay.machine(of_machine())
    pieces = of_machine().recorded.evidence
    assert machine.info().gpu_count == 2
    assert machine.info().provider == "replay"
    assert machine.collect(wit.TargetVm(), bytes(64)) == pieces[:1]
    assert machine.collect(wit.TargetGpu(1), bytes(64)) == pieces[2:]
    assert machine.collect(wit.TargetAll(), bytes(64)) == pieces


def test_a_recording_of_one_gpu_has_that_one_alone() -> None:
    made = of_machine()
    recorded = replace(made.recorded, evidence=made.recorded.evidence[1:2])
    machine = replay.machine(replace(made, recorded=recorded, first_gpu=1))
    assert machine.collect(wit.TargetGpu(1), bytes(64)) == recorded.evidence
    for target in (wit.TargetGpu(0), wit.TargetGpu(2), wit.TargetVm(), wit.TargetAll()):
        with pytest.raises(UnsupportedError):
            machine.collect(target, bytes(64))


def test_a_file_that_cannot_be_replaced_stays(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(InvalidArgumentError, match="cannot be written"):
        recording_file.write(folder, of_machine())
    assert list(tmp_path.iterdir()) == [folder]


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(InvalidArgumentError):
        recording_file.read(pipe)


def test_what_is_no_file_is_not_replaced_by_one(tmp_path: Path) -> None:
    """As root, `-o /dev/null` or `-o /dev/stdout` would cost the whole machine that device."""
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for path in (pipe, link):
        with pytest.raises(InvalidArgumentError, match="no regular file"):
            recording_file.write(path, of_machine())
    assert pipe.is_fifo()
    assert link.is_symlink()


def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_bytes(b"of another")
    link.symlink_to(file)
    recording_file.write(link, of_machine())
    assert link.is_symlink()
    assert recording_file.read(file) == of_machine()


def test_a_simulation_is_one_whatever_its_recording_says() -> None:
    made = of_machine()
    assert made.info.tee_type is wit.TeeType.INTEL_TDX
    assert replay.machine(made).info().tee_type is wit.TeeType.SIMULATED
    real = replay.machine(replace(made, simulated_root=None))
    assert real.info().tee_type is wit.TeeType.INTEL_TDX
