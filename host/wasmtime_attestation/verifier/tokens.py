"""A token of any kind, from text to verdict: the one entry for whoever takes tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims.verdict import TokenKind, Verdict
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.evidence import detached_eat, jwt
from wasmtime_attestation.evidence.detached_eat import DetachedEat
from wasmtime_attestation.evidence.jwt import CompactJws
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.memo import Memo
from wasmtime_attestation.memo.instant import has_zone
from wasmtime_attestation.verifier import ear, ita, maa, nras
from wasmtime_attestation.verifier.expectations import Expected
from wasmtime_attestation.verifier.issued import IssuedToken, Reader
from wasmtime_attestation.verifier.issuer_keys import IssuerKeys
from wasmtime_attestation.verifier.issuers import Issuer, find_issuer
from wasmtime_attestation.verifier.token import verify_token

_SERVICES: Mapping[TokenKind, tuple[Sequence[str], Callable[[IssuedToken, Reader], Verdict]]] = (
    MappingProxyType(
        {
            TokenKind.MAA: (maa.CHECKS, maa.verdict),
            TokenKind.ITA: (ita.CHECKS, ita.verdict),
            TokenKind.EAR: (ear.CHECKS, ear.verdict),
        }
    )
)


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom and what a relying party trusts.

    Attributes:
        anchors: the roots that evidence may end at.
        issuers: whose tokens count, besides the well-known ones.
        endorsements: what speaks for evidence and issuers.
    """

    anchors: Anchors
    issuers: Sequence[Issuer] = ()
    endorsements: Endorsements = field(default_factory=Endorsements)


def verify(
    text: str,
    expected: Expected,
    trust: Trust,
    *,
    at: datetime,
    ledger: Ledger,
    submodules: Mapping[str, str] | None = None,
    memo: Memo | None = None,
) -> Verdict:
    """Verifies a token, whoever issued it.

    Args:
        text: the compact JWS, or a wrapped detached EAT.
        expected: what it must say.
        trust: the roots and issuers that count.
        at: the instant to verify at, with a time zone.
        ledger: records each check.
        submodules: the tokens that came beside it in a detached EAT; None where there are none.
        memo: what was verified before; it only saves time.

    Raises:
        InvalidArgumentError: `at` has no time zone, or a demand does not fit the kind of token.
        RejectedError: the token is not authentic, not of a configured issuer, or not as expected.
        UnavailableError: an endorsement is missing.
    """
    if not has_zone(at):
        raise InvalidArgumentError(f"the instant {at.isoformat()} names no time zone; add one")
    reader = Reader(expected, at, ledger)
    if submodules is None and detached_eat.is_wrapped(text):
        ledger.plan(["token.format"])
        eat = reader.attempt(lambda: detached_eat.unwrap(text))
        text, submodules = eat.overall, eat.submodules
    parsed = jwt.issued(text)
    if submodules is not None or parsed is not None:
        return _of_service(text, parsed, submodules, trust, reader)
    _refuse(
        expected.report_data is not None,
        "--report-data is for raw evidence and services' tokens; this has a --nonce",
    )
    _refuse(expected.device_serials is not None, "an evidence token carries its evidence")
    verified = verify_token(
        text, expected, trust.endorsements, at=at, anchors=trust.anchors, ledger=ledger, memo=memo
    )
    return verified.verdict


def _of_service(
    text: str,
    parsed: tuple[CompactJws, dict[str, Json]] | None,
    submodules: Mapping[str, str] | None,
    trust: Trust,
    reader: Reader,
) -> Verdict:
    ledger = reader.ledger
    ledger.plan(["token.format", "token.issuer"])
    parts, claims = parsed or reader.parse(text)
    ledger.passed("token.format", f"{len(text)} characters")
    issuer = find_issuer(claims, trust.issuers, ledger)
    keys = IssuerKeys(issuer, trust.issuers, trust.endorsements)
    if issuer.kind is TokenKind.NRAS:
        _refuse(reader.expected.report_data is not None, "a GPU has a nonce, and no report data")
        eat = DetachedEat(text, submodules or {})
        return nras.verify(eat, parts, claims, keys, reader)
    if submodules is not None:
        ledger.reject(
            "token.format", f"{issuer.name} issues no detached EAT; NVIDIA's service does"
        )
    _refuse(reader.expected.device_serials is not None, "only NRAS tokens name devices")
    return _by_itself(parts, claims, keys, reader)


def _by_itself(
    parts: CompactJws,
    claims: dict[str, Json],
    keys: IssuerKeys,
    reader: Reader,
) -> Verdict:
    issuer = keys.issuer
    checks, verdict = _SERVICES[issuer.kind]
    reader.ledger.plan(checks)
    algorithm = reader.accept_algorithm(parts, issuer)
    found = keys.found(reader.ledger)
    token = reader.authenticate(parts, claims, issuer, found, algorithm)
    reader.check_audience(token)
    return verdict(token, reader)


def _refuse(unfit: bool, reason: str) -> None:
    if unfit:
        raise InvalidArgumentError(f"a demand does not fit the kind of token: {reason}")
