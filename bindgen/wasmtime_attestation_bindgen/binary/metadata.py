"""The `package-docs` section: what a package's types cannot hold (wit-parser, metadata.rs).

A version, then JSON. Members are taken out as they are used, so that whatever
is left over speaks of something that is not there.
"""

from __future__ import annotations

import json

from wasmtime_attestation_bindgen.binary.reader import Reader
from wasmtime_attestation_bindgen.model import Stability
from wasmtime_attestation_bindgen.tokens import IDENTIFIER
from wasmtime_attestation_bindgen.versions import Version

SECTION = "package-docs"
"""The name of the custom section."""

_VERSIONS = (b"\0", b"\1")


class Metadata:
    """One JSON object of the section.

    Args:
        reader: for errors.
        members: the object; members are taken out of it.
    """

    def __init__(self, reader: Reader, members: dict[str, object]) -> None:
        self._reader = reader
        self._members = members

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def take(self, name: str) -> Metadata:
        """Takes the object of a name out; it is empty where there is none.

        Raises:
            WitError: there is something else.
        """
        members = self._members.pop(name, {})
        if not isinstance(members, dict):
            raise self._reader.error(f"`{name}` in {SECTION} is no object")
        return Metadata(self._reader, members)

    def take_text(self, name: str) -> str | None:
        """Takes the text of a name out, if there is one.

        Raises:
            WitError: there is something else, or no text that UTF-8 can express.
        """
        text = self._members.pop(name, None)
        if text is not None and not (isinstance(text, str) and _is_unicode(text)):
            raise self._reader.error(f"`{name}` in {SECTION} is no text")
        return text

    def take_function(self, name: str) -> Metadata:
        """Takes the object of a function out; version 0 had its documentation in place of it.

        Raises:
            WitError: there is something else.
        """
        if isinstance(self._members.get(name), str):
            return Metadata(self._reader, {"docs": self._members.pop(name)})
        return self.take(name)

    def take_stability(self, name: str = "stability") -> Stability:
        """Takes the gates of a name out; they say nothing where there are none.

        Raises:
            WitError: there is something else.
        """
        gates = self.take(name)
        stable, unstable = gates.take("stable"), gates.take("unstable")
        since, feature = stable._version("since"), unstable._feature()  # noqa: SLF001
        deprecated = (stable if since else unstable)._version("deprecated")  # noqa: SLF001
        for part in (stable, unstable, gates):
            part.finish()
        if since is not None and feature is not None:
            raise self._reader.error(f"an item is both stable and unstable in {SECTION}")
        return Stability(since, feature, deprecated)

    def _feature(self) -> str | None:
        feature = self.take_text("feature")
        if feature is not None and not IDENTIFIER.fullmatch(feature):
            raise self._reader.error(f"{feature!r} in {SECTION} is not the name of a feature")
        return feature

    def _version(self, name: str) -> Version | None:
        text = self.take_text(name)
        try:
            return None if text is None else Version.parse(text)
        except ValueError as error:
            raise self._reader.error(str(error)) from error

    def finish(self) -> None:
        """Checks that everything was taken out.

        Raises:
            WitError: something is left.
        """
        if self._members:
            left = next(iter(self._members))
            raise self._reader.error(f"{SECTION} speaks of {left!r}, which is not there")


def read_metadata(reader: Reader, data: bytes) -> Metadata:
    """Returns what a `package-docs` section says.

    Raises:
        WitError: it has another version, or is no JSON object.
    """
    if data[:1] not in _VERSIONS:
        raise reader.error(f"{SECTION} has an unknown version")
    try:
        members = json.loads(data[1:].decode(), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise reader.error(f"{SECTION} is not JSON: {error}") from error
    if not isinstance(members, dict):
        raise reader.error(f"{SECTION} is no object")
    return Metadata(reader, members)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("an object has a member twice")
    return members


def _is_unicode(text: str) -> bool:
    # JSON can spell half of a character, which no file can hold.
    return not any("\ud800" <= character <= "\udfff" for character in text)
