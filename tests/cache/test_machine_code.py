"""Machine code on disk: private, authenticated, whole or not at all, and never too much of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from wasmtime_attestation.cache import processor
from wasmtime_attestation.cache.machine_code import KEY, MachineCodeFolder
from wasmtime_attestation.cache.sealed_memory import SealedMemory
from wasmtime_attestation.endorsers.cache_folder import CacheFolder

from tests.tools import missing

HEAD = {"guest": "00", "entry": "_start", "compiler": "x"}
CODE = bytes(range(256)) * 2
NOBODY = 65534
ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "code"


def code(folder: Path, size: int = 1 << 20) -> MachineCodeFolder:
    return MachineCodeFolder(folder, size)


def found(folder: Path, name: str = "name") -> bytes | None:
    entry = code(folder).read(name)
    return None if entry is None else bytes(entry.code.bytes())


def test_what_is_written_is_read_by_the_next_process(folder: Path) -> None:
    assert found(folder) is None
    assert not folder.exists()
    code(folder).write("name", HEAD, CODE)
    entry = code(folder).read("name")
    assert entry is not None
    assert entry.code.bytes() == CODE
    assert entry.head == {**HEAD, "name": "name"}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()} == {
        "name": 0o600,
        KEY: 0o600,
    }


@pytest.mark.parametrize("name", ["name", KEY])
def test_every_flip_and_every_cut_is_noticed(folder: Path, name: str) -> None:
    code(folder).write("name", HEAD, CODE)
    whole = {file.name: file.read_bytes() for file in folder.iterdir()}
    size = len(whole[name])
    flips = [bytes([*whole[name][:n], whole[name][n] ^ 1, *whole[name][n + 1 :]])
             for n in range(size)]  # fmt: skip
    for damaged in (*flips, *(whole[name][:n] for n in range(size)), whole[name] + b"x"):
        for file, data in {**whole, name: damaged}.items():
            (folder / file).write_bytes(data)
            (folder / file).chmod(0o600)
        assert found(folder) is None
    for file, data in whole.items():
        (folder / file).write_bytes(data)
        (folder / file).chmod(0o600)
    assert found(folder) == CODE


def test_what_does_not_verify_is_replaced(folder: Path) -> None:
    code(folder).write("name", HEAD, CODE)
    (folder / "name").write_bytes(b"x")
    assert found(folder) is None
    assert not (folder / "name").exists()
    code(folder).write("name", HEAD, CODE)
    assert found(folder) == CODE


@pytest.mark.parametrize("key", [b"", b"k" * 31, b"k" * 33])
def test_a_key_that_is_none_is_replaced(folder: Path, key: bytes) -> None:
    code(folder).write("name", HEAD, CODE)
    (folder / KEY).write_bytes(key)
    assert found(folder) is None
    code(folder).write("name", HEAD, CODE)
    assert found(folder) == CODE


def test_an_entry_of_another_name_or_another_folder(folder: Path, tmp_path: Path) -> None:
    code(folder).write("name", HEAD, CODE)
    shutil.copy(folder / "name", folder / "other")
    assert found(folder, "other") is None
    elsewhere = tmp_path / "elsewhere"
    code(elsewhere).write("another", HEAD, CODE)
    shutil.copy(folder / "name", elsewhere / "name")
    assert found(elsewhere) is None
    assert found(elsewhere, "another") == CODE


def test_what_was_verified_does_not_change_with_the_file(folder: Path) -> None:
    code(folder).write("name", HEAD, CODE)
    entry = code(folder).read("name")
    assert entry is not None
    with (folder / "name").open("r+b") as file:
        file.seek(-len(CODE), os.SEEK_END)
        file.write(b"evil")
    assert entry.code.bytes() == CODE
    if entry.code.path is None:
        missing("this system seals no memory")
    with entry.code.path.open("r+b", buffering=0) as sealed, pytest.raises(PermissionError):
        sealed.write(b"evil")
    with pytest.raises(PermissionError):
        os.truncate(entry.code.path, 0)


def test_where_no_memory_can_be_sealed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> int:
        raise PermissionError

    monkeypatch.setattr(os, "memfd_create", forbidden)
    code(folder).write("name", HEAD, CODE)
    assert found(folder) == CODE
    memory = SealedMemory([CODE, CODE])
    assert memory.path is None
    assert len(memory) == 2 * len(CODE)
    assert memory.bytes() == CODE * 2


def test_sealed_memory_goes_with_its_object() -> None:
    memory = SealedMemory([CODE])
    path = memory.path
    if path is None:
        missing("this system seals no memory")
    assert path.read_bytes() == CODE
    place = path.readlink()
    del memory
    assert not path.is_symlink() or path.readlink() != place


@pytest.mark.parametrize("mode", [0o755, 0o720, 0o701])
def test_a_folder_of_others_is_not_used(
    folder: Path, mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    code(folder).write("name", HEAD, CODE)
    folder.chmod(mode)
    assert found(folder) is None
    assert "compiled guests are not kept" in caplog.text


@pytest.mark.parametrize("name", ["name", KEY])
def test_a_file_that_others_can_read_is_not_used(folder: Path, name: str) -> None:
    code(folder).write("name", HEAD, CODE)
    (folder / name).chmod(0o644)
    assert found(folder) is None


@pytest.mark.parametrize("name", ["", "name", KEY])
def test_what_belongs_to_others_is_not_used(folder: Path, name: str) -> None:
    if os.geteuid() != 0:
        missing("only root gives files away")
    code(folder).write("name", HEAD, CODE)
    os.chown(folder / name, NOBODY, NOBODY)
    assert found(folder) is None


@pytest.mark.parametrize("name", ["", "name", KEY])
def test_links_are_not_followed(folder: Path, tmp_path: Path, name: str) -> None:
    code(folder).write("name", HEAD, CODE)
    target = tmp_path / "target"
    (folder / name).rename(target)
    (folder / name).symlink_to(target)
    assert found(folder) is None


def test_the_user_hears_of_a_folder_that_was_chosen(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = tmp_path / "file"
    place.touch()
    MachineCodeFolder(place / "code", 1 << 20, is_chosen=False).write("name", HEAD, CODE)
    assert not caplog.records
    code(place / "code").write("name", HEAD, CODE)
    assert "compiled guests are not kept" in caplog.text
    assert "cannot be used" in caplog.text


def test_the_one_not_used_for_longest_gives_way(folder: Path) -> None:
    small = code(folder, size=3 * 800)
    for age, name in enumerate(("a", "b", "c")):
        small.write(name, HEAD, CODE)
        os.utime(folder / name, (1e9 + age, 1e9 + age))
    os.utime(folder / KEY, (0, 0))
    assert small.read("a") is not None
    small.write("d", HEAD, CODE)
    assert [small.read(name) is not None for name in "abcd"] == [True, False, True, True]
    total = sum(file.stat().st_size for file in folder.iterdir() if file.name != KEY)
    assert total <= 3 * 800


def test_what_is_larger_than_all_may_be_is_not_kept(folder: Path) -> None:
    code(folder, size=800).write("name", HEAD, CODE)
    code(folder, size=800).write("large", HEAD, CODE * 2)
    assert not (folder / "large").exists()
    assert found(folder) == CODE
    assert code(folder, size=400).read("name") is None


def test_a_full_disk(tiny: Path, caplog: pytest.LogCaptureFixture) -> None:
    place = tiny / "code"
    code(place).write("name", HEAD, CODE)
    code(place).write("large", HEAD, CODE * 200)
    assert "No space left on device" in caplog.text
    assert found(place) == CODE
    assert found(place, "large") is None
    assert not list(place.glob(".tmp-*"))


def test_killed_at_every_point_it_has_the_whole_or_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.cache.killed", "code", tmp_path],
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sys.path))},
        cwd=ROOT,
    )
    points = int(done.stdout)
    assert points > 20
    seen = set()
    for point in range(points):
        place = tmp_path / str(point)
        first, second = found(place, "first"), found(place, "second")
        assert first in (None, b"n" * 1000), point
        assert second in (None, b"s" * 1000), point
        seen.add((first, second))
        # What is left of it hinders nobody.
        code(place).write("first", HEAD, CODE)
        assert found(place, "first") == CODE
    assert len(seen) > 2


_MANY = """
import sys
from pathlib import Path
from wasmtime_attestation.cache.machine_code import MachineCodeFolder
folder = MachineCodeFolder(Path(sys.argv[1]), 20_000)
for turn in range(40):
    for name in ("a", "b", "c"):
        entry = folder.read(name)
        assert entry is None or entry.code.bytes() == name.encode() * 5000
        folder.write(name, {}, name.encode() * 5000)
