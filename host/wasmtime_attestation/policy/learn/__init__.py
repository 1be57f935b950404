"""A policy learnt from evidence that is known to be good, for a person to review.

Each kind of evidence has a module that knows its tables; `LEARNERS` is the list of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from wasmtime_attestation.claims import Claims
from wasmtime_attestation.claims.azure import AzureClaims
from wasmtime_attestation.claims.gpu import NvidiaClaims
from wasmtime_attestation.claims.snp import SnpClaims
from wasmtime_attestation.claims.tdx import TdxClaims
from wasmtime_attestation.endorsements.intel import TcbStatus
from wasmtime_attestation.errors import Finding, InvalidArgumentError, PolicyError
from wasmtime_attestation.policy.learn import azure, gpu, snp, tdx
from wasmtime_attestation.policy.learn.section import Section
from wasmtime_attestation.policy.presets import GPU, STRICT
from wasmtime_attestation.policy.toml_text import assignment, comment, hex_list

LEARNERS: Mapping[type, Callable[[Sequence[Any]], list[Section]]] = MappingProxyType(
    {
        SnpClaims: snp.sections,
        TdxClaims: tdx.sections,
        AzureClaims: azure.sections,
        NvidiaClaims: gpu.sections,
    }
)
"""By the type of a platform's claims, what makes tables of them."""


@dataclass(frozen=True, slots=True)
class Known:
    """A piece of evidence that is authentic and, as somebody knows, good.

    Attributes:
        name: where it came from, for messages and comments.
        claims: what it says.
        guest_digest: the guest that its token names; None for raw evidence.
    """

    name: str
    claims: Claims
    guest_digest: bytes | None = None


@dataclass(frozen=True, slots=True)
class Lesson:
    """A policy that was learnt.

    Attributes:
        text: TOML.
        review: what in it weakens the preset that it extends.
    """

    text: str
    review: tuple[str, ...]


def learn(known: Sequence[Known], at: datetime) -> Lesson:
    """Returns the policy that accepts this evidence, and nothing that runs other software.

    Args:
        known: at least one piece of evidence.
        at: the instant of its verification.

    Raises:
        PolicyError: a piece is of a kind that nothing good can be learnt from.
        InvalidArgumentError: some evidence is of Azure confidential VMs, and some is not.
    """
    if refused := [finding for piece in known for finding in _refusals(piece)]:
        raise PolicyError(refused)
    _check_alike(known)
    sections = _sections(known)
    general = tuple(_general_review(known, sections))
    lines = [*_head(known, at, general), *(line for section in sections for line in section.text())]
    review = (*general, *(remark for section in sections for remark in section.review))
    return Lesson("\n".join(lines) + "\n", review)


def _general_review(known: Sequence[Known], sections: Sequence[Section]) -> Iterator[str]:
    if any(piece.claims.simulated for piece in known):
        yield "accept: SIMULATED evidence proves nothing about hardware"
    digests = {piece.guest_digest for piece in known}
    if None in digests and len(digests) > 1:
        yield "guest-digests: some evidence names no guest, so any guest is accepted"
    choices = [key for section in sections for key in section.choices]
    if None not in digests and len(digests) > 1:
        choices.insert(0, "guest-digests")
    if len(choices) > 1:
        which = ", ".join(choices)
        yield f"combinations of values are accepted that were not seen together: {which}"


def _refusals(piece: Known) -> Iterator[Finding]:
    claims = piece.claims
    if claims.debug:
        yield Finding(
            "policy.debug",
            f"{piece.name}: the host could read and change the guest's memory, so nothing is "
            "learnt from it; launch the guest without debugging",
        )
    hardware = claims.hardware
    if isinstance(hardware, TdxClaims) and hardware.tcb_status is TcbStatus.REVOKED:
        yield Finding("policy.tcb-status", f"{piece.name}: Intel has revoked the platform's TCB")
    if isinstance(claims.details, AzureClaims) and azure.says_nothing_of_the_guest(claims.details):
        yield Finding(
            "policy.tpm-quote",
            f"{piece.name}: there is no quote of the vTPM with PCRs of the guest's software, so "
            "nothing is learnt of the guest; give evidence with one",
        )


def _check_alike(known: Sequence[Known]) -> None:
    """A paravisor's measurement must not pass for a guest's: its hardware report has no PCRs."""
    machines = [piece.claims for piece in known if not piece.claims.is_device]
    if len({claims.has_paravisor for claims in machines}) > 1:
        raise InvalidArgumentError(
            "evidence of Azure confidential VMs, whose hardware measures the paravisor alone, and "
            "other evidence make no common policy: learn one of each"
        )


def _sections(known: Sequence[Known]) -> list[Section]:
    by_type: dict[type, list[object]] = {}
    for piece in known:
        kind = type(piece.claims.details)
        by_type.setdefault(kind, []).append(piece.claims.details)
        if piece.claims.has_paravisor:
            hardware = piece.claims.hardware
            by_type.setdefault(type(hardware), []).append(hardware)
    return [section for kind, details in by_type.items() for section in LEARNERS[kind](details)]


def _head(known: Sequence[Known], at: datetime, review: Sequence[str]) -> Iterator[str]:
    yield from comment(
        f"Learnt at {at:%Y-%m-%dT%H:%M:%SZ} from authentic evidence; whether it is good is for you "
        "to say. Compare the values with what you deploy before you rely on this policy."
    )
    for piece in known:
        yield from comment(f"  {piece.name}: {piece.claims.tee_type}")
    yield from assignment("schema", 1)
    yield from comment("What is not written here is as in this preset.")
    yield from assignment("extends", _base(known))
    for remark in review:
        yield from comment(f"REVIEW: {remark}")
    yield from assignment("accept", sorted({piece.claims.tee_type for piece in known}))
    yield from _guests(known)


def _base(known: Sequence[Known]) -> str:
    """Devices have no reference values for software, which the strict preset asks for."""
    return GPU if all(piece.claims.is_device for piece in known) else STRICT


def _guests(known: Sequence[Known]) -> Iterator[str]:
    digests = {piece.guest_digest for piece in known}
    named = {digest for digest in digests if digest is not None}
    if not named:
        return
    yield from comment("SHA-256 of the WebAssembly guests that the tokens name.")
    lines = assignment("guest-digests", hex_list(named))
    # Where some evidence names no guest, the setting would refuse it.
    yield from (f"# {line}" if None in digests else line for line in lines)
