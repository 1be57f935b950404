"""Collecting evidence and endorsements, as functions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from wasmtime_attestation.config.endorser_settings import Settings
from wasmtime_attestation.embedding.fetching import fetch_for
from wasmtime_attestation.embedding.host import AttestationHost
from wasmtime_attestation.embedding.verification import Given
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsers.fetching import Fetched
from wasmtime_attestation.evidence.envelope import Evidence
from wasmtime_attestation.evidence.recognise import recognise
from wasmtime_attestation.verifier.issuers import Issuer
from wasmtime_attestation.wit import Target, TargetVm

_VM = TargetVm()


def collect(report_data: bytes, *, target: Target = _VM, tee: str = "auto") -> tuple[Evidence, ...]:
    """Collects fresh evidence of this machine, without a token around it.

    Args:
        report_data: 64 bytes that the evidence is bound to, such as SHA-512 of a challenge and of
            what is to be bound. GPUs carry a nonce that is derived from it (`docs/binding.md`).
        target: `TargetVm()`, `TargetGpu(index)` or `TargetAll()`.
        tee: where evidence comes from, as `host.tee` in a configuration; a simulation's evidence
            ends at a root that nobody knows, unless a host with that TEE is asked to `collect`.

    Returns:
        the pieces of evidence, the virtual machine's first.

    Raises:
        InvalidArgumentError: it is not 64 bytes, or there is no such TEE.
        UnsupportedError: this machine has no such target.
        UnavailableError: a device did not answer.
    """
    return AttestationHost(tee=tee).collect(target, report_data)


def fetch_endorsements(
    given: Given,
    *,
    at: datetime,
    known: Endorsements | None = None,
    issuers: Sequence[Issuer] = (),
    endorsers: Settings | None = None,
) -> Fetched:
    """Fetches what verifying a token or evidence needs of vendors, through this user's cache.

    Args:
        given: as `verify` takes it; nothing of it is verified here.
        at: the instant at which everything must hold, with a time zone.
        known: what is there already.
        issuers: services whose tokens count, whose keys are fetched.
        endorsers: other addresses than the vendors', or that only the cache is asked: the part
            `endorsers` of a configuration.

    Returns:
        what was fetched, for `verify(endorsements=…)`, and what could not be had, with reasons.

    Raises:
        RejectedError: it is nothing that is known.
    """
    if isinstance(given, str):
        given = given.encode("utf-8", "backslashreplace")
    subject = recognise(given) if isinstance(given, bytes) else given
    pieces = (subject,) if isinstance(subject, Evidence) else subject
    return fetch_for(pieces, known or Endorsements(), issuers, endorsers or Settings(), at=at)
