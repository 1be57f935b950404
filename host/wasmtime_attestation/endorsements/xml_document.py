"""XML from strangers, parsed within bounds: no document type, no entities, no network."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml import etree

MAX_SIZE = 1 << 18
"""Bytes in a document; a RIM has about 20,000."""
MAX_ELEMENTS = 10_000
MAX_NAMESPACES = 64
"""Declarations of namespaces: what canonical forms cost grows with them for each element."""
MAX_DEPTH = 16
"""How deep elements may be nested; a RIM has five levels."""
MAX_ATTRIBUTES = 128
"""Attributes of one element; those of a measurement with 64 alternatives are fewer."""
_BOM = b"\xef\xbb\xbf"
_FORBIDDEN = (b"<!DOCTYPE", b"<!ENTITY", b"<?xml-")


def looks_like(data: bytes) -> bool:
    """Whether bytes can be meant as XML."""
    return data.removeprefix(_BOM).lstrip().startswith(b"<")


def parse(data: bytes) -> etree._Element:
    """Parses a document and returns its root element.

    Raises:
        ValueError: it is no XML in UTF-8, has a document type, or is too large or too deep.
    """
    if len(data) > MAX_SIZE:
        raise ValueError(f"the XML has more than {MAX_SIZE} bytes")
    data.decode("utf-8")
    if any(word in data for word in _FORBIDDEN):
        raise ValueError("the XML has a document type or a style sheet")
    if data.count(b"<") > 2 * MAX_ELEMENTS or data.count(b"xmlns") > MAX_NAMESPACES:
        raise ValueError("the XML has too many elements or namespaces")
    # One parser a document: it keeps names, and so would grow.
    from lxml import etree  # only manifests of GPUs are XML

    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise ValueError(f"the XML cannot be read: {str(error)[:200]}") from error
    _check_shape(root)
    return root


def local_name(element: etree._Element | str) -> str:
    """Returns the name of an element, or a qualified one, without its namespace."""
    from lxml import etree  # as above

    return etree.QName(element).localname


def _check_shape(root: etree._Element) -> None:
    """Refuses what is neither element nor text, and deep trees."""
    if root.getprevious() is not None or root.getnext() is not None:
        raise ValueError("the XML has something beside its root element")
    level, depth = [root], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise ValueError(f"the XML is nested deeper than {MAX_DEPTH}")
        if any(not isinstance(node.tag, str) for node in level):
            raise ValueError("the XML has a processing instruction or an entity")
        if any(len(node.attrib) > MAX_ATTRIBUTES for node in level):
            raise ValueError(f"an element has more than {MAX_ATTRIBUTES} attributes")
        level = [child for node in level for child in node]
