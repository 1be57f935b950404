"""WIT packages to a resolved model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from wasmtime_attestation_bindgen import syntax
from wasmtime_attestation_bindgen.draft import Draft, draft_package
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.link import Features, link
from wasmtime_attestation_bindgen.model import Resolve
from wasmtime_attestation_bindgen.parser import parse
from wasmtime_attestation_bindgen.source import Encoded, Source

if TYPE_CHECKING:
    from wasmtime_attestation_bindgen.binary.package import Views

PackageFiles: TypeAlias = Sequence[Source] | Encoded
"""A package as text, in files, or in binary form."""


def resolve(
    main: PackageFiles, dependencies: Sequence[PackageFiles], features: Features
) -> Resolve:
    """Returns the model of a package and of those that it depends on.

    Args:
        main: the package.
        dependencies: each other package that it may depend on.
        features: which features are active.

    Raises:
        WitError: the WIT is wrong; the first thing that is.
    """
    packages = _Packages()
    name = packages.add(main).name
    for files in dependencies:
        packages.add(files)
    return link(name, packages.finish(), features)


class _Packages:
    def __init__(self) -> None:
        self._drafts: list[Draft] = []
        self._views: list[Views] = []

    def add(self, files: PackageFiles) -> Draft:
        """Adds the packages that are nested in files, then the one that the files make."""
        if isinstance(files, Encoded):
            # Most packages are text, and the reader of the others need not be loaded.
            from wasmtime_attestation_bindgen.binary import decode_package

            decoded = decode_package(files.path, files.data)
            self._views.append(decoded.views)
            self._drafts.append(replace(draft_package([decoded.package]), encoded=True))
        else:
            self._drafts.append(draft_package([self._parse(source) for source in _sorted(files)]))
        return self._drafts[-1]

    def _parse(self, source: Source) -> syntax.Package:
        file = parse(source)
        for item in file.items:
            if isinstance(item, syntax.Package):
                _refuse_nested(item)
                self._drafts.append(draft_package([item]))
        return file

    def finish(self) -> list[Draft]:
        """Returns all packages; those in full come before those that others show."""
        if not self._views:
            return self._drafts
        from wasmtime_attestation_bindgen.binary import viewed_packages

        known = {draft.name for draft in self._drafts}
        viewed = [draft_package([package]) for package in viewed_packages(self._views, known)]
        return self._drafts + viewed


def _sorted(files: Sequence[Source]) -> list[Source]:
    return sorted(files, key=lambda source: source.path)


def _refuse_nested(package: syntax.Package) -> None:
    for item in package.items:
        if isinstance(item, syntax.Package):
            raise WitError(
                "a nested package cannot hold another one",
                None if item.id is None else item.id.span,
                help="move it to the top level of the file",
            )
