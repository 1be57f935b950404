"""Which items exist: `@unstable` ones only where their feature is active."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.model import PackageName, Stability
from wasmtime_attestation_bindgen.source import Span


class Features(NamedTuple):
    """The features that are active.

    Attributes:
        names: their names.
        all: whether every feature is active, whatever `names` says.
        settled: whether every item exists, because the choice was made before.
    """

    names: Collection[str] = ()
    all: bool = False
    settled: bool = False

    def include(self, stability: Stability, package: PackageName, span: Span | None) -> bool:
        """Whether an item exists.

        Args:
            stability: the item's.
            package: the package that it stands in.
            span: where, for errors.

        Raises:
            WitError: the item is there since a version that the package has not reached.
        """
        if self.settled:
            return True
        if stability.since is not None:
            _check_version(stability, package, span)
        return stability.feature is None or self.all or stability.feature in self.names


def _check_version(stability: Stability, package: PackageName, span: Span | None) -> None:
    if stability.since is None:
        return
    if package.version is None:
        raise WitError(
            f"`@since` stands in package `{package}`, which has no version",
            span,
            help=f"write `package {package}@{stability.since};`",
        )
    if stability.since.sort_key > package.version.sort_key:
        raise WitError(
            f"this is there since {stability.since}, but the package is `{package}`", span
        )
