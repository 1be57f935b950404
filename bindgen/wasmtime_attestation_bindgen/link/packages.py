"""Drafts of packages, in the order in which they depend on each other."""

from __future__ import annotations

from collections.abc import Iterable

from wasmtime_attestation_bindgen.draft import Draft
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.link.features import Features
from wasmtime_attestation_bindgen.link.graph import Graph
from wasmtime_attestation_bindgen.link.package import link_package
from wasmtime_attestation_bindgen.model import PackageName, Resolve

LONGEST_CHAIN = 200
"""Packages that depend on packages that depend on packages and so on."""


def link(main: PackageName, drafts: Iterable[Draft], features: Features) -> Resolve:
    """Returns the model of a set of packages.

    Args:
        main: the package that was asked for, one of them.
        drafts: the packages.
        features: which features are active.

    Raises:
        WitError: a package is there twice or depends on itself, or as
            `link_package`.
    """
    by_name = _by_name(drafts)
    graph = Graph()
    for draft in _Order(by_name).run():
        link_package(graph, draft, features)
    return Resolve(
        worlds=tuple(graph.worlds),
        interfaces=tuple(graph.interfaces),
        types=tuple(graph.types),
        packages=tuple(graph.packages),
        main=graph.names[main],
    )


def _by_name(drafts: Iterable[Draft]) -> dict[PackageName, Draft]:
    by_name: dict[PackageName, Draft] = {}
    for draft in drafts:
        first = by_name.setdefault(draft.name, draft)
        if first is not draft:
            raise WitError(
                f"package `{draft.name}` is defined in two places",
                draft.span,
                others=[("the other one", first.span)],
            )
    return by_name


class _Order:
    def __init__(self, drafts: dict[PackageName, Draft]) -> None:
        self._drafts = drafts
        self._done: dict[PackageName, Draft] = {}
        self._path: set[PackageName] = set()

    def run(self) -> Iterable[Draft]:
        for name in sorted(self._drafts, key=lambda name: name.sort_key):
            self._visit(self._drafts[name])
        return self._done.values()

    def _visit(self, draft: Draft) -> None:
        if draft.name in self._done:
            return
        for name, package in draft.foreign.items():
            if name in self._path:
                raise WitError(f"package `{name}` depends on itself", package.span)
            if len(self._path) == LONGEST_CHAIN:
                raise WitError(
                    f"more than {LONGEST_CHAIN} packages depend on each other in a chain",
                    package.span,
                )
            self._path.add(name)
            if name in self._drafts:
                self._visit(self._drafts[name])
            self._path.remove(name)
        self._done[draft.name] = draft
