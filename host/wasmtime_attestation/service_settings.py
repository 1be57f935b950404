"""What a host trusts and accepts when it serves guests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wasmtime_attestation.cache.settings import Settings as CacheSettings
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.nonces import NonceRecord
from wasmtime_attestation.policy import HARDWARE_ONLY, PRESETS, AppraisalPolicy
from wasmtime_attestation.verifier.issuers import Issuer
from wasmtime_attestation.verifier.replayed import Recorded


@dataclass(frozen=True, slots=True)
class Settings:
    """How a host serves its guests.

    Attributes:
        anchors: the roots that it trusts.
        issuers: the services whose tokens it accepts, with their keys.
        policy: what `verify-token` appraises tokens with.
        policies: the policies that guests may name in `verify`.
        evidence_summary: whether results carry a summary of the evidence.
        endorsements: what speaks for evidence, besides what tokens carry.
        recorded: what the machine replays; None for one that collects.
        cache: how tokens are kept.
        nonces: records those that tokens which guests verify answer; None to record none.
    """

    anchors: Anchors
    policy: AppraisalPolicy = HARDWARE_ONLY
    policies: Mapping[str, AppraisalPolicy] = field(default_factory=lambda: PRESETS)
    evidence_summary: bool = False
    issuers: tuple[Issuer, ...] = ()
    endorsements: Endorsements = field(default_factory=Endorsements)
    recorded: Recorded | None = None
    cache: CacheSettings = field(default_factory=CacheSettings)
    nonces: NonceRecord | None = None
