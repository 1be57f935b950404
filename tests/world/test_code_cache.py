"""Compiled guests on disk: used where they fit and are whole, compiled anew where not."""

from __future__ import annotations

import os
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import wasmtime
from wasmtime_attestation.cache import processor
from wasmtime_attestation.cache.code_settings import Settings, read
from wasmtime_attestation.cache.machine_code import KEY
from wasmtime_attestation.policy.table import SettingError, Table
from wasmtime_attestation.world import _generated, code_cache, compiler
from wasmtime_attestation.world.code_cache import CodeCache
from wasmtime_attestation.world.compiler import compile_guest, new_engine
from wasmtime_attestation.world.guest import Guest
from wasmtime_attestation.world.runtime import Runtime, StartError

from tests.cli.tool import run as run_tool
from tests.world.commands import CLEAR, CLEAR_IMPORTS, EXIT, component, core
from tests.world.scripted_world import ScriptedWorld

CORE = core("(call $exit (i32.const 42))", EXIT)
COMPONENT = component("i32.const 1")
CALLER = component("(call $clear) i32.const 0", CLEAR, CLEAR_IMPORTS)
CODES = {CORE: 42, COMPONENT: 1, CALLER: 0}
OLD = 1e9


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "code"


@pytest.fixture(params=[CORE, COMPONENT, CALLER], ids=["core", "component", "caller"])
def guest(request: pytest.FixtureRequest) -> Guest:
    guest: Guest = request.param
    return guest


def run(guest: Guest, folder: Path) -> int:
    """Runs a guest as a process would that knows the folder alone."""
    return Runtime(CodeCache.of(Settings(folder))).run(guest, ScriptedWorld()).exit_code


def entries(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name != KEY]


def entry(folder: Path) -> Path:
    (path,) = entries(folder)
    os.utime(path, (OLD, OLD))
    return path


def was_used(path: Path, inode: int) -> bool:
    """Whether an entry was read, and not written anew."""
    status = path.stat()
    return status.st_ino == inode and status.st_mtime > OLD


def test_the_second_start_compiles_nothing(guest: Guest, folder: Path) -> None:
    assert run(guest, folder) == CODES[guest]
    path = entry(folder)
    inode = path.stat().st_ino
    assert run(guest, folder) == CODES[guest]
    assert was_used(path, inode)


def test_machine_code_is_the_same_as_without_a_cache(guest: Guest, folder: Path) -> None:
    engine, cache = new_engine(), CodeCache.of(Settings(folder))
    assert cache is not None
    fresh, kept = cache.program(engine, guest), cache.program(engine, guest)
    assert (kept.name, kept.abi, kept.entry) == (fresh.name, fresh.abi, fresh.entry)
    assert kept.code.bytes() == fresh.code.bytes() == compile_guest(engine, guest).code.bytes()


