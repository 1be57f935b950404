"""Nothing of the host reaches a guest unless it is given, and what is given arrives."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.world.guest import Guest
from wasmtime_attestation.world.runtime import Directory, Runtime, Stdio

from tests.world.components import CANON, binary, command
from tests.world.scripted_world import ScriptedWorld

P1 = "wasi_snapshot_preview1"

# Prints its arguments, a line for each, then its variables, then its directories.
_WASI = """
(import "wasi:cli/environment@0.2.0" (instance $environment
  (export "get-environment" (func (result (list (tuple string string)))))
  (export "get-arguments" (func (result (list string))))))
(import "wasi:io/error@0.2.0" (instance $io-error (export "error" (type (sub resource)))))
(alias export $io-error "error" (type $error))
(import "wasi:io/streams@0.2.0" (instance $streams
  (export "error" (type $e (eq $error)))
  (export "output-stream" (type $output-stream (sub resource)))
  (type $t0 (variant (case "last-operation-failed" (own $e)) (case "closed")))
  (export "stream-error" (type $stream-error (eq $t0)))
  (export "[method]output-stream.blocking-write-and-flush" (func
    (param "self" (borrow $output-stream)) (param "contents" (list u8))
    (result (result (error $stream-error)))))))
(alias export $streams "output-stream" (type $output-stream))
(import "wasi:cli/stdout@0.2.0" (instance $stdout
  (export "output-stream" (type $o (eq $output-stream)))
  (export "get-stdout" (func (result (own $o))))))
(import "wasi:filesystem/types@0.2.0" (instance $filesystem
  (export "descriptor" (type (sub resource)))))
(alias export $filesystem "descriptor" (type $descriptor))
(import "wasi:filesystem/preopens@0.2.0" (instance $preopens
  (export "descriptor" (type $d (eq $descriptor)))
  (export "get-directories" (func (result (list (tuple (own $d) string)))))))
"""
_CALLS = {
    "arguments": ("environment", "get-arguments", "(param i32)"),
    "variables": ("environment", "get-environment", "(param i32)"),
    "directories": ("preopens", "get-directories", "(param i32)"),
    "stdout": ("stdout", "get-stdout", "(result i32)"),
    "write": (
        "streams",
        "[method]output-stream.blocking-write-and-flush",
        "(param i32 i32 i32 i32)",
    ),
}
_PRINT = """
(data (i32.const 0) "\\n")
(func $put (param $at i32) (param $length i32)
  (call $write (call $stdout) (local.get $at) (local.get $length) (i32.const 32)))
(func $print (param $list i32) (param $skip i32) (param $strings i32)
  (local $at i32) (local $left i32)
  (local.set $at (i32.load (local.get $list)))
  (local.set $left (i32.load offset=4 (local.get $list)))
  (block $end (loop $next
    (br_if $end (i32.eqz (local.get $left)))
    (local.set $at (i32.add (local.get $at) (local.get $skip)))
    (call $put (i32.load (local.get $at)) (i32.load offset=4 (local.get $at)))
    (if (i32.eq (local.get $strings) (i32.const 2)) (then
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (call $put (i32.load (local.get $at)) (i32.load offset=4 (local.get $at)))))
    (call $put (i32.const 0) (i32.const 1))
    (local.set $at (i32.add (local.get $at) (i32.const 8)))
    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
    (br $next))))
