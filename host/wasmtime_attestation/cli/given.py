"""What the user gave besides the input: roots to trust, and a policy, perhaps on standard input."""

from __future__ import annotations

from pathlib import Path

from wasmtime_attestation.cli import options
from wasmtime_attestation.embedding import files
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.policy import AppraisalPolicy
from wasmtime_attestation.policy.source import Source


def anchors(trust: tuple[Path, ...]) -> Anchors:
    """Returns the vendors' roots, and those in files that the user named.

    Raises:
        InvalidArgumentError: a file has no certificate.
    """
    return Anchors.of_vendors().trusting([root for path in trust for root in files.roots(path)])


def policy(name: str) -> AppraisalPolicy:
    """Reads a policy from a preset's name, a file, or standard input for `-`.

    Raises:
        InvalidArgumentError: it is none of them; the message says where the text is wrong.
    """
    return files.named_policy(name, options.read_file)


def policy_source(name: str) -> tuple[str, Source]:
    """Returns a policy's name where its text gives none, and the text.

    Raises:
        InvalidArgumentError: there is neither, or it is no TOML.
    """
    return files.policy_source(name, options.read_file)
