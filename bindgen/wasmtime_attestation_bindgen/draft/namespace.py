"""What the names of interfaces and worlds mean, file by file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from wasmtime_attestation_bindgen import syntax
from wasmtime_attestation_bindgen.draft.order import topological_order
from wasmtime_attestation_bindgen.draft.paths import mentions
from wasmtime_attestation_bindgen.draft.state import Draft, ForeignItem, ForeignPackage, Item
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.model import InterfaceId, InterfaceRef, WorldId, WorldRef
from wasmtime_attestation_bindgen.syntax import Name, Path

Definition = syntax.Interface | syntax.World


class Namespace:
    """The interfaces and worlds that a package's files can name.

    Making one adds them to the draft: those of other packages first, in the
    order of mention, then the package's own, each after those it depends on.

    Args:
        draft: the package.
        files: its files, nested packages taken out.

    Raises:
        WitError: a name is taken twice, unknown, or depends on itself.
    """

    def __init__(self, draft: Draft, files: Sequence[syntax.Package]) -> None:
        self._draft = draft
        self._add_foreign(files)
        definitions = _definitions(files)
        self._package = {name: self._add(definitions[name]) for name in _order(files, definitions)}
        self._files = [self._file(file) for file in files]

    def order(self) -> list[tuple[str, Item]]:
        """Returns the package's own interfaces and worlds, each after those it depends on."""
        return list(self._package.items())

    def interface(self, file: int, path: Path) -> InterfaceId:
        """Returns the interface that a path names in a file.

        Raises:
            WitError: it names nothing or a world.
        """
        item = self._find(file, path)
        if isinstance(item, WorldRef):
            raise WitError(f"`{path.name.text}` is a world, not an interface", path.name.span)
        return item.id

    def world(self, file: int, path: Path) -> WorldId:
        """Returns the world that a path names in a file.

        Raises:
            WitError: it names nothing or an interface.
        """
        item = self._find(file, path)
        if isinstance(item, InterfaceRef):
            raise WitError(f"`{path.name.text}` is an interface, not a world", path.name.span)
        return item.id

    def _find(self, file: int, path: Path) -> Item:
        if path.package is not None:
            return self._draft.foreign[path.package.name].items[path.name.text].item
        item = self._files[file].get(path.name.text) or self._package.get(path.name.text)
        if item is None:
            raise _not_found(path.name)
        return item

    def _add_foreign(self, files: Sequence[syntax.Package]) -> None:
        for mention in (mention for file in files for mention in mentions(file)):
            package, name = mention.path.package, mention.path.name
            if package is None:
                continue
            items = self._draft.foreign.setdefault(package.name, ForeignPackage(package.span)).items
            if name.text not in items:
                items[name.text] = ForeignItem(self._stand_in(name, mention.wants_world))
            items[name.text].gates.append(mention.attributes.stability)

    def _stand_in(self, name: Name, is_world: bool) -> Item:
        if is_world:
            return WorldRef(self._draft.add_world(name.text, name.span))
        return InterfaceRef(self._draft.add_interface(name.text, name.span))

    def _add(self, definition: Definition) -> Item:
        return self._stand_in(definition.name, isinstance(definition, syntax.World))

    def _file(self, file: syntax.Package) -> dict[str, Item]:
        names: dict[str, Item] = {}
        for item in file.items:
            if isinstance(item, syntax.TopLevelUse):
                names[item.name.text] = self._top_level_use(item)
            elif not isinstance(item, syntax.Package):
                names[item.name.text] = self._package[item.name.text]
        return names

    def _top_level_use(self, use: syntax.TopLevelUse) -> Item:
        if use.attributes.span is not None:
            raise WitError("`use` at the top level takes no attributes", use.span)
        if use.path.package is not None:
            return self._draft.foreign[use.path.package.name].items[use.path.name.text].item
        item = self._package.get(use.path.name.text)
        if item is None:
            raise _not_found(use.path.name)
        return item


def _definitions(files: Iterable[syntax.Package]) -> dict[str, Definition]:
    definitions: dict[str, Definition] = {}
    for item in (item for file in files for item in file.items):
        if isinstance(item, syntax.Interface | syntax.World):
            if item.name.text in definitions:
                raise WitError(
                    f"`{item.name.text}` is defined twice in this package",
                    item.name.span,
                    others=[("first defined here", definitions[item.name.text].name.span)],
                )
            definitions[item.name.text] = item
    return definitions


def _order(files: Iterable[syntax.Package], definitions: dict[str, Definition]) -> list[str]:
    dependencies: dict[str, list[Name]] = {name: [] for name in definitions}
    for file in files:
        for dependent, dependency in _dependencies(file, definitions):
            dependencies[dependent].append(dependency)
    return topological_order("interface or world", dependencies)


def _dependencies(
    file: syntax.Package, definitions: dict[str, Definition]
) -> Iterator[tuple[str, Name]]:
    local = _local_names(file)
    for mention in mentions(file):
        name = mention.path.name
        if mention.dependent is None or mention.path.package is not None:
            continue
        if name.text in local:
            # An error about a cycle points at the definition, where it is in the same file.
            target = local[name.text]
            if target is not None:
                yield mention.dependent, target
        elif name.text in definitions:
            yield mention.dependent, name
        else:
            raise _not_found(name)


def _local_names(file: syntax.Package) -> dict[str, Name | None]:
    """Returns a file's own names with what they stand for; None stands for other packages'."""
    names: dict[str, Name | None] = {}
    for item in file.items:
        if isinstance(item, syntax.Package):
            continue
        if item.name.text in names:
            raise WitError(f"the name `{item.name.text}` is taken in this file", item.name.span)
        names[item.name.text] = item.name
        if isinstance(item, syntax.TopLevelUse):
            names[item.name.text] = None if item.path.package else item.path.name
    return names


def _not_found(name: Name) -> WitError:
    return WitError(f"there is no interface or world `{name.text}`", name.span)
