"""`rust`, `cpp` and `host` on the command line: written, compared, refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from wasmtime_attestation_bindgen import cli

ROOT = Path(__file__).parents[2]
LANGUAGES = ("rust", "cpp", "host")
GENERATED = (
    ("rust", "wit", "guests/rust/attestation/src/bindings"),
    ("cpp", "wit", "guests/cpp/include"),
    ("host", "wit", "host/wasmtime_attestation"),
)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli.main, [*map(str, arguments)])


@pytest.mark.parametrize(("language", "wit", "folder"), GENERATED)
def test_what_is_committed_is_current(language: str, wit: str, folder: str) -> None:
    result = run(language, "--wit", ROOT / wit, "--legacy", "--check", "-o", ROOT / folder)
    assert (result.exit_code, result.output) == (0, "")


def test_the_example_commands_header_is_current() -> None:
    guest = ROOT / "guests" / "cpp"
    result = run("cpp", "--wit", guest / "wit", "--check", "-o", guest / "generated")
    assert (result.exit_code, result.output) == (0, "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_stale_files_are_shown_as_a_diff(language: str, tmp_path: Path) -> None:
    wit, output = tmp_path / "a.wit", tmp_path / "out"
    wit.write_text("package a:b; interface i { one: func(); } world w { import i; }")
    command = (language, "--wit", wit, "-o", output)
    missing = run(*command, "--check")
    assert missing.exit_code == 5
    assert "is stale" in missing.stderr
    assert not output.exists()
    written = run(*command)
    assert written.exit_code == 0
    assert {Path(line) for line in written.stdout.splitlines()} == {
        path for path in output.rglob("*") if path.is_file()
    }
    assert run(*command, "--check").exit_code == 0
    assert run(*command).stdout == ""
    wit.write_text("package a:b; interface i { two: func(); } world w { import i; }")
    stale = run(*command, "--check")
    assert stale.exit_code == 5
    removed, added = (
        [line for line in stale.stdout.splitlines() if line.startswith(sign)] for sign in "-+"
    )
    assert any("one" in line for line in removed)
    assert any("two" in line for line in added)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("item", "options", "message"),
    [
        ("f: func() -> future<u8>;", (), "function `f` of `a:b/i` mentions a future"),
        ("f: async func();", (), "function `f` of `a:b/i` is async"),
        ("resource r;", (), None),
        ("resource r; f: func(r: borrow<r>);", ("--legacy",), "which has no legacy form"),
        ("f: func() -> nothing;", (), "nothing"),
    ],
)
def test_what_cannot_be_expressed_is_one_error(
    language: str, item: str, options: tuple[str, ...], message: str | None, tmp_path: Path
) -> None:
    wit, output = tmp_path / "a.wit", tmp_path / "out"
    wit.write_text(f"package a:b;\ninterface i {{ {item} }}\nworld w {{ import i; }}\n")
    result = run(language, "--wit", wit, *options, "-o", output)
    if message is None:
        assert result.exit_code == 0
        return
    assert result.exit_code == 4
    assert result.stderr.count("error: ") == 1
    assert message in result.stderr
    assert f"{wit}:2:" in result.stderr
    assert not output.exists()


def test_the_world_is_named_where_there_are_several(tmp_path: Path) -> None:
    wit = tmp_path / "a.wit"
    wit.write_text("package a:b; world v { import f: func(); } world w {}")
    result = run("rust", "--wit", wit, "-o", tmp_path / "out")
    assert result.exit_code == 4
    assert "name one: `v`, `w`" in result.stderr
    assert run("rust", "--wit", wit, "--world", "v", "-o", tmp_path / "out").exit_code == 0


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    result = run("cpp", "--wit", ROOT / "wit", "-o", tmp_path / "out" / "sub")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: cannot ")
