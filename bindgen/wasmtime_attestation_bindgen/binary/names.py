"""Names of imports and exports (component-model, Explainer.md, "Import and Export Definitions")."""

from __future__ import annotations

import re
from dataclasses import dataclass

from wasmtime_attestation_bindgen import syntax
from wasmtime_attestation_bindgen.binary.reader import Reader
from wasmtime_attestation_bindgen.model import Form, PackageName
from wasmtime_attestation_bindgen.source import Source, Span
from wasmtime_attestation_bindgen.tokens import IDENTIFIER
from wasmtime_attestation_bindgen.versions import Version

_INTERFACE = re.compile(r"([^:/@]+):([^:/@]+)/([^:/@]+)(?:@(.+))?")
_RESOURCE_FUNCTION = re.compile(r"\[(constructor|method|static)\]([^.]+)(?:\.(.+))?")
_PLAIN, _OLD_PLAIN, _WITH_OPTIONS = 0, 1, 2
_IMPLEMENTS, _VERSION_SUFFIX, _EXTERNAL_ID = 0, 1, 2


@dataclass(frozen=True, slots=True)
class ExternName:
    """The name of an import or export, and what is said of it."""

    text: str
    implements: str | None = None
    external_id: str | None = None

    @property
    def attributes(self) -> syntax.Attributes:
        """What is said of it, as attributes."""
        return syntax.Attributes(external_id=self.external_id)


@dataclass(frozen=True, slots=True)
class FunctionName:
    """A function's name: its form, its resource if it has one, its own name."""

    form: Form
    resource: str | None
    name: str


def read_extern_name(reader: Reader) -> ExternName:
    """Returns the name that comes next.

    Raises:
        WitError: it has an unknown form.
    """
    form = reader.byte()
    if form not in (_PLAIN, _OLD_PLAIN, _WITH_OPTIONS):
        raise reader.error(f"a name has the unknown form {form:#04x}")
    text = reader.text()
    if form != _WITH_OPTIONS:
        return ExternName(text)
    options: dict[int, str] = {}
    for _ in range(reader.count()):
        option = reader.byte()
        if option not in (_IMPLEMENTS, _VERSION_SUFFIX, _EXTERNAL_ID):
            raise reader.error(f"a name has the unknown option {option:#04x}")
        options[option] = reader.text()
    if _VERSION_SUFFIX in options:
        text += options[_VERSION_SUFFIX]
    return ExternName(text, options.get(_IMPLEMENTS), options.get(_EXTERNAL_ID))


class Names:
    """Makes names for the syntax tree; a binary has no text that they could point at.

    Args:
        reader: for errors.
    """

    def __init__(self, reader: Reader) -> None:
        self.span = Span(Source(reader.path, ""), 0, 0)

    def name(self, reader: Reader, text: str) -> syntax.Name:
        """Returns a name.

        Raises:
            WitError: it is not legal.
        """
        if not IDENTIFIER.fullmatch(text):
            raise reader.error(f"{text!r} is not a legal name")
        return syntax.Name(text, self.span)

    def path(self, reader: Reader, text: str) -> syntax.Path | None:
        """Returns what `namespace:package/name@version` says, or None for other names.

        Raises:
            WitError: it says so, but wrongly.
        """
        match = _INTERFACE.fullmatch(text)
        if match is None:
            return None
        namespace, package, name = (self.name(reader, part) for part in match.group(1, 2, 3))
        try:
            version = None if match[4] is None else Version.parse(match[4])
        except ValueError as error:
            raise reader.error(str(error)) from error
        full = PackageName(namespace.text, package.text, version)
        return syntax.Path(syntax.PackageId(full, self.span), name)


def function_name(text: str) -> FunctionName:
    """Returns what a function's name says, such as `[method]file.read`."""
    match = _RESOURCE_FUNCTION.fullmatch(text)
    if match is None:
        return FunctionName(Form.FREESTANDING, None, text)
    return FunctionName(Form(match[1]), match[2], match[3] or match[1])
