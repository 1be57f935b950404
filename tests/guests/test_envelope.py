"""What Rust and C++ guests make of an envelope: the two readers agree, whatever a host writes."""

from __future__ import annotations

import json

import pytest
from wasmtime import Caller, Engine, Func, Instance, Linker, Memory, Module, Store

from tests.guests import cpp_guests
from tests.guests.rust_crates import ROOT
from tests.guests.test_rust_crate import guest
from tests.tools import require

RUST = """\
use wasmtime_attestation::{attestation, Error, Finding};

fn found(kind: u64, findings: &[Finding]) -> u64 {
    kind << 16 | (findings[0].check.len() as u64) << 8 | findings[0].detail.len() as u64
}

#[unsafe(no_mangle)]
pub extern "C" fn attest() -> u64 {
    match attestation::attest_vm() {
        Ok(result) => 1 << 16 | (result.tee_type as u64) << 8 | result.token.len() as u64,
        Err(Error::Rejected(findings)) => found(2, &findings),
        Err(Error::Policy(findings)) => found(3, &findings),
        Err(Error::Internal(_)) => 4 << 16,
        Err(_) => 5 << 16,
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn verify() -> u64 {
    attestation::verify_token("token").into()
}
"""
CPP = """\
#define WASMTIME_ATTESTATION_LEGACY
#include <wasmtime/attestation.hpp>

using namespace wasmtime_attestation;

static unsigned long long found(unsigned kind, const types::finding& first) {
  return kind << 16 | first.check.size() << 8 | first.detail.size();
}

extern "C" __attribute__((export_name("attest"))) unsigned long long attest() {
  const auto result = attest_vm();
  if (result) {
    return 1u << 16 | static_cast<unsigned>(result->tee_type) << 8 | result->token.size();
  }
  const auto& failure = result.error().value;
  if (const auto* why = std::get_if<error::rejected>(&failure)) return found(2, why->value[0]);
  if (const auto* why = std::get_if<error::policy>(&failure)) return found(3, why->value[0]);
  return std::get_if<error::internal>(&failure) ? 4u << 16 : 5u << 16;
}

extern "C" __attribute__((export_name("verify"))) unsigned long long verify() {
  return verify_token("token");
}
"""
OTHER, SNP = 9, 4
UNREADABLE = 4 << 16


class Host:
    """A host of one guest that answers with given bytes, or with a core value."""

    def __init__(self, code: bytes) -> None:
        engine = Engine()
        self.answer: bytes | int = 0
        self._store = Store(engine)
        linker, module = Linker(engine), Module(engine, code)
        for item in module.imports:
            linker.define_func(item.module, str(item.name), item.type, self._call, True)  # type: ignore[arg-type]  # noqa: FBT003
        self._instance: Instance = linker.instantiate(self._store, module)

    def call(self, name: str, answer: bytes | int) -> int:
        """Returns what the guest makes of an answer."""
        self.answer = answer
        function = self._instance.exports(self._store)[name]
        assert isinstance(function, Func)
        found = function(self._store)
        assert isinstance(found, int)
        return found

    def _call(self, caller: Caller, *_arguments: int) -> int:
        if isinstance(self.answer, int):
            return self.answer
        data = len(self.answer).to_bytes(4, "little") + self.answer
        memory, realloc = caller["memory"], caller["cabi_realloc"]
        assert isinstance(memory, Memory)
        assert isinstance(realloc, Func)
        at = realloc(caller, 0, 0, 1, len(data))
        memory.write(caller, data, at)
        assert isinstance(at, int)
        return at


@pytest.fixture(scope="module", params=["rust", "cpp"])
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Host:
    if request.param == "rust":
        require("rustup")
        return Host(guest("envelope", RUST, "legacy").read_bytes())
    source = tmp_path_factory.mktemp("envelope") / "guest.cpp"
    source.write_text(CPP)
    return Host(cpp_guests.library(ROOT / "guests" / "cpp" / "include", [source]))


def success(tee_type: int) -> int:
    return 1 << 16 | tee_type << 8 | len("t")


GOOD = {"success": True, "token": "t", "timestamp": 5, "tee_type": "AMD SEV-SNP"}
NO = {"success": False, "timestamp": 0}


@pytest.mark.parametrize(
    ("envelope", "found"),
    [
        (GOOD, success(SNP)),
        (GOOD | {"tee_type": "NVIDIA H100 CC"}, success(OTHER)),
        (GOOD | {"tee_type": None}, success(OTHER)),
        ({"success": True, "token": "t", "timestamp": "5"}, success(OTHER)),
        (GOOD | {"token": ""}, UNREADABLE),
        (GOOD | {"token": None}, UNREADABLE),
        (GOOD | {"timestamp": None}, UNREADABLE),
        (GOOD | {"timestamp": "+5"}, UNREADABLE),
        (GOOD | {"success": 1}, UNREADABLE),
        ({"token": "t", "timestamp": 5}, UNREADABLE),
        (NO | {"error": "e", "error_code": "unsupported"}, 5 << 16),
        (NO | {"error": "e", "error_code": "of tomorrow"}, UNREADABLE),
        (NO | {"error": "snp.tcb: old", "error_code": "rejected"}, 2 << 16 | 7 << 8 | 3),
        (NO | {"error": "in words", "error_code": "policy"}, 3 << 16 | 6 << 8 | 8),
        (NO | {"error": "e", "error_code": "denied", "timestamp": None}, 5 << 16),
    ],
)
def test_envelopes(host: Host, envelope: dict[str, object], found: int) -> None:
    assert host.call("attest", json.dumps(envelope).encode()) == found


@pytest.mark.parametrize(
    "more",
    [
        b'"success":false',
        b'"x":1,"x":2',
        b'"x":01',
        b'"x":+1',
        b'"x":1-2.e',
        b'"x":"\xff"',
        b'"x":"\xed\xa0\x80"',
        b'"x":"\\ud800"',
        b'"x":"\0"',
        b'"x":' + b"[" * 64 + b"]" * 64,
    ],
)
def test_nothing_but_json_is_a_success(host: Host, more: bytes) -> None:
    good = json.dumps(GOOD).encode()
    assert host.call("attest", good[:-1] + b"," + more + b"}") == UNREADABLE


def test_members_of_tomorrow_are_passed_over(host: Host) -> None:
    later = (
        b',"x":{"a":[-0.5e+3,null,"\xc3\xa9\\ud83d\\ude00"],"b":' + b"[" * 62 + b"]" * 62 + b"}}"
    )
    assert host.call("attest", json.dumps(GOOD).encode()[:-1] + later) == success(SNP)


@pytest.mark.parametrize(("answer", "accepted"), [(1, 1), (0, 0), (-1, 0), (2, 0), (256, 0)])
def test_only_one_means_that_a_token_is_accepted(host: Host, answer: int, accepted: int) -> None:
    assert host.call("verify", answer) == accepted
