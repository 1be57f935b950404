"""What the configuration means for `attest` and `run`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import click

from wasmtime_attestation.attesters.machine import Machine
from wasmtime_attestation.cli import options
from wasmtime_attestation.cli.configuration import config as config
from wasmtime_attestation.cli.configuration import load as load
from wasmtime_attestation.config import Configuration
from wasmtime_attestation.config.host_settings import EVIDENCE, TOKENS
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.evidence.token import PROFILE, REPLAYED_PROFILE
from wasmtime_attestation.issuer import TokenIssuer
from wasmtime_attestation.issuing.configured import Parts, source_of
from wasmtime_attestation.nonces import place
from wasmtime_attestation.policy import PRESETS
from wasmtime_attestation.service import AttestationService, Settings
from wasmtime_attestation.verifier.tokens import Trust


def token(function: options.F) -> options.F:
    """--token KIND, repeatable."""
    return click.option(
        "--token",
        "tokens",
        type=click.Choice(TOKENS),
        multiple=True,
        help="The kind of token to get; repeated, what to try next when there is none.",
    )(function)


def settings(configuration: Configuration, base: Settings) -> Settings:
    """Returns a host's settings with what the configuration says of policies and issuers.

    Raises:
        InvalidArgumentError: a file cannot be read, or is not what it should be.
    """
    chosen = configuration.host
    policies = dict(base.policies)
    cache = configuration.cache
    found = replace(
        base,
        evidence_summary=chosen.evidence_summary,
        cache=cache,
        nonces=place.record(cache.nonce_record, cache.redis),
    )
    if configuration.policies or chosen.policy not in PRESETS:
        from wasmtime_attestation.cli import given  # most hosts need none

        policies |= {n: given.policy(str(f)) for n, f in configuration.policies.items()}
        own = policies.get(chosen.policy) or given.policy(chosen.policy)
    else:
        own = PRESETS[chosen.policy]
    if chosen.issuers:
        from wasmtime_attestation.cli import issuers

        found = replace(found, issuers=issuers.read(chosen.issuers))
    return replace(found, policy=own, policies=policies)


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
            f"{', '.join(kind for kind in tokens if kind != EVIDENCE)}: use --token evidence"
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
