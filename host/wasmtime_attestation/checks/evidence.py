"""The checks of what comes in, and of evidence of every kind."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from wasmtime_attestation.checks.rule import Rule

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "input.format": Rule("The input is a token or evidence of a known kind."),
        "evidence.endorsements": Rule("The endorsements that came with the evidence can be read."),
        "evidence.binding": Rule(
            "The evidence is bound to the expected value: in a token, to its "
            "nonce, key, guest digest, user data and audience (docs/binding.md)."
        ),
    }
)
