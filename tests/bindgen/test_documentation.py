"""Comments become documentation, without marks and common indentation."""

from __future__ import annotations

import pytest
from wasmtime_attestation_bindgen import model_json

from tests.bindgen.resolving import interface, resolved


@pytest.mark.parametrize(
    ("comments", "docs"),
    [
        ("", None),
        ("/// One line.", "One line."),
        ("/// Two\n/// lines.", "Two\nlines."),
        ("///   An\n///     indented\n///   example", "An\n  indented\nexample"),
        ("/// A paragraph.\n///\n/// Another one.", "A paragraph.\n\nAnother one."),
        ("/// Trailing space.   \r\n/// Carriage returns.\r", "Trailing space.\nCarriage returns."),
        ("// A plain comment counts too.", "A plain comment counts too."),
        ("/** A block. */", "A block."),
        ("/** Several\n lines. */", "Several\n lines."),
        ("/**/", ""),
        ("///", ""),
        ("/// One.\n\n/** Two. */ /// Three.", "One.\nTwo.\nThree."),
        ("/** /* nested */ */", "/* nested */"),
    ],
)
def test_comments(comments: str, docs: str | None) -> None:
    model = resolved(f"interface i {{ {comments}\n f: func(); }}")
    assert interface(model, "i").functions["f"].docs == docs


def test_every_item_can_be_documented() -> None:
    model = resolved(
        """
        /// interface
        interface i {
          /// record
          record r { /// field
            f: u8 }
          /// variant
          variant v { /// case
            c }
          /// enum
          enum e { /// label
            c }
          /// flags
          flags g { /// flag
            c }
          /// resource
          resource s { /// method
            m: func(); }
        }
        /// world
        world w {}
        """
    )
    text = model_json.dumps(model)
    items = ("interface", "record", "field", "variant", "case", "enum", "label", "flags", "flag")
    for item in (*items, "resource", "method", "world"):
        assert f'"contents": "{item}"' in text


def test_comments_between_an_attribute_and_its_item_say_nothing() -> None:
    model = resolved("interface i { /// said\n @since(version = 1.0.0) /// unsaid\n f: func(); }")
    assert interface(model, "i").functions["f"].docs == "said"
