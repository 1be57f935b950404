"""Manifests are read strictly, within bounds, and only from what their signature is about."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasmtime_attestation.endorsements import rim, rim_file, xml_document, xml_signature
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.errors import InvalidArgumentError

from tests.fakes.nvidia import golden
from tests.fakes.nvidia_rim import (
    BLACKWELL,
    C14N,
    DRIVER,
    EXCLUSIVE,
    SWID,
    VBIOS,
    measurement,
    minimum_svn,
)

XML = DRIVER.xml()


def label(value: object) -> str:
    """Names a test by what is said: what is signed differs in each run."""
    return value if isinstance(value, str) and len(value) < 60 else "data"


def test_a_manifest_is_read() -> None:
    manifest = rim.decode(XML)

    assert (manifest.product, manifest.version) == ("GH100", "550.90.07")
    assert sorted(manifest.golden) == [7, 21, 35]
    assert manifest.golden[7].values == (bytes(48), golden(7))
    assert manifest.golden[21].values == (golden(21),)
    assert manifest.minimum_svns == ()
    assert len(manifest.signed.certificates) == 4


def test_a_file_is_recognised_by_what_it_says_and_not_yet_held_against_it() -> None:
    for data in (XML, (BEFORE + AFTER).encode(), _with_records(ONE, ONE)):
        file = rim.recognise(data, "a name")
        assert (file.name, file.product, file.version) == ("a name", "GH100", "550.90.07")
        assert file.data == data
    assert rim.recognise(XML.replace(b"ns0:Meta", b"ns0:Mate")).version == ""


@pytest.mark.parametrize("data", [b"<a/>", b"<!DOCTYPE a><a/>", XML[:-1], b"text"])
def test_other_xml_is_no_manifest(data: bytes) -> None:
    with pytest.raises(InvalidArgumentError, match="file: neither certificates"):
        Endorsements.from_files([("file", data)])


def test_minimum_security_versions_are_read() -> None:
    (record,) = rim.decode(BLACKWELL[0].xml()).minimum_svns

    assert (record.field, record.name, record.minimum) == (37, "FSP_UCODE_MIN_SVN", 5)


def test_what_is_signed_is_the_document_without_its_signature() -> None:
    before, after = DRIVER.parts()
    signed = rim.decode(XML).signed

    assert signed.signed_bytes == (before + after).encode()
    assert signed.digest == hashlib.sha384(signed.signed_bytes).digest()
    assert signed.signed_info.startswith(b'<ds:SignedInfo xmlns="http://standards.iso.org/')


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("></ns0:Resource>", "/>"),
        lambda text: text.replace('corpus="false" name', "corpus='false'   name"),
        lambda text: '<?xml version="1.0" encoding="UTF-8"?>\n' + text,
        lambda text: "\ufeff" + text,
        lambda text: text.replace("<ns0:Payload>\n", "<ns0:Payload><!-- a comment -->\n"),
        lambda text: text + "\n",
    ],
    ids=["empty element", "quotes", "declaration", "mark", "comment", "line end"],
)
def test_another_spelling_is_the_same_document(change: Callable[[str], str]) -> None:
    other = rim.decode(change(XML.decode()).encode())

    assert other.signed.signed_bytes == rim.decode(XML).signed.signed_bytes
    assert other.signed.signed_info == rim.decode(XML).signed.signed_info


def test_the_exclusive_form_has_only_the_namespaces_it_uses() -> None:
    signed = rim.decode(replace(DRIVER, canonical=EXCLUSIVE).xml()).signed

    assert signed.signed_info.startswith(
        b'<ds:SignedInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><'
    )


def _with_records(*records: str) -> bytes:
    return replace(DRIVER, records=records).xml()


ONE = measurement(1, golden(1))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (_with_records(), "no active measurement"),
        (_with_records(measurement(1, golden(1), active="False")), "no active measurement"),
        (_with_records(ONE, ONE), "index 1 stands twice"),
        (_with_records(ONE, measurement(1, bytes(48), active="False")), "index 1 stands twice"),
        (_with_records(measurement(1, golden(1), active="yes")), "neither active nor not"),
        (_with_records(measurement(1, golden(1), alternatives=2)), "not the 2 alternatives"),
        (_with_records(measurement(1, bytes(48), golden(1), alternatives=1)), "not the 1 alt"),
        (_with_records(measurement(1, alternatives=0)), "has 0 alternatives"),
        (_with_records(measurement(1, golden(1), alternatives=65)), "has 65 alternatives"),
        (_with_records(measurement(1, golden(1), alternatives="one")), "alternatives is no number"),
        (_with_records(measurement(1, golden(1)[:47])), "no SHA-384 digest"),
        (_with_records(ONE.replace('index="1"', 'index="01"')), "index is no number"),
        (_with_records(ONE.replace('index="1"', 'index="-1"')), "index is no number"),
        (_with_records(ONE.replace("ns2:Hash0", "Hash0")), "not the 1 alternatives"),
        (_with_records(ONE.replace('"Measurement"', '"File"')), "something else than meas"),
        (_with_records(ONE, "<ns0:File></ns0:File>"), "something else than meas"),
        (_with_records(ONE, minimum_svn(37, "x")), "minSvn is no number"),
        (_with_records(ONE, minimum_svn(37, 5, name="a b")), "name is no word"),
        (replace(DRIVER, version="550 90").xml(), "colloquialVersion is no word"),
        (replace(DRIVER, meta=' ns1:FirmwareManufacturerId="1"').xml(), "not of NVIDIA's firmware"),
        (XML.replace(SWID.encode(), b"urn:other"), "no SWID tag"),
        (XML.replace(b"ns0:Meta", b"ns0:Mate"), "0 elements Meta"),
        (XML.replace(b"<ns0:Meta", b"<ns0:Meta></ns0:Meta><ns0:Meta"), "2 elements Meta"),
    ],
    ids=label,
)
def test_what_is_wrong_with_a_manifest_is_said(data: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        rim.decode(data)


SIGNATURE = DRIVER.signature()
BEFORE, AFTER = DRIVER.parts()
EVIL = BEFORE.replace("550.90.07", "999.99.99")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (BEFORE + AFTER, "0 signatures, not one"),
        (BEFORE + SIGNATURE + SIGNATURE + AFTER, "2 signatures, not one"),
        (BEFORE + f"<ns0:Link>{SIGNATURE}</ns0:Link>" + AFTER, "1 signatures, not one within its"),
        # Wrapping: the signed document is moved into another one.
        (EVIL + f"<ns0:Old>{XML.decode()}</ns0:Old>" + AFTER, "1 signatures, not one within its"),
        (EVIL + SIGNATURE.replace("</ds:Signature>", f"<ds:Object>{BEFORE}{AFTER}</ds:Object>"
         "</ds:Signature>") + AFTER, "Signature has not SignedInfo, SignatureValue, KeyInfo in it"),
    ],
    ids=["none", "two", "deeper", "wrapped", "in an object"],
)  # fmt: skip
def test_there_is_one_signature_within_the_root(data: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        rim.decode(data.encode())


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"uri": 'URI="#1"'}, "not over the whole document"),
        ({"uri": 'Id="a" URI=""'}, "not over the whole document"),
        ({"method": "http://www.w3.org/2000/09/xmldsig#hmac-sha1"}, "SignatureMethod is not"),
        ({"digest_method": "http://www.w3.org/2001/04/xmlenc#sha256"}, "DigestMethod is not"),
        ({"enveloped": ""}, "Transforms has not Transform, Transform in it"),
        (
            {"enveloped": '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116">'
             "</ds:Transform>"},
            "Transform is not",
        ),
        ({"reference_end": "</ds:Reference><ds:Reference URI=''></ds:Reference>"}, "Reference in"),
    ],
)  # fmt: skip
def test_only_nvidias_kind_of_signature_is_known(changes: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        rim.decode(DRIVER.xml(**changes))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (C14N, "http://www.w3.org/TR/1999/REC-xslt-19991116", "canonical form is not known"),
        (C14N, C14N + "#WithComments", "canonical form is not known"),
        ("</ds:X509Data>", "</ds:X509Data><ds:KeyValue/>", "KeyInfo has not X509Data in it"),
        ("<ds:SignatureValue>", "<ds:SignatureValue>=", "SignatureValue is no base64"),
        ("<ds:SignatureValue>", "<ds:SignatureValue>é", "SignatureValue is no base64"),
        ("<ds:DigestValue>", "<ds:DigestValue><b/>", "DigestValue is no canonical base64"),
        ("<ds:X509Certificate>", "<ds:X509SKI>AA==</ds:X509SKI><ds:X509Certificate>", "X509Data"),
        ("<ds:X509Data>", "<ds:X509Data>" + "<ds:X509Certificate/>" * 9, "has 13 certificates"),
    ],
)
def test_what_is_wrong_with_a_signature_is_said(old: str, new: str, says: str) -> None:
    text = XML.decode().replace(old, new, 1)
    with pytest.raises(ValueError, match=says):
        rim.decode(text.encode())


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "a document type"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "a document type"),
        ('<!DOCTYPE a []><a/>'.encode("utf-16"), "utf-8"),
        (b"<a>&b;</a>", "cannot be read"),
        (b"<a><?php ?></a>", "processing instruction"),
        (b"<?php ?><a/>", "something beside its root"),
        (b"<?xml-stylesheet href='a'?><a/>", "style sheet"),
        (b"<a>" * 17 + b"</a>" * 17, "deeper than 16"),
        (b"<a>" * 9000, "cannot be read"),
        (b"<a>" * 30_000, "too many elements"),
        (b"<a " + b" ".join(b'a%d=""' % i for i in range(129)) + b"/>", "than 128 attributes"),
        (b"<a " + b" ".join(b'xmlns:a%d="urn:a"' % i for i in range(65)) + b"/>", "namespaces"),
        (b"<a/>".ljust((1 << 18) + 1), "more than 262144 bytes"),
        (b"<a", "cannot be read"),
        (b"\xff<a/>", "utf-8"),
    ],
    ids=label,
)  # fmt: skip
def test_hostile_xml_is_refused_at_once(data: bytes, says: str) -> None:
    begin = time.monotonic()
    with pytest.raises(ValueError, match=says):
        xml_document.parse(data)
    assert time.monotonic() - begin < 2


def test_a_relative_namespace_has_no_canonical_form() -> None:
    data = XML.replace(b'corpus="false"', b'corpus="false" xmlns:x="relative"')
    with pytest.raises(ValueError, match="no canonical form"):
        xml_signature.decode(data)


def served(**members: object) -> bytes:
    answer = {
        "id": "NV_GPU_DRIVER_GH100_550.90.07",
        "rim": base64.b64encode(XML).decode(),
        "sha256": hashlib.sha256(base64.b64encode(XML)).hexdigest(),
        "last_updated": "2026-01-01T00:00:00Z",
    }
    return json.dumps({**answer, **members}).encode()


@pytest.mark.parametrize(
    "digest", [None, hashlib.sha256(XML).hexdigest()], ids=["of the text", "of the bytes"]
)
def test_an_answer_of_the_service(digest: str | None) -> None:
    data = served() if digest is None else served(sha256=digest.upper())

    (manifest,) = Endorsements.from_files([("answer", data)]).rims

    assert manifest.name == "NV_GPU_DRIVER_GH100_550.90.07"
    assert manifest.data == XML


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"sha256": "00"}, "has not the digest"),
        ({"rim": "!"}, "no base64"),
        ({"rim": 7}, "rim is no string"),
        ({"rim": "AAAA", "sha256": hashlib.sha256(b"AAAA").hexdigest()}, "cannot be read"),
    ],
)
def test_what_is_wrong_with_an_answer_is_said(members: dict[str, object], says: str) -> None:
    with pytest.raises(InvalidArgumentError, match=says):
        Endorsements.from_files([("answer", served(**members))])


@pytest.mark.parametrize(
    ("file", "id_"),
    [
        ("NV_GPU_DRIVER_GH100_550.90.07.xml", "NV_GPU_DRIVER_GH100_550.90.07"),
        ("/a/b_NV_GPU_VBIOS_1010_0200_882_96.swidtag", "NV_GPU_VBIOS_1010_0200_882_96"),
        ("C:\\rims\\NV_SWITCH_BIOS_5612_0002_890", "NV_SWITCH_BIOS_5612_0002_890"),
        ("NV_GPU_X/driver.xml", ""),
        ("driver.xml", ""),
    ],
)  # fmt: skip
def test_the_identifier_in_a_files_name(file: str, id_: str) -> None:
    assert rim_file.id_in(file) == id_


def test_files_are_told_apart_by_content_whatever_their_wrapping() -> None:
    files = [XML, base64.b64encode(VBIOS.xml())]
    found = Endorsements.from_files((f"file {n}", data) for n, data in enumerate(files))

    assert [manifest.version for manifest in found.rims] == ["550.90.07", "96.00.9F.00.01"]
    with pytest.raises(InvalidArgumentError, match="or an OCSP response"):
        Endorsements.from_files([("b", b"\x30\x03\x02\x01\x01")])


def test_more_manifests_than_a_verification_takes() -> None:
    files = [(f"NV_GPU_{n}", XML) for n in range(257)]
    with pytest.raises(InvalidArgumentError, match="more than 256 manifests"):
        Endorsements.from_files(files)


@given(st.binary(max_size=300), st.integers(0, len(XML)))
def test_any_xml_is_read_or_refused(noise: bytes, at: int) -> None:
    for data in (noise, b"<a>" + noise, XML[:at] + noise + XML[at + len(noise) :]):
        try:
            rim.decode(data)
        except ValueError:
            continue
