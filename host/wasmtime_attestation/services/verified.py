"""A service's token, verified against what was asked before anybody sees it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from wasmtime_attestation.appraisal.token import check_issuers_result
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims.verdict import Verdict
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.jwks import JwkSet
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence import detached_eat, jwt
from wasmtime_attestation.evidence.detached_eat import DetachedEat
from wasmtime_attestation.evidence.jwt import CompactJws
from wasmtime_attestation.evidence.strict_json import brief
from wasmtime_attestation.services import Request
from wasmtime_attestation.services.keys import ServiceKeys
from wasmtime_attestation.verifier import jws, tokens
from wasmtime_attestation.verifier.expectations import Expected
from wasmtime_attestation.verifier.issuers import Issuer
from wasmtime_attestation.verifier.tokens import Trust

# A service's token is about evidence that the service verified: no root counts here.
_NO_ROOTS = Anchors(())


@dataclass(frozen=True, slots=True)
class TokenCheck:
    """What tokens of a service are held against.

    Attributes:
        issuer: the service as the configuration names it, without keys that are fetched.
        keys: where its keys are fetched; None where the issuer has them.
        key_set_url: where its tokens may say that their keys are (`jku`); None for anywhere,
            since nobody asks there.
    """

    issuer: Issuer
    keys: ServiceKeys | None = None
    key_set_url: str | None = None

    @property
    def known_issuer(self) -> Issuer:
        """The issuer with the keys that are known by now."""
        return self.issuer if self.keys is None else replace(self.issuer, keys=self.keys.known)

    def learn_keys(self) -> None:
        """Fetches the keys, where none are known that are fresh.

        Raises:
            UnavailableError: they cannot be fetched.
        """
        if self.keys is not None:
            self.keys.including(())

    def verify(self, text: str, expected: Expected, request: Request) -> Verdict:
        """Verifies a token that has just come.

        Args:
            text: the token, or a wrapped detached EAT.
            expected: what it must say.
            request: what it was asked for.

        Raises:
            RejectedError: it is not authentic, not of this issuer, or not as expected.
            PolicyError: its issuer says no.
            UnavailableError: the keys cannot be fetched.
        """
        eat = _eat(text)
        if not eat.submodules and not jwt.is_issued(eat.overall):
            # Evidence tokens name no issuer either, and are verified by their own rules.
            raise RejectedError.of("token.format", f"this is no token of {self.issuer.name}")
        parts = [jws.parse(each) for each in (eat.overall, *eat.submodules.values())]
        self._check_origin(parts[0])
        issuer = self.issuer
        if self.keys is not None:
            keys = self.keys.including(_key_ids(parts), lambda keys: self._serve(keys, parts))
            issuer = replace(issuer, keys=keys)
        verdict = tokens.verify(
            text,
            expected,
            Trust(_NO_ROOTS, (issuer,)),
            at=datetime.fromtimestamp(request.clock(), UTC),
            ledger=Ledger(),
        )
        check_issuers_result(verdict)
        return verdict

    def _serve(self, keys: JwkSet, parts: list[CompactJws]) -> bool:
        """Whether keys are those of a token without a `kid`, such as Trustee's are."""
        for each in parts:
            if "kid" in each.header:
                continue
            try:
                algorithm = jws.accepted_algorithm(each, self.issuer.accepted_algorithms)
                jws.signed_by(each, keys, algorithm)
            except RejectedError:
                return False
        return True

    def _check_origin(self, parts: CompactJws) -> None:
        """Only this issuer will do, although the well-known ones would be tokens too."""
        try:
            claims = parts.claims(floats=True)
        except (ValueError, RecursionError) as error:
            raise RejectedError.of("token.format", f"this is no token: {error}") from error
        named, names = claims.get("iss"), self.issuer.names
        is_nameless = not names and "iss" not in claims
        if not is_nameless and not (isinstance(named, str) and named in names):
            accepted = ", ".join(sorted(names)) or "nobody by name"
            raise RejectedError.of(
                "token.issuer",
                f"{self.issuer.name} answers with a token of {brief(named)}; its own are of "
                f"{accepted}: something answers in its place, or its settings are wrong",
            )
        address = parts.header.get("jku")
        if self.key_set_url is not None and address not in (None, self.key_set_url):
            raise RejectedError.of(
                "token.key",
                f"the token says that its keys are at {brief(address)}; those of "
                f"{self.issuer.name} are at {self.key_set_url}",
            )


def _eat(text: str) -> DetachedEat:
    if not detached_eat.is_wrapped(text):
        return DetachedEat(text, {})
    try:
        return detached_eat.unwrap(text)
    except (ValueError, RecursionError) as error:
        raise RejectedError.of("token.format", f"this is no token: {error}") from error


def _key_ids(parts: list[CompactJws]) -> Iterator[str | None]:
    for each in parts:
        key_id = each.header.get("kid")
        # One that is no text is refused when the token is verified.
        yield key_id if isinstance(key_id, str) else None
