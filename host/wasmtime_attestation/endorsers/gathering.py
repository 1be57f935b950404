"""What is known so far, and what is asked for besides, while endorsements are gathered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509

from wasmtime_attestation.endorsements import x509 as certs
from wasmtime_attestation.endorsements.anchors import AMD_ROOTS, INTEL_ROOT, NVIDIA_ROOTS
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsers.kept import Obtained
from wasmtime_attestation.endorsers.question import Missing, Piece, Question
from wasmtime_attestation.endorsers.service_urls import ServiceUrls
from wasmtime_attestation.endorsers.source import Source
from wasmtime_attestation.errors import UnavailableError

_VENDOR_ROOTS = {anchor.spki_sha256 for anchor in (*AMD_ROOTS, INTEL_ROOT, *NVIDIA_ROOTS)}


@dataclass(slots=True)
class Gathering:
    """Gathers endorsements for one input.

    Attributes:
        source: answers questions.
        urls: where services are.
        at: the instant at which everything must hold.
        known: what is there: given, with the evidence, and fetched.
        pieces: what was fetched.
        fetched: the same, decoded.
        missing: what could not be had.
    """

    source: Source
    urls: ServiceUrls
    at: datetime
    known: Endorsements
    pieces: list[Piece] = field(default_factory=list)
    fetched: Endorsements = field(default_factory=Endorsements)
    missing: list[Missing] = field(default_factory=list)
    _asked: set[str] = field(default_factory=set)

    @contextmanager
    def beside(self, own: Endorsements) -> Iterator[None]:
        """Knows, for the time being, what came with one piece of evidence."""
        before = self.known
        self.known = before + own
        try:
            yield
        finally:
            self.known = before + self.fetched

    def ask(self, question: Question) -> Obtained | None:
        """Asks once, and takes what comes.

        Returns:
            what came, or None: nothing did, which is noted, or it was asked for before.
        """
        obtained = self.try_asking(question)
        if obtained is not None:
            self.take(obtained)
        return obtained

    def try_asking(self, question: Question) -> Obtained | None:
        """Asks as `ask` does, and leaves it to the caller to take what comes."""
        if question.key in self._asked:
            return None
        self._asked.add(question.key)
        try:
            return self.source.ask(question, self.at)
        except UnavailableError as error:
            self.lacks(question.what, str(error))
            return None

    def take(self, obtained: Obtained) -> None:
        """Adds what came to what is known and fetched."""
        self.pieces += obtained.pieces
        self.fetched += obtained.endorsements
        self.known += obtained.endorsements

    def lacks(self, what: str, reason: str) -> None:
        """Notes what could not be had."""
        self.missing.append(Missing(what, reason))

    def may_ask(self, service: str, root: x509.Certificate | None) -> bool:
        """Whether a service can know of what ends at a root.

        A vendor's own service knows nothing of other roots than the vendor's, such as those of a
        simulation; a service that the user named may.
        """
        if root is None or not self.urls.is_own(service):
            return True
        return certs.spki_sha256(root) in _VENDOR_ROOTS
