"""The checks of NVIDIA GPUs and NVSwitches."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from wasmtime_attestation.checks.rule import Rule

_SPDM = "DMTF DSP0274 1.1.0, section 10.11"
_SDK = "NVIDIA attestation SDK, local verifier"
_X509 = "RFC 5280, section 6"
_OCSP = "RFC 6960, sections 3.2 and 4.2.2"
_RIM = "NVIDIA RIM Guide; ISO/IEC 19770-2; W3C XML Signature 1.1"
_FETCH = "Give the manifest (RIM) of this identifier from NVIDIA's RIM service."

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "nvidia.format": Rule(
            "The bytes are an SPDM 1.1 measurement request and its response, by their declared "
            "lengths; each measurement index and each field of the opaque data stands once.",
            "It is no report of an NVIDIA device, or it was cut or altered.",
            "Collect the evidence again.",
            f"{_SPDM}; NVIDIA Opaque Data Format",
        ),
        "nvidia.signature": Rule(
            "Request and response are signed by the key of a device's certificate (ECDSA P-384).",
            "The report was altered, or the certificates are those of another device.",
            "Collect report and certificates again, together.",
            _SPDM,
        ),
        "nvidia.device-chain": Rule(
            "Each certificate of the device's chain is signed by the next, a certification "
            "authority; every key is one of P-384.",
            "Nobody vouches for the device's key.",
            "Give the whole chain that the device hands out.",
            _X509,
        ),
        "nvidia.device-root": Rule(
            "The chain ends at NVIDIA's Device Identity CA, which is pinned, or at a root given "
            "as trusted.",
            "The report is not of a genuine NVIDIA device.",
            "Do not trust it; if it is a simulation of yours, name its root with --trust.",
            _SDK,
        ),
        "nvidia.device-validity": Rule(
            "Every certificate of the device's chain is valid at the given instant.",
            "A certificate has expired or is not valid yet.",
            "Compare the clocks, or name the instant with --at.",
            _X509,
        ),
        "nvidia.device": Rule(
            "The chain names a chip of a known architecture, a GPU's or a switch's as the "
            "evidence has it; of several pieces of evidence, each is of another device.",
            "What is measured there is not known here, or one device stands for two.",
            "Use a newer release of this package; collect each device's evidence once.",
            _SDK,
        ),
        "nvidia.fwid": Rule(
            "The firmware that the certificate was issued for is the one in the report (FWID).",
            "Other firmware signs than the certificate says.",
            "Do not trust the device.",
            "TCG DICE Attestation Architecture, sections 6.1.1 and 8.1",
        ),
        "nvidia.nonce": Rule(
            "The nonce in the request is the expected one; in a token, the one that is made of "
            "its binding (docs/binding.md).",
            "The report answers another challenge: it may be a replay.",
            "Collect the evidence for the nonce.",
            _SPDM,
        ),
        "nvidia.device-revocation": Rule(
            "For each certificate between the device's own and the root, a current OCSP response "
            "or revocation list says that it is not revoked.",
            "NVIDIA revoked or suspended a certificate of the device.",
            "Do not trust the device; ask NVIDIA.",
            _OCSP,
        ),
        "nvidia.driver-rim": Rule(
            "The manifest of the driver's version and the chip's architecture is signed, by a "
            "chain that ends at NVIDIA's pinned root for manifests and is valid at the given "
            "instant.",
            "Nobody vouches for these golden measurements.",
            _FETCH,
            _RIM,
        ),
        "nvidia.vbios-rim": Rule(
            "The same of the manifest of the VBIOS's version or, for a switch, the BIOS's.",
            "Nobody vouches for these golden measurements.",
            _FETCH,
            _RIM,
        ),
        "nvidia.rim-revocation": Rule(
            "For each certificate of the manifests' chains but the root, a current OCSP response "
            "or revocation list says that it is not revoked.",
            "NVIDIA revoked or suspended a certificate that signed a manifest.",
            "Fetch the manifest again.",
            _OCSP,
        ),
        "nvidia.measurements": Rule(
            "Every active golden measurement of both manifests is in the report with one of its "
            "values, and no index is active in both. Index 35 does not count where the report "
            "says that the decoder it is about (NVDEC0) is disabled.",
            "The device runs other firmware, another driver or another configuration, such as "
            "a mode for debugging.",
            "Compare the driver's and the VBIOS's versions; leave the developer mode.",
            f"{_SDK}; NVIDIA RIM Guide",
        ),
        "nvidia.minimum-svn": Rule(
            "Every security version number that a manifest sets a minimum for is in the report "
            "and at least that.",
            "The firmware is too old to be safe.",
            "Update the firmware that the detail names.",
            "NVIDIA Opaque Data RIM Attributes",
        ),
    }
)
