"""The checks of a host's journal (`docs/journal.md`)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from wasmtime_attestation.checks.rule import Rule

_SOURCE = "docs/journal.md"

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "journal.format": Rule(
            "Each line is a record of schema 1 in its canonical form, with its end.",
            "Something else stands there, or the line was cut. The last line of a host that was "
            "killed may be cut; the host repairs it when it starts again.",
            "If it is the last line, start the host and verify again; otherwise somebody wrote it.",
            _SOURCE,
        ),
        "journal.hash": Rule(
            "Each record has the SHA-256 that it states.",
            "A byte of the record was changed after it was written.",
            "Trust no record from there on, and compare with a copy.",
            _SOURCE,
        ),
        "journal.chain": Rule(
            "Each record has the next number and the hash of the one before it, also across files.",
            "Records were dropped, repeated, moved, exchanged, or come from another journal.",
            "Look for the missing file or records in a copy; trust nothing from there on.",
            _SOURCE,
        ),
        "journal.files": Rule(
            "The first file is there that the last rotation says was kept.",
            "Older files were removed by somebody else than the host.",
            "Find them in a backup.",
            _SOURCE,
        ),
        "journal.signature": Rule(
            "Each checkpoint is signed by the key in it, and none is missing.",
            "Records were written anew, or signatures taken away.",
            "Trust no record after the last right checkpoint.",
            _SOURCE,
        ),
        "journal.key": Rule(
            "Checkpoints are signed by the key of the process that wrote them, and with `--key` by "
            "one of those keys.",
            "Somebody else wrote from there on, or the host was started again with a new key.",
            "For each start of the host, give the key that its evidence token attests.",
            _SOURCE,
        ),
        "journal.attestation": Rule(
            "The evidence token in the journal is for this journal and attests the key that signs.",
            "The token was exchanged: nothing vouches for the key.",
            "Give a key that you know with `--key`.",
            _SOURCE,
        ),
        "journal.head": Rule(
            "The record that `--head` names is there, with its hash.",
            "The end of the journal was cut, or written anew.",
            "Trust the copy of whoever noted the head.",
            _SOURCE,
        ),
    }
)
"""The checks of `journal verify`."""
