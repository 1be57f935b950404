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
        (f"f: func() -> tuple<{MEMBERS}>;", "tuple of 13 members"),
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


def test_a_type_where_the_trait_would_be(tmp_path: Path) -> None:
    wit = tmp_path / "refused.wit"
    items = "record guest { x: u8 } f: func() -> guest;"
    wit.write_text(f"package test:refused;\ninterface i {{ {items} }}\nworld w {{ export i; }}\n")
    with pytest.raises(WitError, match="both `Guest` in Rust"):
        bindings(wit, None)
