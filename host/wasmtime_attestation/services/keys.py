"""The keys of a service: fetched, kept for a while, and fetched again where there are new ones."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from wasmtime_attestation.endorsements import jwks
from wasmtime_attestation.endorsements.jwks import JwkSet
from wasmtime_attestation.services.api import Api

LIFETIME = 900.0
"""Seconds for which keys are kept: NVIDIA's service makes new ones four times a day."""


class ServiceKeys:
    """The key set of one service.

    TLS says whose it is, so it comes from the configured address alone.

    Args:
        api: the service.
        path: of the key set.
    """

    def __init__(self, api: Api, path: str) -> None:
        self._api = api
        self._path = path
        self._keys = JwkSet()
        self._fetched_at: float | None = None
        self._lock = threading.Lock()

    @property
    def address(self) -> str:
        """Where the keys are."""
        return self._api.url + self._path

    @property
    def known(self) -> JwkSet:
        """The keys that are known by now; empty before any token was asked for."""
        return self._keys

    def including(
        self, key_ids: Iterable[str | None], serve: Callable[[JwkSet], bool] = lambda _: True
    ) -> JwkSet:
        """Returns the keys, fetched once more if a `kid` is not among them or they do not serve.

        One token makes one fetch at most: a `kid` that is nowhere is an error of the token.

        Args:
            key_ids: of the token, and of those beside it.
            serve: whether keys are those that signed, where a token names none.

        Raises:
            UnavailableError: they cannot be fetched.
        """
        with self._lock:
            known = {None, *(key.key_id for key in self._keys.keys)}
            is_known = self._is_fresh() and known.issuperset(key_ids)
            if not is_known or not serve(self._keys):
                self._keys = self._fetch()
                self._fetched_at = time.monotonic()
            return self._keys

    def _is_fresh(self) -> bool:
        return self._fetched_at is not None and time.monotonic() - self._fetched_at < LIFETIME

    def _fetch(self) -> JwkSet:
        answer = self._api.get(self._path, {"Accept": "application/jwk-set+json, */*"})
        try:
            return jwks.decode(answer.body)
        except (ValueError, RecursionError) as error:
            raise self._api.nonsense(error) from error
