"""What Rust bindings cannot express is one error that names the item."""

from __future__ import annotations

from pathlib import Path

import pytest
from wasmtime_attestation_bindgen.errors import WitError

from tests.guests.rust_torture import bindings

FLAGS = ", ".join(f"flag{n}" for n in range(33))
MEMBERS = ", ".join(["u8"] * 13)


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (f"flags many {{ {FLAGS} }}", "flags `many` has 33 flags"),
        (f"f: func() -> tuple<{MEMBERS}>;", "`f` of `test:refused/i` has a tuple of 13 members"),
        (f"record r {{ a: list<tuple<{MEMBERS}>> }}", "type `r` of `test:refused/i` has a tuple"),
        ("f: func() -> list<u8, 70000>;", "fixed length 70000"),
        ("f: async func();", "function `f` of `test:refused/i` is async"),
        ("f: func() -> stream<u8>;", "`f` of `test:refused/i` mentions a stream"),
        (
            "resource r { constructor(); new: static func() -> r; }",
            "`[constructor]r` and `[static]r.new` of resource `r` are both `new` in Rust",
        ),
    ],
)
def test_refused_with_the_name(tmp_path: Path, items: str, message: str) -> None:
    wit = tmp_path / "refused.wit"
    wit.write_text(f"package test:refused;\ninterface i {{ {items} }}\nworld w {{ import i; }}\n")
    with pytest.raises(WitError) as caught:
        bindings(wit, None)
    assert message in caught.value.message
    assert caught.value.span is not None


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ("record guest { x: u8 } f: func() -> guest;", "`Guest` in Rust, as is the trait"),
        ("resource r; record guest-r { x: u8 }", "`GuestR` in Rust, as is the trait of `R`"),
        ("resource r; record r-borrow { x: u8 }", "`RBorrow` in Rust, as is a `R` that is lent"),
    ],
)
def test_a_type_where_the_bindings_make_one(tmp_path: Path, items: str, message: str) -> None:
    wit = tmp_path / "refused.wit"
    wit.write_text(f"package test:refused;\ninterface i {{ {items} }}\nworld w {{ export i; }}\n")
    with pytest.raises(WitError) as caught:
        bindings(wit, None)
    assert message in caught.value.message
    assert caught.value.span is not None
