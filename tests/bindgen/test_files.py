"""Generated files on disk."""

from __future__ import annotations

from pathlib import Path

import pytest
from wasmtime_attestation_bindgen import files
from wasmtime_attestation_bindgen.errors import InputError


def test_only_what_changed_is_written(tmp_path: Path) -> None:
    wanted = {"a.txt": "one\n", "sub/b.txt": "two\n"}
    assert files.write(tmp_path, wanted) == ["a.txt", "sub/b.txt"]
    assert (tmp_path / "sub" / "b.txt").read_bytes() == b"two\n"
    assert files.write(tmp_path, wanted) == []
    assert files.write(tmp_path, {**wanted, "a.txt": "three\n"}) == ["a.txt"]
    assert files.stale(tmp_path, {"a.txt": "three\n", "sub/b.txt": "two\n"}) == ""
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.txt", "b.txt", "sub"]


def test_the_difference_is_a_unified_diff(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("same\nold\n")
    diff = files.stale(tmp_path, {"a.txt": "same\nnew\n", "b.txt": "all\n"})
    assert "-old\n+new\n" in diff
    assert "--- /dev/null\n" in diff
    assert "+all\n" in diff


@pytest.mark.parametrize("blocked", ["a.txt/b", "a.txt"])
def test_a_path_that_cannot_be_written_is_an_error(tmp_path: Path, blocked: str) -> None:
    (tmp_path / "a.txt").write_text("a file") if blocked != "a.txt" else (
        tmp_path / "a.txt"
    ).mkdir()
    with pytest.raises(InputError, match=r"cannot (write|read)"):
        files.write(tmp_path, {blocked: "x"})


def test_the_mode_of_a_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.sh"
    path.write_text("old")
    path.chmod(0o750)
    files.write(tmp_path, {"a.sh": "new"})
    assert path.stat().st_mode & 0o777 == 0o750
