"""The header as a package: CMake and pkg-config, as guest authors find it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from wasmtime_attestation_bindgen.component_new import component_new

from guests.cpp.toolchain import HERE as CPP
from guests.cpp.toolchain import NO_WASI
from tests.tools import require

ZIG = ";".join((sys.executable, "-m", "ziglang", "c++", "-target", "wasm32-wasi"))
CROSS = (
    "-DCMAKE_SYSTEM_NAME=Generic",
    f"-DCMAKE_CXX_COMPILER={ZIG}",
    "-DCMAKE_CXX_COMPILER_WORKS=1",
    "-DCMAKE_BUILD_TYPE=MinSizeRel",
)
GUEST = """
#include <wasmtime/attestation.hpp>
WIT_EXPORT("check") int check() { return wasmtime_attestation::attest_vm().has_value(); }
"""
PROJECT = f"""
cmake_minimum_required(VERSION 3.20)
project(guest LANGUAGES CXX)
%s
foreach(abi component legacy)
  add_executable(${{abi}} guest.cpp {NO_WASI})
  set_target_properties(${{abi}} PROPERTIES SUFFIX .wasm)
  target_compile_options(${{abi}} PRIVATE -fno-exceptions -fno-rtti)
  target_link_options(${{abi}} PRIVATE -mexec-model=reactor)
  target_link_libraries(${{abi}} PRIVATE wasmtime_attestation::${{abi}})
endforeach()
"""
FETCHED = f"""
include(FetchContent)
FetchContent_Declare(wasmtime_attestation SOURCE_DIR {CPP})
FetchContent_MakeAvailable(wasmtime_attestation)
"""


def cmake(*arguments: str | Path) -> None:
    subprocess.run([require("cmake"), *arguments], check=True, capture_output=True)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    cmake("-S", CPP, "-B", folder / "build", f"-DCMAKE_INSTALL_PREFIX={folder / 'prefix'}")
    cmake("--install", folder / "build")
    return folder / "prefix"


def build(folder: Path, found: str, *options: str) -> None:
    (folder / "guest.cpp").write_text(GUEST)
    (folder / "CMakeLists.txt").write_text(PROJECT % found)
    cmake("-S", folder, "-B", folder / "build", *CROSS, *options)
    cmake("--build", folder / "build")
    assert b"attest-vm" in component_new((folder / "build" / "component.wasm").read_bytes())
    legacy = (folder / "build" / "legacy.wasm").read_bytes()
    assert b"attest_vm" in legacy
    assert b"component-type" not in legacy


@pytest.mark.weekly
def test_find_package(installed: Path, tmp_path: Path) -> None:
    found = "find_package(wasmtime_attestation 0.1 CONFIG REQUIRED)"
    build(tmp_path, found, f"-DCMAKE_PREFIX_PATH={installed}", "-DCMAKE_FIND_ROOT_PATH=/")


@pytest.mark.weekly
def test_fetch_content(tmp_path: Path) -> None:
    build(tmp_path, FETCHED)


def test_pkg_config(installed: Path) -> None:
    require("pkg-config")
    (metadata,) = installed.rglob("wasmtime_attestation.pc")
    command = ["pkg-config", "--cflags", "wasmtime_attestation"]
    environment = {"PKG_CONFIG_PATH": str(metadata.parent), "PATH": "/usr/bin:/bin"}
    flags = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    standard, include = flags.stdout.split()
    assert standard == "-std=c++20"
    assert (Path(include.removeprefix("-I")) / "wasmtime" / "attestation.hpp").is_file()
