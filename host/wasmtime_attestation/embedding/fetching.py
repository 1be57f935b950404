"""Fetches what a verification lacks: from this user's cache, and from the vendors' services."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from wasmtime_attestation.config.endorser_settings import Settings
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsers.answers import Answers
from wasmtime_attestation.endorsers.cache_folder import default_folder
from wasmtime_attestation.endorsers.disk_cache import DiskCache
from wasmtime_attestation.endorsers.fetching import Fetched, Subject, fetch
from wasmtime_attestation.endorsers.source import Source
from wasmtime_attestation.verifier.issuers import Issuer

log = logging.getLogger(__name__)


def fetch_for(
    subject: Subject,
    known: Endorsements,
    issuers: Sequence[Issuer],
    endorsers: Settings,
    *,
    at: datetime,
    progress: Callable[[str], None] = log.info,
) -> Fetched:
    """Fetches by way of this user's cache.

    Args:
        subject: what is to be verified.
        known: what is there.
        issuers: whose tokens count, besides the well-known ones.
        endorsers: where services are, or that the caches alone are asked.
        at: the instant at which everything must hold.
        progress: is told what is asked for.

    Raises:
        UnsupportedError: a Redis server is configured, and the extra is not installed.
    """
    urls, offline = endorsers.urls, endorsers.offline
    cache = _answers(default_folder(), endorsers.shared)
    with Source(cache, offline=offline, plain=urls.is_plain, progress=progress) as source:
        return fetch(subject, known, source=source, urls=urls, at=at, issuers=issuers)


def _answers(folder: Path | None, shared: str | None) -> Answers | None:
    """Returns this user's cache, beside the one that is shared, if one is."""
    disk = None if folder is None else DiskCache(folder)
    if shared is None:
        return disk
    from wasmtime_attestation.cache.redis_answers import Layered, SharedAnswers
    from wasmtime_attestation.cache.redis_server import RedisServer  # an extra

    far = SharedAnswers(RedisServer(shared))
    return far if disk is None else Layered(disk, far)
