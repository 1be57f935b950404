"""The checks of what comes in, and of evidence of every kind."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from wasmtime_attestation.checks.rule import Rule

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "input.format": Rule(
            requirement="The input is a token or evidence of a known kind.",
            meaning="The file is something else, cut short, or wrapped in a form that is not "
            "known: nothing of it was looked at.",
            remedy="Give the token, report or quote itself: binary, hex, base64 or one of the "
            "JSON forms; `inspect FILE` says what a file is.",
            source="README.md (Anyone verifies)",
        ),
        "evidence.endorsements": Rule(
            requirement="The endorsements that came with the evidence can be read.",
            meaning="What came along as a certificate or revocation list is none: the sender "
            "is broken, or somebody altered it on the way.",
            remedy="Ask the sender anew; certificates from the vendor may be given with "
            "--endorsements instead.",
            source="RFC 5280 sections 4.1 and 5.1; docs/token.md",
        ),
        "evidence.binding": Rule(
            requirement="The evidence is bound to the expected value: in a token, to its "
            "nonce, key, guest digest, user data and audience (docs/binding.md).",
            meaning="Failed: the evidence was made for somebody or something else, as in a replay "
            "or a token put together from two. Not checked: it may be as old as it likes.",
            remedy="Send a fresh nonce and verify with it (--nonce for tokens and evidence that "
            "carries a nonce, --report-data for reports and quotes).",
            source="docs/binding.md; RFC 9334 section 10 (Freshness)",
        ),
    }
)
