"""The source of tokens that a configuration asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from wasmtime_attestation.attesters.machine import Machine
from wasmtime_attestation.config.host_settings import EAR, EVIDENCE, SERVICES
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.issuer import TokenIssuer
from wasmtime_attestation.issuing import Source
from wasmtime_attestation.issuing.fall_back import FallBack
from wasmtime_attestation.issuing.own import EvidenceSource
from wasmtime_attestation.policy import AppraisalPolicy
from wasmtime_attestation.services import TokenService
from wasmtime_attestation.services.settings import Settings, services
from wasmtime_attestation.verifier.issuers import check_distinct
from wasmtime_attestation.verifier.tokens import Trust


@dataclass(frozen=True, slots=True)
class Parts:
    """What sources are made of.

    Attributes:
        machine: where evidence comes from.
        issuer: signs evidence tokens.
        trust: the roots, endorsements and further issuers that count.
        policy: what this host as Verifier appraises its own evidence with.
        clock: the time, in seconds since the Unix epoch.
        services: the remote Verifiers that are configured.
        ear_key: the private key of this host as Verifier.
    """

    machine: Machine
    issuer: TokenIssuer
    trust: Trust
    policy: AppraisalPolicy
    clock: Callable[[], float]
    services: Settings
    ear_key: Path | None = None


def source_of(tokens: tuple[str, ...], parts: Parts) -> Source:
    """Makes the source of the kinds of token that guests get, in their order.

    Raises:
        InvalidArgumentError: a key cannot be read, or two issuers answer for the same tokens.
        UnavailableError: the keys of a service's tokens cannot be read.
    """
    unused = {name: None for name in SERVICES if name not in tokens}
    asked = services(replace(parts.services, **unused))
    found = [_source(kind, parts, asked) for kind in tokens]
    source = found[0] if len(found) == 1 else FallBack(found)
    try:
        check_distinct((*parts.trust.issuers, *source.issuers))
    except ValueError as error:
        raise InvalidArgumentError(
            f"the tokens of this host and its issuers cannot be told apart: {error}"
        ) from error
    return source


def _source(kind: str, parts: Parts, asked: Mapping[str, TokenService]) -> Source:
    evidence = EvidenceSource(parts.machine, parts.issuer, parts.clock)
    if kind == EVIDENCE:
        return evidence
    if kind == EAR:
        return _verifier(evidence, parts)
    from wasmtime_attestation.issuing.remote import ServiceSource  # few hosts ask services

    return ServiceSource(kind, asked[kind], parts.machine, parts.clock)


def _verifier(evidence: EvidenceSource, parts: Parts) -> Source:
    from wasmtime_attestation.ear_issuer import MAX_KEY, EarIssuer
    from wasmtime_attestation.issuing.verified import EarSource

    path = parts.ear_key
    if path is None:
        raise InvalidArgumentError("tokens of kind ear need an ear-key")
    try:
        with path.open("rb") as file:
            issuer = EarIssuer.from_pem(file.read(MAX_KEY))
    except OSError as error:
        raise InvalidArgumentError(f"ear-key {path} cannot be read: {error.strerror}") from error
    except InvalidArgumentError as error:
        raise InvalidArgumentError(f"ear-key {path}: {error.message}") from error
    return EarSource(evidence, issuer, parts.trust, parts.policy, parts.clock)
