"""Starts the host for `attest` and `run`, and says what people must know of its tokens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wasmtime_attestation.capabilities.settings import Settings as Rules
from wasmtime_attestation.cli.options import write_file
from wasmtime_attestation.cli.terminal import say
from wasmtime_attestation.config import Configuration
from wasmtime_attestation.embedding.host import AttestationHost
from wasmtime_attestation.errors import InvalidArgumentError

if TYPE_CHECKING:
    from wasmtime_attestation.attesters.completed import Addition

SIMULATED = (
    "SIMULATED TEE: tokens of this host prove nothing about hardware; "
    "only who trusts its root (--trust-out) can verify them"
)
REPLAYED = (
    "REPLAYED evidence: tokens of this host are about a recording and prove nothing about this "
    "machine; nobody else can verify them"
)


def start(
    configuration: Configuration,
    trust_out: Path | None = None,
    *,
    rules: Rules | None = None,
    additions: Sequence[Addition] = (),
) -> AttestationHost:
    """Makes a host.

    Args:
        configuration: what is in force.
        trust_out: where to write the simulated root, if anywhere.
        rules: for guests; None for those of the configuration.
        additions: what evidence gets besides.

    Raises:
        InvalidArgumentError: there is no simulated root to write, or no place to write it;
            something that the configuration names cannot be read.
    """
    if trust_out is not None and configuration.host.tee != "simulated":
        raise InvalidArgumentError("--trust-out writes a simulated root: use --tee simulated")
    host = AttestationHost(configuration, rules=rules, additions=additions)
    if host.is_replayed:
        say(REPLAYED)
    if host.is_simulated:
        say(SIMULATED)
    if trust_out is not None:
        write_file(trust_out, host.simulated_root)
    return host
