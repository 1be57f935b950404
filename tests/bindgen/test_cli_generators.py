"""`rust`, `cpp`, `host` and `generate` on the command line: written, compared, refused."""

from __future__ import annotations

import subprocess
import sys
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


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


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


def test_several_languages_at_once_are_the_same_files(tmp_path: Path) -> None:
    outputs = {language: tmp_path / "together" / language for language in LANGUAGES}
    options = [text for language, path in outputs.items() for text in (f"--{language}", path)]
    command = ("generate", "--wit", ROOT / "wit", "--legacy", *options)
    assert run(*command, "--check").exit_code == 5
    assert not (tmp_path / "together").exists()
    result = run(*command)
    assert result.exit_code == 0
    for language in LANGUAGES:
        alone = tmp_path / "alone" / language
        assert run(language, "--wit", ROOT / "wit", "--legacy", "-o", alone).exit_code == 0
        assert contents(outputs[language]) == contents(alone)
    listed = {Path(line) for line in result.stdout.splitlines()}
    assert listed == {path for path in (tmp_path / "together").rglob("*") if path.is_file()}
    assert run(*command, "--check").exit_code == 0


def test_what_one_of_several_languages_lacks_is_written_for_none(tmp_path: Path) -> None:
    wit = tmp_path / "a.wit"
    wit.write_text("package a:b; interface i { f: func(p: list<u8, 4>); } world w { import i; }")
    rust, host = tmp_path / "rust", tmp_path / "host"
    alone = run("rust", "--wit", wit, "-o", tmp_path / "alone")
    assert alone.exit_code == 0
    result = run("generate", "--wit", wit, "--rust", rust, "--host", host)
    assert result.exit_code == 4
    assert "error: " in result.stderr
    assert not rust.exists()
    assert not host.exists()


def test_every_stale_folder_is_named_once(tmp_path: Path) -> None:
    rust, cpp = tmp_path / "rust", tmp_path / "cpp"
    command = ("generate", "--wit", ROOT / "wit", "--rust", rust, "--cpp", cpp)
    assert run(*command).exit_code == 0
    header = cpp / "wasmtime" / "attestation.hpp"
    header.write_text("something else\n")
    one = run(*command, "--check")
    assert one.exit_code == 5
    assert one.stderr.startswith(f"error: {cpp} is stale")
    assert "-something else\n" in one.stdout
    (rust / "abi.rs").unlink()
    both = run(*command, "--check")
    assert both.stderr.startswith(f"error: {rust}, {cpp} are stale")
    assert header.read_text() == "something else\n"


def test_something_must_be_asked_for() -> None:
    result = run("generate", "--wit", ROOT / "wit")
    assert result.exit_code == 2
    assert "give one or more of `--rust`, `--cpp`, `--host`" in result.stderr


def test_generating_loads_what_it_needs(tmp_path: Path) -> None:
    """Starting takes longer than generating, so nothing is imported that another command needs."""
    program = (
        "import sys; from wasmtime_attestation_bindgen.cli import main; "
        "main(sys.argv[1:], standalone_mode=False); print(*sys.modules)"
    )
    command = ("rust", "--wit", str(ROOT / "wit"), "-o", str(tmp_path))
    result = subprocess.run(
        [sys.executable, "-c", program, *command], capture_output=True, text=True, check=True
    )
    loaded = set(result.stdout.splitlines()[-1].split())
    assert "wasmtime_attestation_bindgen.rust" in loaded
    others = {f"wasmtime_attestation_bindgen.{name}" for name in ("cpp", "host", "binary")}
    unneeded = {"wasmtime", "jinja2", "json", "tempfile", "importlib.metadata"}
    assert loaded & (unneeded | others) == set()


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