"""


def test_many_processes_at_once(folder: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sys.path))}
    running = [
        subprocess.Popen([sys.executable, "-c", _MANY, folder], env=environment) for _ in range(4)
    ]
    assert [process.wait(60) for process in running] == [0] * 4
    names = sorted(file.name for file in folder.iterdir())
    assert KEY in names
    assert all(found(folder, name) == name.encode() * 5000 for name in names if name != KEY)


def test_what_a_killed_process_left_is_removed(folder: Path) -> None:
    code(folder).write("name", HEAD, CODE)
    left = folder / ".tmp-1-x"
    left.touch()
    os.utime(left, (0, 0))
    code(folder).write("other", HEAD, CODE)
    assert not left.exists()


def test_create_keeps_what_is_there(folder: Path) -> None:
    with CacheFolder.open(folder) as opened:
        opened.create("file", b"first")
        opened.create("file", b"second")
        assert opened.read("file", 10) == b"first"
        assert [file.name for file in opened.files()] == ["file"]


def test_processors_differ_by_what_they_can_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "cpuinfo"
    monkeypatch.setattr(processor, "_CPUINFO", place)

    def features(text: str) -> str:
        place.write_text(text)
        return processor.features()

    one = "processor\t: 0\nmodel name\t: A\nflags\t\t: fpu avx avx2\n\n"
    same = "processor\t: 0\nmodel name\t: B\nflags\t\t: avx2 avx fpu\n\nprocessor: 1\nflags: x\n\n"
    assert features(one) == features(same)
    assert features(one) != features(one.replace(" avx2", ""))
    assert features("Features\t: fp asimd\n") != features("Features\t: fp asimd sve\n")
    place.unlink()
    assert processor.features() == processor.features()
