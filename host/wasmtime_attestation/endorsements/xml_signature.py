"""An enveloped XML signature over a whole document, as NVIDIA signs its RIMs.

Decoded, not verified: the caller checks the digest, the signature and the certificates. What
it then reads must be `signed_bytes` parsed again, so that only what is signed is seen.

Source: W3C, "XML Signature Syntax and Processing Version 1.1"; RFC 9231 (identifiers).
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasmtime_attestation.endorsements import xml_document

if TYPE_CHECKING:
    from lxml import etree

NAMESPACE = "http://www.w3.org/2000/09/xmldsig#"
ECDSA_SHA384 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"
SHA384 = "http://www.w3.org/2001/04/xmldsig-more#sha384"
MAX_CERTIFICATES = 8

_ENVELOPED = NAMESPACE + "enveloped-signature"
# By identifier: whether the form is the exclusive one. 1.0 and 1.1 differ for parts of
# documents with xml: attributes only, and such parts do not verify.
_CANONICAL_FORMS = {
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315": False,
    "http://www.w3.org/2006/12/xml-c14n11": False,
    "http://www.w3.org/2001/10/xml-exc-c14n#": True,
}


@dataclass(frozen=True, slots=True)
class SignedXml:
    """A document and its signature.

    Attributes:
        signed_bytes: the canonical form of the document without the signature.
        digest: what SHA-384 of it must be.
        signed_info: the canonical form of what the key signs.
        signature: R and S, as they stand there.
        certificates: DER of the certificates that came along, in their order.
    """

    signed_bytes: bytes
    digest: bytes
    signed_info: bytes
    signature: bytes
    certificates: tuple[bytes, ...]


def decode(data: bytes) -> SignedXml:
    """Takes a signed document apart.

    Raises:
        ValueError: it is no XML, has not exactly one signature as a child of its root, or
            one that is made otherwise.
    """
    root = xml_document.parse(data)
    signature = _signature(root)
    signed_info, value, key_info = _parts(signature, "SignedInfo", "SignatureValue", "KeyInfo")
    method, algorithm, reference = _parts(
        signed_info, "CanonicalizationMethod", "SignatureMethod", "Reference"
    )
    is_exclusive = _canonical_form(method)
    _check_algorithm(algorithm, ECDSA_SHA384)
    document_is_exclusive, digest = _reference(reference)
    signed_info_bytes = _canonical(signed_info, exclusive=is_exclusive)
    certificates = _certificates(key_info)
    _remove(signature)
    return SignedXml(
        signed_bytes=_canonical(root, exclusive=document_is_exclusive),
        digest=digest,
        signed_info=signed_info_bytes,
        signature=_base64(value),
        certificates=certificates,
    )


def _signature(root: etree._Element) -> etree._Element:
    found = list(root.iter(f"{{{NAMESPACE}}}Signature"))
    if len(found) != 1 or found[0].getparent() is not root:
        raise ValueError(f"it has {len(found)} signatures, not one within its root")
    return found[0]


def _parts(element: etree._Element, *names: str) -> list[etree._Element]:
    """Returns the children, which are these and no others."""
    children = list(element)
    if [child.tag for child in children] != [f"{{{NAMESPACE}}}{name}" for name in names]:
        raise ValueError(f"{xml_document.local_name(element)} has not {', '.join(names)} in it")
    return children


def _reference(reference: etree._Element) -> tuple[bool, bytes]:
    """Checks that the whole document is meant; returns its canonical form and the digest."""
    if dict(reference.attrib) != {"URI": ""}:
        raise ValueError("the signature is not over the whole document")
    transforms, method, value = _parts(reference, "Transforms", "DigestMethod", "DigestValue")
    enveloped, canonical = _parts(transforms, "Transform", "Transform")
    _check_algorithm(enveloped, _ENVELOPED)
    _check_algorithm(method, SHA384)
    return _canonical_form(canonical), _base64(value)


def _canonical_form(element: etree._Element) -> bool:
    """Returns whether a canonical form is the exclusive one."""
    algorithm = element.get("Algorithm", "")
    if algorithm not in _CANONICAL_FORMS:
        raise ValueError("a canonical form is not known")
    _check_algorithm(element, algorithm)
    return _CANONICAL_FORMS[algorithm]


def _check_algorithm(element: etree._Element, expected: str) -> None:
    """Checks that an element names an algorithm and nothing else."""
    if dict(element.attrib) != {"Algorithm": expected} or len(element):
        raise ValueError(f"{xml_document.local_name(element)} is not {expected} alone")


def _canonical(element: etree._Element, *, exclusive: bool) -> bytes:
    from lxml import etree  # as `xml_document`

    try:
        return etree.tostring(element, method="c14n", exclusive=exclusive)
    except etree.C14NError as error:
        # A namespace that is no absolute URI (Canonical XML 1.1, section 2.4).
        raise ValueError("the XML has no canonical form") from error


def _remove(signature: etree._Element) -> None:
    """Removes the signature; the text that follows it stays."""
    parent, before, tail = signature.getparent(), signature.getprevious(), signature.tail or ""
    if parent is None:
        raise ValueError("the signature has no parent")
    if before is not None:
        before.tail = (before.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
    parent.remove(signature)


def _certificates(key_info: etree._Element) -> tuple[bytes, ...]:
    (x509_data,) = _parts(key_info, "X509Data")
    found = list(x509_data)
    if not 0 < len(found) <= MAX_CERTIFICATES:
        raise ValueError(f"it has {len(found)} certificates, not 1 to {MAX_CERTIFICATES}")
    return tuple(map(_base64, _parts(x509_data, *["X509Certificate"] * len(found))))


def _base64(element: etree._Element) -> bytes:
    """Returns bytes in base64, whose lines may be broken anywhere."""
    name = xml_document.local_name(element)
    text = "".join((element.text or "").split())
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise ValueError(f"{name} is no base64") from error
    if len(element) or base64.b64encode(data).decode("ascii") != text:
        raise ValueError(f"{name} is no canonical base64")
    return data
