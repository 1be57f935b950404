"""Manifests (RIM) of the miniature NVIDIA: SWID tags with enveloped XML signatures.

The documents are written in their canonical form by hand, so that what is signed is the text
itself and no library's idea of it (W3C, "Canonical XML Version 1.1"; "XML Signature Syntax
and Processing Version 1.1").
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cryptography import x509
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.x509 import der

from tests.fakes.nvidia import (
    BLACKWELL_DRIVER,
    BLACKWELL_VBIOS,
    DRIVER_INDICES,
    DRIVER_VERSION,
    RIM_ROOT,
    SWITCH_BIOS,
    VBIOS_INDICES,
    VBIOS_VERSION,
    chain_of,
    ecdsa,
    golden,
    key_of,
)

C14N = "http://www.w3.org/2006/12/xml-c14n11"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
SWID = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd"
TCG = (
    "https://trustedcomputinggroup.org/resource/"
    "tcg-reference-integrity-manifest-rim-information-model/"
)
HASHES = "http://www.w3.org/2001/04/xmlenc#sha384"
OPAQUE = "https://docs.nvidia.com/attestation/specs/latest/opaque-data.html"
DSIG = "http://www.w3.org/2000/09/xmldsig#"
DSIG_MORE = "http://www.w3.org/2001/04/xmldsig-more#"

# In scope at the root, in the order of canonical XML; `ds` comes second in the signature.
_DEFAULT = f' xmlns="{SWID}"'
_OTHERS = f' xmlns:ns0="{SWID}" xmlns:ns1="{TCG}" xmlns:ns2="{HASHES}" xmlns:ns3="{OPAQUE}"'
_DS = f' xmlns:ds="{DSIG}"'
SIGNER_NAMES = (
    "HCC RIM L4 Signer",
    "NVIDIA Reference Value L3 GH100 002",
    "NVIDIA Reference Value GH100 CA",
    RIM_ROOT,
)


def measurement(
    index: int, *values: bytes, active: str = "True", alternatives: object = None
) -> str:
    """Writes a record of a measurement, its attributes in canonical order."""
    count = len(values) if alternatives is None else alternatives
    hashes = "".join(f' ns2:Hash{n}="{value.hex()}"' for n, value in enumerate(values))
    return (
        f'<ns0:Resource active="{active}" alternatives="{count}" index="{index}" '
        f'name="Measurement_{index}" size="48" type="Measurement"{hashes}></ns0:Resource>'
    )


def minimum_svn(field_: int, minimum: object, name: str = "FSP_UCODE_MIN_SVN") -> str:
    """Writes a record of a minimum for a field of the opaque data."""
    return (
        f'<ns0:Resource active="True" index="{0x1000 + field_}" name="{name}" '
        f'type="Measurement" ns3:minSvn="{minimum}"></ns0:Resource>'
    )


def records(indices: Iterable[int], others: Sequence[str] = ()) -> tuple[str, ...]:
    """Writes records with the golden values, the second of two for index 7, and an inactive one."""
    written = [
        measurement(i, *([bytes(48), golden(i)] if i == 7 else [golden(i)])) for i in indices
    ]
    return (*written, measurement(63, bytes(48), active="False"), *others)


@dataclass(frozen=True)
class Manifest:
    """A manifest; each part can be another.

    Attributes:
        version, product: what it says it is about.
        records: the payload.
        owner: who has the keys.
        meta: further attributes of Meta, in canonical order, after those of its own.
        names: of the signer's chain.
        chain: the certificates in the signature; None for those of the names.
    """

    version: str = DRIVER_VERSION
    product: str = "GH100"
    records: Sequence[str] = field(default_factory=lambda: records(DRIVER_INDICES))
    owner: str = "NVIDIA"
    meta: str = ' ns1:FirmwareManufacturerId="5703"'
    names: Sequence[str] = SIGNER_NAMES
    chain: Sequence[x509.Certificate] | None = None
    canonical: str = C14N

    def path(self) -> tuple[x509.Certificate, ...]:
        """Returns the certificates that come with the signature."""
        return tuple(chain_of(self.owner, self.names) if self.chain is None else self.chain)

    def parts(self) -> tuple[str, str]:
        """Returns the document before and after the place of its signature."""
        before = (
            f'<SoftwareIdentity{_DEFAULT}{_OTHERS} corpus="false" name="{self.product}" '
            'tagId="1" tagVersion="0" version="1.0">\n'
            f'<ns0:Meta colloquialVersion="{self.version}" edition="GPU" '
            f'product="{self.product}"{self.meta}></ns0:Meta>\n'
            f"<ns0:Payload>\n{''.join(self.records)}\n</ns0:Payload>\n"
        )
        return before, "\n</SoftwareIdentity>"

    def signature(self, **changes: str) -> str:
        """Writes the signature; words of it can be replaced before it is made."""
        before, after = self.parts()
        digest = base64.b64encode(hashlib.sha384((before + after).encode()).digest()).decode()
        info = _signed_info(digest, self.canonical)
        for old, new in changes.items():
            info = info.replace(_PLACES[old], new)
        inherited = _DEFAULT + _DS + _OTHERS if self.canonical == C14N else _DS
        canonical = info.replace("<ds:SignedInfo>", f"<ds:SignedInfo{inherited}>", 1)
        value = ecdsa(key_of(self.owner, self.names[0]), canonical.encode())
        certificates = "".join(
            f"<ds:X509Certificate>{base64.encodebytes(der(c)).decode()}</ds:X509Certificate>"
            for c in self.path()
        )
        return (
            f"<ds:Signature{_DS}>{info}"
            f"<ds:SignatureValue>{base64.b64encode(value).decode()}</ds:SignatureValue>"
            f"<ds:KeyInfo><ds:X509Data>{certificates}</ds:X509Data></ds:KeyInfo></ds:Signature>"
        )

    def xml(self, **changes: str) -> bytes:
        """Returns the file."""
        before, after = self.parts()
        return (before + self.signature(**changes) + after).encode()


_PLACES: Mapping[str, str] = {
    "uri": 'URI=""',
    "method": f"{DSIG_MORE}ecdsa-sha384",
    "digest_method": f"{DSIG_MORE}sha384",
    "enveloped": f'<ds:Transform Algorithm="{DSIG}enveloped-signature"></ds:Transform>',
    "reference_end": "</ds:Reference>",
}


def _signed_info(digest: str, canonical: str) -> str:
    return (
        "<ds:SignedInfo>"
        f'<ds:CanonicalizationMethod Algorithm="{canonical}"></ds:CanonicalizationMethod>'
        f'<ds:SignatureMethod Algorithm="{DSIG_MORE}ecdsa-sha384"></ds:SignatureMethod>'
        '<ds:Reference URI=""><ds:Transforms>'
        f'<ds:Transform Algorithm="{DSIG}enveloped-signature"></ds:Transform>'
        f'<ds:Transform Algorithm="{C14N}"></ds:Transform></ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{DSIG_MORE}sha384"></ds:DigestMethod>'
        f"<ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
    )


DRIVER = Manifest()
VBIOS = Manifest(version=VBIOS_VERSION, records=records(VBIOS_INDICES))
BLACKWELL = (
    replace(
        DRIVER,
        version=BLACKWELL_DRIVER,
        product="GB100",
        records=records(DRIVER_INDICES, [minimum_svn(37, 5)]),
    ),
    replace(VBIOS, version=BLACKWELL_VBIOS, product="GB100"),
)
SWITCH = (replace(VBIOS, version=SWITCH_BIOS, product="LS10"),)


def endorsements(*manifests: Manifest | bytes) -> Endorsements:
    """Returns manifests for a verifier; without arguments those of the Hopper GPU."""
    files = [m if isinstance(m, bytes) else m.xml() for m in manifests or (DRIVER, VBIOS)]
    return Endorsements.from_files((f"manifest {n}", data) for n, data in enumerate(files))