"""


_PRINT_ALL = """
(call $arguments (i32.const 16)) (call $print (i32.const 16) (i32.const 0) (i32.const 1))
(call $variables (i32.const 16)) (call $print (i32.const 16) (i32.const 0) (i32.const 2))
(call $directories (i32.const 16)) (call $print (i32.const 16) (i32.const 4) (i32.const 1))
i32.const 0
"""


def component(run: str = _PRINT_ALL) -> Guest:
    lowered = "".join(
        f'(alias export ${instance} "{name}" (func ${ours}))'
        f"(core func ${ours} (canon lower (func ${ours}) {CANON}))"
        for ours, (instance, name, _) in _CALLS.items()
    )
    host = " ".join(f'(export "{ours}" (func ${ours}))' for ours in _CALLS)
    imports = " ".join(
        f'(import "host" "{ours}" (func ${ours} {type_}))' for ours, (_, _, type_) in _CALLS.items()
    )
    outside = f"{_WASI} {lowered} (core instance $host {host})"
    return Guest("g.wasm", command(run, outside=outside, imports=imports, rest=_PRINT))


def core() -> Guest:
    return Guest(
        "g.wasm",
        binary(f"""(module
        (import "{P1}" "args_sizes_get" (func $args_sizes (param i32 i32) (result i32)))
        (import "{P1}" "args_get" (func $args (param i32 i32) (result i32)))
        (import "{P1}" "environ_sizes_get" (func $environ_sizes (param i32 i32) (result i32)))
        (import "{P1}" "environ_get" (func $environ (param i32 i32) (result i32)))
        (import "{P1}" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
        (import "{P1}" "fd_prestat_dir_name" (func $dir (param i32 i32 i32) (result i32)))
        (import "{P1}" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 2)
        (data (i32.const 0) "\\n")
        (func $put (param $at i32) (param $length i32)
          (i32.store (i32.const 16) (local.get $at))
          (i32.store (i32.const 20) (local.get $length))
          (if (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24))
            (then unreachable)))
        (func $print (param $at i32) (param $length i32) (local $end i32)
          (local.set $end (i32.add (local.get $at) (local.get $length)))
          (block $out (loop $next
            (br_if $out (i32.ge_u (local.get $at) (local.get $end)))
            (if (i32.load8_u (local.get $at))
              (then (call $put (local.get $at) (i32.const 1)))
              (else (call $put (i32.const 0) (i32.const 1))))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br $next))))
        (func (export "_start") (local $fd i32)
          (drop (call $args_sizes (i32.const 32) (i32.const 36)))
          (drop (call $args (i32.const 1024) (i32.const 4096)))
          (call $print (i32.const 4096) (i32.load (i32.const 36)))
          (drop (call $environ_sizes (i32.const 32) (i32.const 36)))
          (drop (call $environ (i32.const 1024) (i32.const 4096)))
          (call $print (i32.const 4096) (i32.load (i32.const 36)))
          (local.set $fd (i32.const 3))
          (block $out (loop $next
            (br_if $out (call $prestat (local.get $fd) (i32.const 32)))
            (drop (call $dir (local.get $fd) (i32.const 4096) (i32.load (i32.const 36))))
            (call $put (i32.const 4096) (i32.load (i32.const 36)))
            (call $put (i32.const 0) (i32.const 1))
            (local.set $fd (i32.add (local.get $fd) (i32.const 1)))
            (br $next)))))"""),
    )


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    return Runtime()


@pytest.mark.parametrize("guest", [core(), component()])
def test_nothing_is_inherited(
    runtime: Runtime, guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "of the host")
    outcome = runtime.run(guest, ScriptedWorld())
    assert outcome.exit_code == 0
    assert (outcome.stdout, outcome.stderr) == (b"g.wasm\n", b"")


@pytest.mark.parametrize(
    ("guest", "variables"),
    [(core(), ["A=1", "PATH=/ü", "EMPTY="]), (component(), ["A1", "PATH/ü", "EMPTY"])],
)
def test_what_is_given_arrives(
    runtime: Runtime,
    guest: Guest,
    variables: list[str],
    tmp_path: Path,
) -> None:
    outcome = runtime.run(
        guest,
        ScriptedWorld(),
        args=["--flag", "", "two words", "é"],
        env=[("A", "1"), ("PATH", "/ü"), ("EMPTY", "")],
        dirs=[Directory(tmp_path, "/data"), Directory(tmp_path, "out")],
    )
    assert outcome.exit_code == 0
    expected = ["g.wasm", "--flag", "", "two words", "é", *variables, "/data", "out"]
    assert outcome.stdout.decode().split("\n")[:-1] == expected


def opening(path: str, *, create: bool) -> Guest:
    """Returns a guest that opens a file in its first directory and exits with the errno."""
    # The lookup flag 1 follows symbolic links; oflags 1 is O_CREAT; rights 2 and 64 are to
    # read and to write.
    flags, rights = (1, 64) if create else (0, 2)
    return Guest(
        "g.wasm",
        binary(f"""(module
        (import "{P1}" "path_open" (func $open
          (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (import "{P1}" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1) (data (i32.const 0) "{path}")
        (func (export "_start") (call $exit (call $open (i32.const 3) (i32.const 1)
          (i32.const 0) (i32.const {len(path)}) (i32.const {flags}) (i64.const {rights})
          (i64.const 0) (i32.const 0) (i32.const 256)))))"""),
    )


EBADF, ENOENT, EPERM = 8, 44, 63


def test_a_directory_is_read_only_unless_it_is_writable(runtime: Runtime, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("data")
    world = ScriptedWorld()
    reading, writing = opening("there", create=False), opening("new", create=True)
    assert runtime.run(reading, world).exit_code == EBADF
    readable = [Directory(tmp_path, "/data")]
    assert runtime.run(reading, world, dirs=readable).exit_code == 0
    assert runtime.run(writing, world, dirs=readable).exit_code == EPERM
    assert not (tmp_path / "new").exists()
    assert (
        runtime.run(writing, world, dirs=[Directory(tmp_path, "/data", writable=True)]).exit_code
        == 0
    )
    assert (tmp_path / "new").exists()


@pytest.mark.parametrize("path", ["../secret", "/etc/hostname", "in/../../secret", "link"])
def test_a_guest_stays_in_its_directory(runtime: Runtime, tmp_path: Path, path: str) -> None:
    inside = tmp_path / "inside"
    (inside / "in").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    (inside / "link").symlink_to("../secret")
    dirs = [Directory(inside, "/", writable=True)]
    assert runtime.run(opening(path, create=False), ScriptedWorld(), dirs=dirs).exit_code == EPERM


def test_directories_that_cannot_be_opened(runtime: Runtime, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for path in (tmp_path / "missing", file):
        with pytest.raises(InvalidArgumentError, match=f"{path} is not a directory"):
            runtime.run(core(), ScriptedWorld(), dirs=[Directory(path, "/")])


@pytest.mark.parametrize(
    ("args", "env", "text"),
    [
        (["a\0b"], [], "an argument holds a NUL"),
        (["\udcff"], [], "an argument holds a lone surrogate"),
        ([], [("A", "1\0")], "A holds a NUL"),
        ([], [("A\0", "1")], "variable's name holds a NUL"),
        ([], [("", "1")], "'' is no name"),
        ([], [("A=B", "1")], "'A=B' is no name"),
        ([], [("A", "\ud800")], "A holds a lone surrogate"),
    ],
)
def test_texts_that_wasi_cannot_carry(
    runtime: Runtime, args: list[str], env: list[tuple[str, str]], text: str
) -> None:
    with pytest.raises(InvalidArgumentError, match=text):
        runtime.run(core(), ScriptedWorld(), args=args, env=env)


def test_output_keeps_its_order(runtime: Runtime, capfd: pytest.CaptureFixture[str]) -> None:
    sys.stdout.write("before ")
    runtime.run(core(), ScriptedWorld(), stdio=Stdio.INHERITED)
    sys.stdout.write("after")
    assert capfd.readouterr().out == "before g.wasm\nafter"
