"""Legal C++ identifiers for WIT names."""

from __future__ import annotations

from wasmtime_attestation_bindgen.names import snake

_KEYWORDS = """
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t
    char32_t class co_await co_return co_yield compl concept const const_cast consteval constexpr
    constinit continue decltype default delete do double dynamic_cast else enum explicit export
    extern false float for friend goto if inline int long mutable namespace new noexcept not not_eq
    nullptr operator or or_eq private protected public register reinterpret_cast requires return
    short signed sizeof static static_assert static_cast struct switch template this thread_local
    throw true try typedef typeid typename union unsigned using virtual void volatile wchar_t while
    xor xor_eq typeof restrict inline
"""
_MACROS = """
    assert errno linux major makedev minor offsetof setjmp stderr stdin stdout unix va_arg va_copy
    va_end va_start i386 isnan isinf isfinite signbit math_errhandling htons ntohs htonl ntohl
"""
_OURS = "exports raw std wire wit cabi_realloc main"
RESERVED = frozenset([*_KEYWORDS.split(), *_MACROS.split(), *_OURS.split()])
"""What no generated name may be: keywords, the C library's macros, and names that headers use."""


def identifier(name: str) -> str:
    """Returns a C++ identifier for a WIT name: `tee_type` for `tee-type`, `class_` for `class`."""
    text = snake(name).replace(".", "_")
    return f"{text}_" if text in RESERVED else text


class Scope:
    """The names of one C++ scope, each given once.

    Args:
        taken: names that are in use already.
    """

    def __init__(self, *taken: str) -> None:
        self._taken = set(taken)

    def claim(self, name: str) -> str:
        """Returns a WIT name's identifier, with underscores where it is taken."""
        text = identifier(name)
        while text in self._taken:
            text += "_"
        self._taken.add(text)
        return text
