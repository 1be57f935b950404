"""Several kinds of token in an order that somebody wrote down."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from wasmtime_attestation.errors import UnavailableError, UnsupportedError
from wasmtime_attestation.issuing import Issued, Order, Source
from wasmtime_attestation.verifier.issuers import Issuer

log = logging.getLogger(__name__)


class FallBack:
    """The first source that can; a "no" of any is the answer, and nobody else is asked.

    Args:
        sources: in their order, at least one.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        if not sources:
            raise ValueError("a token comes from somewhere")
        self._sources = tuple(sources)

    @property
    def kind(self) -> str:
        """What its tokens are, in the order in which they are tried."""
        return ",".join(source.kind for source in self._sources)

    @property
    def issuers(self) -> tuple[Issuer, ...]:
        """Those of every source."""
        return tuple(issuer for source in self._sources for issuer in source.issuers)

    def learn_keys(self) -> None:
        """Learns those of every source; see `Source.learn_keys`."""
        for source in self._sources:
            source.learn_keys()

    def issue(self, order: Order) -> Issued:
        """Returns the first source's token that can be had; see `Source.issue`."""
        failures: list[tuple[str, UnavailableError | UnsupportedError]] = []
        for source in self._sources:
            try:
                return source.issue(order)
            # Rejected and policy mean that something is wrong: another Verifier must not hide it.
            except (UnavailableError, UnsupportedError) as error:
                log.warning("no token of kind %s: %s", source.kind, error)
                failures.append((source.kind, error))
        raise _error(failures)


def _error(
    failures: Sequence[tuple[str, UnavailableError | UnsupportedError]],
) -> UnavailableError | UnsupportedError:
    """Returns one error with every reason; "unavailable" where another try may help."""
    kept = [error for _, error in failures]
    if len({error.message for error in kept}) == 1:
        return kept[-1]
    message = "; ".join(f"{kind}: {error.message}" for kind, error in failures)
    if any(isinstance(error, UnavailableError) for error in kept):
        return UnavailableError(message)
    return UnsupportedError(message)
