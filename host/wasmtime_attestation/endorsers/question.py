"""What a vendor's service is asked, and what comes of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from wasmtime_attestation.endorsements.bundle import Endorsements

_MAX_PLACE = 120
NEGATIVE_AGE = timedelta(minutes=10)
"""How long "there is none" is believed."""


def _always(_: Endorsements) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came: the body, and the headers that belong to it."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Piece:
    """One endorsement as a vendor served it.

    Attributes:
        file: the name of the file that it makes.
        data: its bytes, in a form that `Endorsements.from_files` reads.
    """

    file: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Question:
    """A question to a service; the answer does not depend on who asks, so it can be kept.

    Attributes:
        what: what is asked for, for people.
        url: where.
        pieces: makes pieces of the answer; raises `ValueError` where it is not one.
        fits: whether the endorsements in the pieces are what was asked for.
        still_fits: whether endorsements that were kept will do; they fit, else.
        max_age: how old an answer may get before it is asked for again.
        lifetime: how old it may get at all, where it does not say itself; None where it does.
        keep: names of the answer's headers, in lower case, that belong to it.
        body: for POST; None for GET.
        headers: to send; they are never kept.
        wants_keys: whether keys of an issuer are asked for, which count by where they come from.
        proves_itself: whether a signature shows that an answer is right, wherever it comes from;
            one that rests on TLS to the service is not shared.
    """

    what: str
    url: str
    pieces: Callable[[Reply], tuple[Piece, ...]]
    fits: Callable[[Endorsements], bool]
    max_age: timedelta
    lifetime: timedelta | None = None
    still_fits: Callable[[Endorsements], bool] = _always
    keep: tuple[str, ...] = ()
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    wants_keys: bool = False
    proves_itself: bool = True

    @property
    def place(self) -> str:
        """The start of the address, for messages."""
        return self.url if len(self.url) <= _MAX_PLACE else f"{self.url[:_MAX_PLACE]}…"

    @property
    def key(self) -> str:
        """A digest of what makes it this question, in hex."""
        body = b"" if self.body is None else hashlib.sha256(self.body).digest()
        return hashlib.sha256(self.url.encode() + b"\0" + body).hexdigest()


@dataclass(frozen=True, slots=True)
class Missing:
    """What could not be had, and why."""

    what: str
    reason: str

    def __str__(self) -> str:
        return f"{self.what}: {self.reason}"
