"""What an appraisal finds of evidence of every kind, and of tokens."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from wasmtime_attestation.checks.rule import Rule

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "policy.accept": Rule(
            requirement="The evidence is of a kind of environment that `accept` names.",
            meaning="Authentic evidence of a kind that you did not ask for, or a policy that "
            "accepts nothing yet.",
            remedy="Name the kind in `accept` if you mean to trust it.",
            source="docs/policy.md; RFC 9334 section 8.5 (Appraisal Policies)",
        ),
        "policy.simulated": Rule(
            requirement="The evidence comes from hardware; a warning.",
            meaning="The evidence ends at a root given by --trust: whoever has its key can write "
            "anything.",
            remedy="Use it for development only; for anything else verify without --trust.",
            source="docs/threat-model.md",
        ),
        "policy.debug": Rule(
            requirement="The host cannot debug the guest; a warning where `unsafe-allow-debug` "
            "is set.",
            meaning="The host can read and change the guest's memory: nothing in it is secret, "
            "and nothing it says can be relied on.",
            remedy="Launch the guest without debugging; do not send it secrets.",
            source="AMD 56860, Guest Policy (DEBUG); Intel TDX Module 1.5 ABI "
            "specification, TDCS.ATTRIBUTES (DEBUG)",
        ),
        "policy.guest-digest": Rule(
            requirement="The WebAssembly guest that the token names is one of `guest-digests`.",
            meaning="Another guest runs there, or the token names none.",
            remedy="Compare with `sha256sum GUEST.wasm`; add the digest if you know that guest. "
            "Raw evidence names no guest: ask for a token.",
            source="docs/token.md; docs/policy.md",
        ),
        "policy.issuer": Rule(
            requirement="The token is of one of `issuers`.",
            meaning="Somebody else issued the token; raw evidence has no issuer at all.",
            remedy="Add the issuer if you trust it, or ask one that the policy names.",
            source="RFC 7519 section 4.1.1; docs/policy.md",
        ),
        "policy.issuer-status": Rule(
            requirement="The issuer of a service's token affirms what it is about.",
            meaning="The service verified the evidence and says no, or has a warning; the detail "
            "has its reason.",
            remedy="Mend what the service names; no policy here makes its no a yes.",
            source="docs/token.md (What comes out)",
        ),
        "policy.age": Rule(
            requirement="The token was issued at most `maximum-age-seconds` ago.",
            meaning="The machine may have changed since; raw evidence does not say when it was "
            "made.",
            remedy="Ask for a new token with a nonce of your own.",
            source="RFC 9334 section 10 (Freshness); docs/policy.md",
        ),
        "policy.reference-values": Rule(
            requirement="The policy has reference values for the software of the platform.",
            meaning="Any software may run on genuine hardware; without reference values nobody "
            "knows which does.",
            remedy="Derive a policy: `policy learn` on evidence that you know to be good, or "
            '`extends = "strict"` and the measurements in a file of your own.',
            source="RFC 9334 section 8.3 (Reference Values); docs/threat-model.md",
        ),
        "policy.measurement": Rule(
            requirement="MEASUREMENT is one of `snp.measurements`; also a remark where a policy "
            "has no measurements for the platform (MEASUREMENT, MRTD).",
            meaning="Another firmware or kernel was launched than the ones that you know, or "
            "nobody asked which was.",
            remedy="Compute the measurement of the image that you deploy, or learn it with "
            "`policy learn`; if you know the new one, add it.",
            source="AMD 56860, ATTESTATION_REPORT Structure (MEASUREMENT); RFC 9334 section 8.3",
        ),
    }
)
