"""WIT names as Rust identifiers."""

from __future__ import annotations

from collections.abc import Iterable

from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.names import pascal, screaming, snake
from wasmtime_attestation_bindgen.source import Span

_NEVER_RAW = frozenset({"crate", "self", "super", "Self", "_"})
"""What cannot be written as `r#name` (Rust reference, Identifiers)."""

_KEYWORDS = frozenset(
    """
    as break const continue else enum extern false fn for if impl in let loop match mod move
    mut pub ref return static struct trait true type unsafe use where while async await dyn
    abstract become box do final gen macro override priv try typeof unsized virtual yield
    """.split()  # noqa: SIM905 - a column of sixty strings reads worse
)
"""Of every edition, and those that are reserved for later ones."""


def value_name(name: str) -> str:
    """Returns the name of a function, parameter, field or module."""
    return _legal(snake(name))


def type_name(name: str) -> str:
    """Returns the name of a type or of a case."""
    return _legal(pascal(name))


def lent_name(name: str) -> str:
    """Returns the name of the type of a resource that is lent, by that of its handles."""
    return f"{name.removesuffix('_')}Borrow"


def constant_name(name: str) -> str:
    """Returns the name of a constant."""
    return _legal(screaming(name))


def file_name(module: str) -> str:
    """Returns the name of the file that holds a module."""
    return module.removeprefix("r#")


def check_distinct(names: Iterable[tuple[str, str]], where: str, span: Span | None = None) -> None:
    """Checks that names which differ in WIT differ in Rust too.

    Args:
        names: pairs of a name in WIT and the same in Rust.
        where: what has these names.
        span: where it is defined.

    Raises:
        WitError: two are the same in Rust.
    """
    known: dict[str, str] = {}
    for wit, rust in names:
        if rust in known:
            raise WitError(
                f"`{known[rust]}` and `{wit}` of {where} are both `{rust}` in Rust",
                span,
                help="rename one of them",
            )
        known[rust] = wit


def _legal(name: str) -> str:
    if name in _NEVER_RAW:
        return f"{name}_"
    return f"r#{name}" if name in _KEYWORDS else name
