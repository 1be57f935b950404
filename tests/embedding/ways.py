"""The ways to run a guest: by command line, by `Runtime`, and in linkers of one's own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import cast

import wasmtime
from wasmtime import component
from wasmtime_attestation import AttestationHost, Guest, Run, Runtime, call_guest
from wasmtime_attestation.embedding.runtime import NotRun
from wasmtime_attestation.world.guest import Abi

from tests.cli.tool import run_process

Way = Callable[[Path, Sequence[str], Path], str]
"""Runs the guest of a file with arguments, in a folder for what it needs; returns its output."""


def by_tool(file: Path, words: Sequence[str], folder: Path) -> str:
    del folder
    outcome = run_process("run", "--tee", "simulated", file, *words)
    assert (outcome.code, outcome.err.count("SIMULATED TEE")) == (0, 1)
    return outcome.out


def by_runtime(file: Path, words: Sequence[str], folder: Path) -> str:
    del folder
    with AttestationHost(tee="simulated") as host:
        return Runtime(host).run(Guest.from_file(file), words).check().stdout.decode()


def awaited(file: Path, words: Sequence[str], folder: Path) -> str:
    del folder
    with AttestationHost(tee="simulated") as host:
        run = Runtime(host).arun(Guest.from_file(file), words)
        return asyncio.run(run).check().stdout.decode()


def among_many(file: Path, words: Sequence[str], folder: Path) -> str:
    del folder
    with AttestationHost(tee="simulated") as host:
        runs = [Run(guest=Guest.from_file(file), args=words)] * 2
        *_, last = Runtime(host).run_many(runs, workers=1)
    assert not isinstance(last, NotRun)
    return last.check().stdout.decode()


def by_own_linker(file: Path, words: Sequence[str], folder: Path) -> str:
    guest, engine, output = Guest.from_file(file), wasmtime.Engine(), folder / "output"
    with AttestationHost(tee="simulated") as host, wasmtime.Store(engine) as store:
        wasi = wasmtime.WasiConfig()
        wasi.argv = [guest.name, *words]
        wasi.stdout_file = str(output)
        store.set_wasi(wasi)
        run = _component if guest.abi is Abi.COMPONENT else _core
        run(host, guest, store)
    return output.read_text()


def _component(host: AttestationHost, guest: Guest, store: wasmtime.Store) -> None:
    code = component.Component(store.engine, guest.wasm)
    with component.Linker(store.engine) as linker:
        linker.add_wasip2()
        host.link_component(linker, guest, code)
        instance = call_guest(linker.instantiate, store, code)
        entry = next(name for name in code.type.exports(store.engine) if "cli/run@" in name)
        run = code.get_export_index("run", code.get_export_index(entry))
        assert call_guest(instance.get_func(store, run), store).tag == "ok"


def _core(host: AttestationHost, guest: Guest, store: wasmtime.Store) -> None:
    with wasmtime.Linker(store.engine) as linker:
        linker.define_wasi()
        host.link_core(linker, guest)
        instance = linker.instantiate(store, wasmtime.Module(store.engine, guest.wasm))
        call_guest(cast("wasmtime.Func", instance.exports(store)["_start"]), store)


WAYS: Mapping[str, Way] = MappingProxyType(
    {
        "command line": by_tool,
        "runtime": by_runtime,
        "awaited": awaited,
        "among many": among_many,
        "own linker": by_own_linker,
    }
)
