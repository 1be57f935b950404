"""What a link makes of the header: one world a module, whatever the number of files and LTO."""

from __future__ import annotations

from pathlib import Path

import pytest
from wasmtime_attestation_bindgen.component_new import component_new

from guests.cpp import toolchain
from guests.cpp.toolchain import LEGACY, Toolchain, compile_guest
from tests.guests import cpp_guests
from tests.world.core_guest import run_command
from tests.world.scripted_world import TOKEN, ScriptedWorld, without_tee

ONE = """
#include <wasmtime/attestation.hpp>
bool other();
WIT_EXPORT("check") int check() { return wasmtime_attestation::attest_vm().has_value() || other(); }
"""
TWO = """
#include <wasmtime/attestation.hpp>
bool other() { return wasmtime_attestation::attest_gpu(1).has_value(); }
"""
OLD_ALLOCATOR = """
#include <cstdlib>
extern "C" __attribute__((export_name("cabi_realloc"))) void* cabi_realloc(
    void* old, std::size_t, std::size_t, std::size_t size) {
  return std::realloc(old, size);
}
"""
ENCODING = b"wit-component-encoding"
COMPILERS = [found for found in (toolchain.ZIG, toolchain.debian()) if found is not None]


def sources(folder: Path, *texts: str) -> list[Path]:
    paths = [folder / f"{number}.cpp" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    return paths


@pytest.mark.parametrize("compiler", COMPILERS, ids=lambda compiler: compiler.name)
@pytest.mark.parametrize(
    "lto", ["-fno-lto", "-flto", pytest.param("-flto=thin", marks=pytest.mark.weekly)]
)
def test_a_link_has_the_world_once(tmp_path: Path, lto: str, compiler: Toolchain) -> None:
    module = cpp_guests.library(tmp_path, sources(tmp_path, ONE, TWO), [lto], compiler=compiler)
    assert module.count(ENCODING) == 1
    component = component_new(module)
    assert b"attest-gpu" in component
    assert b"wasi" not in component


def test_a_small_guest_is_small(tmp_path: Path) -> None:
    alone = ONE.replace(" || other()", "")
    assert len(component_new(cpp_guests.library(tmp_path, sources(tmp_path, alone)))) < 16_384


def test_another_file_may_bring_the_world(tmp_path: Path) -> None:
    flag = "-DWASMTIME_ATTESTATION_NO_COMPONENT_TYPE"
    assert ENCODING not in cpp_guests.library(tmp_path, sources(tmp_path, ONE, TWO), [flag])


def test_a_guest_may_bring_its_own_allocator(tmp_path: Path) -> None:
    module = cpp_guests.library(tmp_path, sources(tmp_path, ONE, TWO, OLD_ALLOCATOR))
    assert module.count(b"cabi_realloc") == 1
    assert component_new(module)


def test_two_worlds_share_a_program(tmp_path: Path) -> None:
    cpp_guests.header(tmp_path, cpp_guests.TORTURE / "wit", "torture")
    both = "#include <wasmtime/attestation.hpp>\n"
    guest = cpp_guests.TORTURE / "cpp" / "guest.cpp"
    module = cpp_guests.library(tmp_path, [*sources(tmp_path, both + ONE, TWO), guest])
    assert module.count(ENCODING) == 2
    component = component_new(module)
    assert b"attest-vm" in component
    assert b"nested-lists" in component


@pytest.mark.parametrize("compiler", COMPILERS, ids=lambda compiler: compiler.name)
def test_sources_of_guests_in_the_field_compile(tmp_path: Path, compiler: Toolchain) -> None:
    output = tmp_path / "old.wasm"
    source = cpp_guests.HERE / "old_guest.cpp"
    flags = [LEGACY, f"-I{toolchain.INCLUDE / 'wasmtime'}"]
    compile_guest(output, [source], flags, toolchain=compiler)
    lines = run_command(output, ScriptedWorld()).lines
    assert lines[:2] == ["AMD SEV-SNP 1", f"AMD SEV-SNP: {TOKEN}"]
    assert run_command(output, without_tee()).lines[0] == "None 0"
