"""Our own WIT changes: regenerated guests in Rust and C++ call what is new."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from wasmtime import Engine, Store
from wasmtime.component import Component, Linker
from wasmtime_attestation.world.binding.failure import Failure
from wasmtime_attestation_bindgen.component_new import component_new

from tests.bindgen import hosts
from tests.guests import cpp_guests, rust_torture

ROOT = Path(__file__).parents[2]
WORLD = """
package my:app@0.1.0;

world app {
  include wasmtime:attestation/imports@0.1.0;
  export run: func(what: string) -> result<u32, string>;
}
"""
CLOCK = """package wasmtime:attestation@0.1.0;

/// An interface that is new.
interface clock {
  record reading { ticks: u32, of: option<string> }

  read: func(what: string) -> result<reading, list<string>>;
}
"""
MANIFEST = """
[package]
name = "extended"
version = "0.1.0"
edition = "2021"

[lib]
crate-type = ["cdylib"]

[workspace]
"""
RUST = """
mod bindings;

use bindings::wasmtime::attestation::{attestation, clock};

struct App;

impl bindings::Guest for App {
    fn run(what: String) -> Result<u32, String> {
        let reading = clock::read(&what).map_err(|reasons| reasons.join(", "))?;
        assert_eq!(reading.of.as_deref(), Some(what.as_str()));
        Ok(reading.ticks + attestation::uptime())
    }
}

bindings::export!(App);
"""
CPP = """
#include <my/app/app.hpp>

namespace my_app::app::exports {

wit::result<std::uint32_t, std::string> run(std::string what) {
  auto reading = wasmtime_attestation::clock::read(what);
  if (!reading) {
    std::string reasons;
    for (const auto& reason : reading.error()) reasons += (reasons.empty() ? "" : ", ") + reason;
    return wit::unexpected(reasons);
  }
  if (reading->of != what) __builtin_trap();
  return reading->ticks + wasmtime_attestation::attestation::uptime();
}

}  // namespace my_app::app::exports
"""


class Uncalled:
    """An interface whose functions these guests do not call."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        def function(*_arguments: object) -> None:
            raise AssertionError(name)

        return function


@pytest.fixture
def wit(tmp_path: Path) -> Path:
    """A user's world over this project's WIT with a function and an interface more."""
    ours = tmp_path / "wit" / "deps" / "attestation"
    shutil.copytree(ROOT / "wit", ours)
    (ours / "clock.wit").write_text(CLOCK)
    _edit(ours / "world.wit", "import verifier;", "import verifier;\n  import clock;")
    clear = "clear-cache: func();"
    _edit(ours / "attestation.wit", clear, f"{clear}\n  uptime: func() -> u32;")
    (tmp_path / "wit" / "world.wit").write_text(WORLD)
    return tmp_path / "wit"


def rust_guest(wit: Path, folder: Path) -> bytes:
    (folder / "src").mkdir(parents=True)
    (folder / "Cargo.toml").write_text(MANIFEST)
    (folder / "src" / "lib.rs").write_text(RUST)
    return rust_torture.build(folder, wit, "app").read_bytes()


def cpp_guest(wit: Path, folder: Path) -> bytes:
    cpp_guests.header(folder, wit, "app")
    (folder / "app.cpp").write_text(CPP)
    return cpp_guests.library(folder, [folder / "app.cpp"])


@pytest.mark.slow
@pytest.mark.parametrize("build", [rust_guest, cpp_guest])
def test_regenerated_guests_call_what_is_new(
    build: Callable[[Path, Path], bytes], wit: Path, tmp_path: Path
) -> None:
    types, linking = hosts.imported(wit, tmp_path, "app")

    class Attestation(Uncalled):
        def uptime(self) -> int:
            return 2

    class Clock:
        def read(self, what: str) -> object:
            if what == "the sun":
                raise Failure(["it is night", "clouds"])
            return types.Reading(40, what)

    engine = Engine()
    linker, store = Linker(engine), Store(engine)
    absent = Uncalled()
    linking.link_imports(
        linker, attestation=Attestation(), attester=absent, verifier=absent, clock=Clock()
    )
    component = Component(engine, component_new(build(wit, tmp_path / "guest")))
    app = linking.App(store, linker.instantiate(store, component))
    assert app.run("a watch") == 42
    with pytest.raises(Failure) as caught:
        app.run("the sun")
    assert caught.value.error == "it is night, clouds"


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
