"""WASI gives a component functions for networks, and no network."""

from __future__ import annotations

import pytest
from wasmtime_attestation.world.guest import Guest
from wasmtime_attestation.world.runtime import Runtime

from tests.world.components import CANON, command
from tests.world.scripted_world import ScriptedWorld

# wasi-sockets 0.2.0, network.wit: the errors in their order.
ACCESS_DENIED, PERMANENT_RESOLVER_FAILURE = 1, 20
_ERRORS = """"unknown" "access-denied" "not-supported" "invalid-argument" "out-of-memory" "timeout"
 "concurrency-conflict" "not-in-progress" "would-block" "invalid-state" "new-socket-limit"
 "address-not-bindable" "address-in-use" "remote-unreachable" "connection-refused"
 "connection-reset" "connection-aborted" "datagram-too-large" "name-unresolvable"
 "temporary-resolver-failure" "permanent-resolver-failure\""""
_SOCKETS = f"""
(import "wasi:sockets/network@0.2.0" (instance $network
  (export "network" (type $n (sub resource)))
  (type $e0 (enum {_ERRORS})) (export "error-code" (type $e (eq $e0)))
  (type $f0 (enum "ipv4" "ipv6")) (export "ip-address-family" (type $f (eq $f0)))))
(alias export $network "network" (type $n))
(alias export $network "error-code" (type $e))
(alias export $network "ip-address-family" (type $f))
(import "wasi:sockets/instance-network@0.2.0" (instance $whole
  (export "network" (type $m (eq $n)))
  (export "instance-network" (func (result (own $m))))))
(import "wasi:sockets/{{p}}@0.2.0" (instance $p (export "{{p}}-socket" (type (sub resource)))))
(alias export $p "{{p}}-socket" (type $socket))
(import "wasi:sockets/{{p}}-create-socket@0.2.0" (instance $making
  (export "error-code" (type $c (eq $e))) (export "ip-address-family" (type $g (eq $f)))
  (export "{{p}}-socket" (type $s (eq $socket)))
  (export "create-{{p}}-socket" (func (param "address-family" $g)
    (result (result (own $s) (error $c)))))))
(import "wasi:sockets/ip-name-lookup@0.2.0" (instance $names
  (export "network" (type $m (eq $n))) (export "error-code" (type $c (eq $e)))
  (export "resolve-address-stream" (type $s (sub resource)))
  (export "resolve-addresses" (func (param "network" (borrow $m)) (param "name" string)
    (result (result (own $s) (error $c)))))))
(alias export $whole "instance-network" (func $get))
(core func $get (canon lower (func $get)))
(alias export $making "create-{{p}}-socket" (func $create))
(core func $create (canon lower (func $create) {CANON}))
(alias export $names "resolve-addresses" (func $resolve))
(core func $resolve (canon lower (func $resolve) {CANON}))
(core instance $host (export "get" (func $get)) (export "create" (func $create))
  (export "resolve" (func $resolve)))
"""
_IMPORTS = """(import "host" "get" (func $get (result i32)))
(import "host" "create" (func $create (param i32 i32)))
(import "host" "resolve" (func $resolve (param i32 i32 i32 i32)))"""


_DATA = '(data (i32.const 512) "localhost")'


@pytest.mark.parametrize(
    ("call", "protocol", "error"),
    [
        ("$resolve (call $get) (i32.const 512) (i32.const 9)", "tcp", PERMANENT_RESOLVER_FAILURE),
        ("$create (i32.const 0)", "tcp", ACCESS_DENIED),
        ("$create (i32.const 1)", "tcp", ACCESS_DENIED),
        ("$create (i32.const 0)", "udp", ACCESS_DENIED),
        ("$create (i32.const 1)", "udp", ACCESS_DENIED),
    ],
)
def test_there_are_no_names_and_no_sockets(call: str, protocol: str, error: int) -> None:
    # A result: whether it failed in the first byte and, aligned as a handle would be, how.
    run = f"""(call {call} (i32.const 64))
    (i32.or (i32.ne (i32.load8_u (i32.const 64)) (i32.const 1))
      (i32.ne (i32.load8_u (i32.const 68)) (i32.const {error})))"""
    outside = _SOCKETS.format(p=protocol)
    wasm = command(run, outside=outside, imports=_IMPORTS, rest=_DATA)
    outcome = Runtime().run(Guest("g.wasm", wasm), ScriptedWorld())
    assert outcome.reason == "g.wasm ended with exit code 0"
