"""The checks of what single services put into their tokens (`docs/token.md`)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from wasmtime_attestation.checks.rule import Rule

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "service.evidence": Rule(
            "The service that is asked for a token takes the evidence, and its token is about it.",
            "The service could not verify the evidence, or answers about other evidence; the "
            "detail has its own words.",
            "Correct the part that it names; collect evidence again, and ask again.",
            "docs/services.md",
        ),
        "nras.digests": Rule(
            "The devices that the overall token names are those whose tokens came with it, and "
            "each token has the SHA-256 that the overall token states.",
            "A device's token was exchanged, left out or added.",
            "Take the whole answer of the service, and ask it again.",
            "RFC 9711 section 4.2.18.2",
        ),
        "nras.submodules": Rule(
            "Each device's token is signed by the service, valid now, and of the same issuer and "
            "nonce as the overall token.",
            "The tokens are not of one answer.",
            "Ask the service again.",
            "NVIDIA Attestation documentation, NRAS",
        ),
        "nras.evidence": Rule(
            "The service read the evidence of each device, and found its signature, its "
            "certificates and its nonce right.",
            "The evidence is not authentic, or was made for another nonce; the error's code says.",
            "Collect evidence with the nonce of the request, and ask the service again.",
            "NVIDIA Attestation documentation, claims 2.0 and 3.0",
        ),
        "nras.device": Rule(
            "No device stands twice, and `ueid` of each is the serial number of the certificate in "
            "the evidence.",
            "The token is about other devices.",
            "Ask the service about this evidence.",
            "NVIDIA Attestation documentation, claims 2.0 and 3.0",
        ),
        "maa.claims": Rule(
            "The claims are those of SevSnpVm, TdxVm or AzureGuest, each of its kind and size.",
            "The token is of a kind that is not known here, such as SGX.",
            "Attest a confidential virtual machine.",
            "Azure Attestation, claim sets",
        ),
        "ita.claims": Rule(
            "The claims are those of version 1 or 2, each of its kind and size.",
            "The token is of a kind that is not known here.",
            "Attest a trust domain, an enclave or a GPU.",
            "Intel Trust Authority, attestation tokens",
        ),
        "ita.nonce": Rule(
            "The report data is SHA-512 of the service's nonce and the attester's data.",
            "The quote was not made for this request.",
            "Attest again, with a new nonce of the service.",
            "Intel Trust Authority, attestation API",
        ),
        "ear.profile": Rule(
            "`eat_profile` and the Verifier's identity are there, in the names of one generation.",
            "The token is no attestation result, or one of a later draft.",
            "Configure the issuer with the kind of its tokens.",
            "draft-ietf-rats-ear section 3",
        ),
        "ear.appraisals": Rule(
            "There is an appraisal for each of 1 to 64 environments, with a known status and "
            "claims of AR4SI from -128 to 127.",
            "The token is malformed.",
            "Ask the Verifier's operator.",
            "draft-ietf-rats-ear section 3, draft-ietf-rats-ar4si section 2.3",
        ),
        "ear.status": Rule(
            "No status claims more than the worst claim beside it, and the whole no more than its "
            "parts.",
            "The Verifier contradicts itself.",
            "Ask the Verifier's operator.",
            "draft-ietf-rats-ear section 3",
        ),
    }
)
"""The checks of NVIDIA's, Microsoft's and Intel's services, and of attestation results."""
