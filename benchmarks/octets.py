"""A component that passes `list<u8>` to its host and gets some back, in a loop."""

from __future__ import annotations

from wasmtime import Engine, Store, component, wat2wasm
from wasmtime_attestation.world.binding import shapes
from wasmtime_attestation.world.binding.linking import Interface, link
from wasmtime_attestation.world.host_calls import call_guest

SIZE = 1 << 16
"""The bytes of one list."""

_HEAP = 0x2_0000
_TEXT = f"""(component
(import "benchmark:octets/octets" (instance $octets
  (export "take" (func (param "content" (list u8))))
  (export "give" (func (result (list u8))))))
(core module $Space
  (memory (export "memory") 64)
  (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const {_HEAP})))
(core instance $space (instantiate $Space))
(alias core export $space "memory" (core memory $memory))
(alias core export $space "realloc" (core func $realloc))
(alias export $octets "take" (func $take))
(alias export $octets "give" (func $give))
(core func $take (canon lower (func $take) (memory $memory) (realloc $realloc)))
(core func $give (canon lower (func $give) (memory $memory) (realloc $realloc)))
(core module $Main
  (import "host" "take" (func $take (param i32 i32)))
  (import "host" "give" (func $give (param i32)))
  (func (export "take") (param $calls i32)
    (loop $again
      (call $take (i32.const {_HEAP}) (i32.const {SIZE}))
      (local.set $calls (i32.sub (local.get $calls) (i32.const 1)))
      (br_if $again (local.get $calls))))
  (func (export "give") (param $calls i32)
    (loop $again
      (call $give (i32.const 1024))
      (local.set $calls (i32.sub (local.get $calls) (i32.const 1)))
      (br_if $again (local.get $calls)))))
(core instance $main (instantiate $Main (with "host" (instance
  (export "take" (func $take)) (export "give" (func $give))))))
(alias core export $main "take" (core func $main-take))
(alias core export $main "give" (core func $main-give))
(func (export "take") (param "calls" u32) (canon lift (core func $main-take)))
(func (export "give") (param "calls" u32) (canon lift (core func $main-give)))
)"""


def linker(content: bytes) -> component.Linker:
    """Returns a linker with the functions as this package links them.

    Args:
        content: what one of them returns.
    """
    made = component.Linker(Engine())
    take = shapes.Function("take", {"content": shapes.OCTETS})
    give = shapes.Function("give", {}, shapes.OCTETS)
    # Made anew for each call: an object that is returned again is not lowered again.
    interface = Interface({take: lambda _content: None, give: lambda: bytes(bytearray(content))})
    link(made, {"benchmark:octets/octets": interface})
    return made


class OctetsGuest:
    """An instance of the component.

    Args:
        linker: a linker that has its imports; its engine is used.
    """

    def __init__(self, linker: component.Linker) -> None:
        self._store = Store(linker.engine)
        code = component.Component(linker.engine, bytes(wat2wasm(_TEXT)))
        self._instance = call_guest(linker.instantiate, self._store, code)

    def loop(self, name: str, calls: int) -> None:
        """Has the guest call its host: `take` passes a list, `give` gets one."""
        function = self._instance.get_func(self._store, name)
        assert function is not None
        call_guest(function, self._store, calls)
