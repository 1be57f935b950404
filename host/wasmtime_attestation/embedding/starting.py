"""Starts the service of a host as its configuration says: its machine, its trust, its tokens."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from wasmtime_attestation.attesters.completed import Addition, CompletedMachine
from wasmtime_attestation.attesters.machine import Machine
from wasmtime_attestation.attesters.recording import Recording
from wasmtime_attestation.config import Configuration
from wasmtime_attestation.config.host_settings import EVIDENCE
from wasmtime_attestation.embedding import files
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.evidence.token import PROFILE, REPLAYED_PROFILE
from wasmtime_attestation.issuer import TokenIssuer
from wasmtime_attestation.issuing.configured import Parts, source_of
from wasmtime_attestation.nonces import place
from wasmtime_attestation.policy import PRESETS
from wasmtime_attestation.service import AttestationService, Settings
from wasmtime_attestation.verifier.tokens import Trust


@dataclass(frozen=True, slots=True)
class Started:
    """A host whose service runs.

    Attributes:
        service: serves guests.
        machine: where evidence comes from.
        simulated_root: SHA-256 of the root of a simulation; None of everything else.
        simulated_root_pem: the root, for those who want to trust it; None of a replay too.
    """

    service: AttestationService
    machine: Machine
    simulated_root: bytes | None = None
    simulated_root_pem: bytes | None = None


def start(
    configuration: Configuration,
    machine: Machine | None,
    recording: Recording | None = None,
    additions: Sequence[Addition] = (),
) -> Started:
    """Starts a host.

    Args:
        configuration: what is in force.
        machine: where evidence comes from; None where it is simulated or replayed.
        recording: what is replayed; None where nothing is.
        additions: what evidence gets besides.

    Raises:
        InvalidArgumentError: a file cannot be read, or is not what it should be; a key cannot be
            used; what is replayed would go to a service.
    """
    if machine is not None:
        base = Settings(Anchors.of_vendors())
        return Started(_service(machine, base, configuration, additions), machine)
    if recording is None:
        return _simulated(configuration, additions)
    return _replayed(recording, configuration, additions)


def _replayed(
    recording: Recording, configuration: Configuration, additions: Sequence[Addition]
) -> Started:
    """A recording of a simulation trusts the root of that simulation and no other."""
    from wasmtime_attestation.attesters import replay  # most hosts replay nothing

    anchors = Anchors.of_vendors()
    if recording.simulated_root is not None:
        anchors = Anchors(()).trusting([recording.simulated_root])
    base = Settings(
        anchors, endorsements=recording.decoded_endorsements(), recorded=recording.recorded
    )
    replayed = replay.machine(recording, configuration.host.gpus)
    service = _service(replayed, base, configuration, additions)
    return Started(service, replayed, recording.simulated_root)


def _simulated(configuration: Configuration, additions: Sequence[Addition]) -> Started:
    from wasmtime_attestation.attesters.simulation import simulate  # a CA, for development

    simulation = simulate(int(time.time()), configuration.host.gpus)
    base = Settings(simulation.anchors)
    service = _service(simulation.machine, base, configuration, additions)
    return Started(service, simulation.machine, simulation.root, simulation.roots_pem)


def _service(
    machine: Machine,
    base: Settings,
    configuration: Configuration,
    additions: Sequence[Addition],
) -> AttestationService:
    named = configuration.host.endorsements
    if named:
        base = replace(base, endorsements=files.endorsements(named) + base.endorsements)
    if additions:
        machine = CompletedMachine(machine, additions)
    return service(machine, settings(configuration, base), configuration, time.time)


def settings(configuration: Configuration, base: Settings) -> Settings:
    """Returns a host's settings with what the configuration says of policies and issuers.

    Raises:
        InvalidArgumentError: a file cannot be read, or is not what it should be.
    """
    chosen = configuration.host
    named = {name: files.named_policy(str(file)) for name, file in configuration.policies.items()}
    policies = {**base.policies, **named}
    name = chosen.policy
    own = policies[name] if name in policies else files.named_policy(name)
    return replace(
        base,
        evidence_summary=chosen.evidence_summary,
        cache=configuration.cache,
        nonces=place.record(configuration.cache.nonce_record, configuration.cache.redis),
        policy=PRESETS.get(name, own),
        policies=policies,
        issuers=files.issuers(chosen.issuers) if chosen.issuers else base.issuers,
    )


def service(
    machine: Machine,
    settings: Settings,
    configuration: Configuration,
    clock: Callable[[], float],
) -> AttestationService:
    """Starts the service of a host.

    Args:
        machine: where evidence comes from.
        settings: what is trusted and accepted.
        configuration: which tokens guests get.
        clock: the time, in seconds since the Unix epoch.

    Raises:
        InvalidArgumentError: a key cannot be used, or what is replayed would go to a service.
    """
    tokens = configuration.host.tokens
    is_replayed = settings.recorded is not None
    if is_replayed and tokens != (EVIDENCE,):
        raise InvalidArgumentError(
            f"what is replayed is no fresh evidence, so there are no tokens of kind "
            f"{', '.join(kind for kind in tokens if kind != EVIDENCE)}: ask for evidence"
        )
    issuer = TokenIssuer(profile=REPLAYED_PROFILE if is_replayed else PROFILE)
    source = None
    if tokens != (EVIDENCE,):
        parts = Parts(
            machine=machine,
            issuer=issuer,
            trust=Trust(settings.anchors, settings.issuers, settings.endorsements),
            policy=settings.policy,
            clock=clock,
            services=configuration.services,
            ear_key=configuration.host.ear_key,
        )
        source = source_of(tokens, parts)
    return AttestationService(machine, settings, clock, issuer, source)
