"""Hosts on miniature machines, with a clock that a test turns, and a forger who has their key."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from wasmtime_attestation import wit
from wasmtime_attestation.attesters import machine as attesters
from wasmtime_attestation.issuer import TokenIssuer
from wasmtime_attestation.policy import AppraisalPolicy
from wasmtime_attestation.policy.snp import SnpPolicy
from wasmtime_attestation.service import AttestationService, Settings
from wasmtime_attestation.wit import AttestationResult, Challenge, TargetVm, TeeType

from tests.fakes.amd import MILAN, Machine, real_anchors
from tests.fakes.token import NONCE, NOW, Forger

GUEST, OTHER_GUEST = hashlib.sha256(b"guest").digest(), hashlib.sha256(b"other").digest()
MEASUREMENT = bytes(range(48))
"""What the miniature machines measure."""


@dataclass
class Clock:
    """A clock that a test turns; it starts where tokens of the forger are issued."""

    now: float = NOW

    def __call__(self) -> float:
        """Returns the time."""
        return self.now


@dataclass
class Host:
    """A host on a miniature machine that counts as real, and a forger with the host's key."""

    service: AttestationService
    forger: Forger
    clock: Clock

    def world(self, guest: bytes | None = GUEST) -> wit.World:
        """Returns the world as a guest sees it."""
        return self.service.for_guest(guest)


def start(machine: Machine = MILAN, settings: Settings | None = None, lifetime: int = 300) -> Host:
    """Starts a host."""
    issuer, clock = TokenIssuer(lifetime), Clock()
    service = AttestationService(
        attesters.Machine(machine), settings or Settings(real_anchors()), clock, issuer
    )
    return Host(service, Forger(issuer._key, machine), clock)


def measured(
    *measurements: bytes, guest_digests: frozenset[bytes] | None = None
) -> AppraisalPolicy:
    """Returns a policy with reference values."""
    snp = SnpPolicy(measurements=frozenset(measurements))
    return AppraisalPolicy("measured", frozenset({TeeType.AMD_SEV_SNP}), snp, guest_digests)


def attest(
    world: wit.World,
    nonce: bytes = NONCE,
    user_data: bytes | None = None,
    audience: str | None = None,
) -> AttestationResult:
    """Answers a challenge."""
    return world.attest(TargetVm(), Challenge(nonce, user_data, audience))
