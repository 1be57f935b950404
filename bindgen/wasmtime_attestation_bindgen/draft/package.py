"""A package's files to its draft."""

from __future__ import annotations

from collections.abc import Sequence

from wasmtime_attestation_bindgen import syntax
from wasmtime_attestation_bindgen.draft.bodies import Context, resolve_interface
from wasmtime_attestation_bindgen.draft.namespace import Namespace
from wasmtime_attestation_bindgen.draft.paths import mentions
from wasmtime_attestation_bindgen.draft.scope import Scope
from wasmtime_attestation_bindgen.draft.state import Draft
from wasmtime_attestation_bindgen.draft.worlds import resolve_world
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.kinds import Unknown
from wasmtime_attestation_bindgen.model import InterfaceRef, TypeDef


def draft_package(files: Sequence[syntax.Package]) -> Draft:
    """Returns the draft of a package.

    Args:
        files: its files in order, or one nested package; packages nested in
            files are ignored, those nested in a nested package refused.

    Raises:
        WitError: no file names the package, or the files contradict each
            other; a name is taken, unknown, or depends on itself.
    """
    draft = _header(files)
    context = Context(draft, Namespace(draft, files), {})
    _add_foreign_types(context, files)
    places = {
        item.name.text: (index, item)
        for index, file in enumerate(files)
        for item in file.items
        if isinstance(item, syntax.Interface | syntax.World)
    }
    # Worlds are last, as what they use of an interface must be known by then.
    order = context.namespace.order()
    for name, ref in sorted(order, key=lambda entry: not isinstance(entry[1], InterfaceRef)):
        index, item = places[name]
        if isinstance(ref, InterfaceRef) and isinstance(item, syntax.Interface):
            resolve_interface(context, ref.id, index, item.items, item.docs, item.attributes)
        elif not isinstance(ref, InterfaceRef) and isinstance(item, syntax.World):
            resolve_world(context, ref.id, index, item)
    return draft


def _header(files: Sequence[syntax.Package]) -> Draft:
    draft: Draft | None = None
    for file in files:
        if file.id is None:
            continue
        if draft is None:
            draft = Draft(file.id.name, file.id.span, file.docs.text)
            continue
        if draft.name != file.id.name:
            raise WitError(
                f"this file says package `{file.id.name}`, another one `{draft.name}`",
                file.id.span,
                help="all files of a folder make one package",
                others=[("the other one", draft.span)],
            )
        if file.docs.text is not None and draft.docs is not None:
            raise WitError("only one file can document the package", file.docs.span)
        draft.docs = draft.docs if file.docs.text is None else file.docs.text
    if draft is None:
        raise WitError(
            "no file names the package", help="begin a file with `package namespace:name;`"
        )
    return draft


def _add_foreign_types(context: Context, files: Sequence[syntax.Package]) -> None:
    """Adds a stand-in for every type that is used from another package."""
    foreign = context.draft.foreign_items()
    for ref in foreign:
        if isinstance(ref, InterfaceRef):
            context.scopes[ref.id] = Scope()
    for index, file in enumerate(files):
        for mention in mentions(file):
            if mention.names is None:
                continue
            id_ = context.namespace.interface(index, mention.path)
            if InterfaceRef(id_) not in foreign:
                continue
            for renamed in mention.names:
                if renamed.name.text not in context.scopes[id_]:
                    stand_in = TypeDef(
                        name=renamed.name.text,
                        kind=Unknown(),
                        owner=InterfaceRef(id_),
                        stability=mention.attributes.stability,
                        span=renamed.name.span,
                    )
                    context.scopes[id_].define_type(renamed.name, context.draft.add_type(stand_in))