def damages(whole: bytes) -> Iterator[bytes]:
    step = max(1, len(whole) // 60) | 1
    for index in range(0, len(whole), step):
        yield whole[:index] + bytes([whole[index] ^ 0x10]) + whole[index + 1 :]
        yield whole[:index]


def test_damaged_machine_code_is_never_loaded(folder: Path) -> None:
    assert run(CORE, folder) == 42
    path = entry(folder)
    whole = path.read_bytes()
    for damaged in damages(whole):
        path.write_bytes(damaged)
        assert run(CORE, folder) == 42
        # It was compiled anew, to the same code.
        assert path.read_bytes() == whole


def test_machine_code_of_another_guest_is_never_loaded(folder: Path) -> None:
    other = core("(call $exit (i32.const 7))", EXIT)
    assert run(CORE, folder) == 42
    first = entry(folder)
    assert run(other, folder) == 7
    (second,) = set(entries(folder)) - {first}
    shutil.copy(first, second)
    assert run(other, folder) == 7


def test_a_guest_with_another_name_is_the_same(folder: Path) -> None:
    assert run(CORE, folder) == 42
    path = entry(folder)
    inode = path.stat().st_ino
    assert run(Guest("other.wasm", CORE.wasm), folder) == 42
    assert was_used(path, inode)


def test_another_processor_has_its_own(
    guest: Guest, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(guest, folder)
    path = entry(folder)
    other = tmp_path / "cpuinfo"
    other.write_text("flags\t\t: fpu sse2\n\n")
    monkeypatch.setattr(processor, "_CPUINFO", other)
    assert run(guest, folder) == CODES[guest]
    assert path.stat().st_mtime == OLD
    assert len(entries(folder)) == 2


def test_another_wasmtime_has_its_own(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: set[str] = set()
    library = tmp_path / "a" / "wasmtime" / "linux-x86_64" / "_libwasmtime.so"
    library.parent.mkdir(parents=True)
    monkeypatch.setattr(wasmtime, "__file__", str(library.parents[1] / "__init__.py"))
    metadata = tmp_path / "a" / "wasmtime-50.0.1.dist-info"
    metadata.mkdir()

    def look() -> None:
        code_cache._library.cache_clear()
        code_cache._compiler.cache_clear()
        run(CORE, folder)
        names.update(path.name for path in entries(folder))

    try:
        for build in (b"build 1", b"build 2", b"build 2 and more"):
            library.write_bytes(build)
            look()
        metadata.rename(metadata.with_name("wasmtime-50.0.2.dist-info"))
        look()
    finally:
        code_cache._library.cache_clear()
        code_cache._compiler.cache_clear()
    assert len(names) == 4


def test_an_engine_that_counts_fuel_has_its_own(folder: Path) -> None:
    cache = CodeCache.of(Settings(folder))
    assert cache is not None
    cache.program(new_engine(), CORE)
    assert len(entries(folder)) == 1
    cache.program(new_engine(), CORE, fuel=True)
    assert len(entries(folder)) == 2


def test_what_was_checked_against_another_world_is_checked_anew(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(CALLER, folder) == 0
    fewer = {name: ours[:1] for name, ours in _generated.IMPORTS.items()}
    with monkeypatch.context() as patch:
        patch.setattr(_generated, "IMPORTS", fewer)
        patch.setattr("wasmtime_attestation.world.signatures.IMPORTS", fewer)
        with pytest.raises(StartError, match="built for another host"):
            run(CALLER, folder)
    assert run(CALLER, folder) == 0


def test_what_cannot_start_is_not_kept(folder: Path) -> None:
    library = Guest("library.wasm", bytes(wasmtime.wat2wasm("(module)")))
    for _ in range(2):
        with pytest.raises(StartError, match="library"):
            run(library, folder)
    assert not folder.exists()


def test_a_folder_that_fails_stops_no_guest(guest: Guest, tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.touch()
    assert run(guest, place) == CODES[guest]
    assert run(guest, place / "below") == CODES[guest]


def test_where_sealed_memory_cannot_be_opened(
    guest: Guest, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: object) -> int:
        raise PermissionError

    monkeypatch.setattr(os, "memfd_create", forbidden)
    assert run(guest, folder) == CODES[guest]
    assert run(guest, folder) == CODES[guest]


def test_the_documentation_has_every_setting() -> None:
    document = Path(__file__).parents[2] / "docs" / "caches.md"
    text = document.read_text().partition("## Compiled guests")[2]
    block = tomllib.loads(text.partition("```toml\n")[2].partition("```")[0])
    table = Table(block["cache"]["code"])
    assert read(table) == Settings(Path("/var/cache/wasmtime-attestation-code"))
    assert {setting.key for setting in table.settings} == set(block["cache"]["code"])
    with pytest.raises(SettingError):
        read(Table({"directory": ""}))


def test_settings(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert CodeCache.of(Settings(folder, 0)) is None
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    run_tool_of_default = CodeCache.of(Settings())
    assert run_tool_of_default is not None
    run_tool_of_default.program(new_engine(), CORE)
    assert len(entries(folder / "wasmtime-attestation-code")) == 1


@pytest.fixture
def guest_file(tmp_path: Path) -> Path:
    path = tmp_path / "core.wasm"
    path.write_bytes(CORE.wasm)
    return path


def test_the_tool_keeps_what_it_compiled(
    guest_file: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WASMTIME_ATTESTATION_CODE_CACHE", str(folder))
    assert run_tool("run", guest_file).code == 42
    path = entry(folder)
    inode = path.stat().st_ino
    assert run_tool("run", guest_file).code == 42
    assert was_used(path, inode)
    listed = run_tool("cache", "ls", "--only", "code", "--directory", folder)
    assert CORE.digest.hex() in listed.out
    assert "good" in listed.out
    path.write_bytes(path.read_bytes()[:-1])
    verified = run_tool("cache", "verify", "--only", "code", "--directory", folder)
    assert (verified.code, verified.out.splitlines()[-1]) == (4, "1 entries, 1 damaged")
    cleared = run_tool("cache", "clear", "--only", "code", "--directory", folder)
    assert (cleared.code, cleared.out) == (0, "1 code removed\n")
    assert list(folder.iterdir()) == []
    assert run_tool("run", guest_file).code == 42


def test_the_tool_keeps_nothing_where_it_must_not(
    guest_file: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WASMTIME_ATTESTATION_CODE_CACHE", str(folder))
    monkeypatch.setenv("WASMTIME_ATTESTATION_CODE_CACHE_BYTES", "0")
    assert run_tool("run", guest_file).code == 42
    assert not folder.exists()
    monkeypatch.setenv("WASMTIME_ATTESTATION_CODE_CACHE_BYTES", "much")
    assert run_tool("run", guest_file).code == 125


def test_an_engine_with_other_settings_has_code_of_its_own(
    guest: Guest, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after an upgrade of this package that keeps wasmtime: it would refuse the former code."""
    assert run(guest, folder) == CODES[guest]
    other = {**compiler.engine_settings(fuel=False), "debug_info": True}
    for module in (compiler, code_cache):
        monkeypatch.setattr(module, "engine_settings", lambda *, fuel: other)  # noqa: ARG005
    assert run(guest, folder) == CODES[guest]
    assert len(entries(folder)) == 2
