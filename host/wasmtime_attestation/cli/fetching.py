"""Fetches what a verification lacks, and says so where it takes long."""

from __future__ import annotations

import logging
from dataclasses import replace

from wasmtime_attestation.cli.terminal import slow
from wasmtime_attestation.config.endorser_settings import Settings
from wasmtime_attestation.embedding.examination import Request
from wasmtime_attestation.embedding.fetching import fetch_for
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence.recognise import recognise

log = logging.getLogger(__name__)


def completed(request: Request, endorsers: Settings) -> Request:
    """Returns a request with what could be fetched of what it lacks; the rest has a reason."""
    try:
        subject = recognise(request.data)
    except RejectedError:
        # The verification says so.
        return request
    with slow("asking vendors for endorsements..."):
        fetched = fetch_for(
            subject, request.endorsements, request.issuers, endorsers, at=request.at
        )
    for missing in fetched.missing:
        log.info("not fetched: %s", missing)
    return replace(
        request,
        endorsements=request.endorsements + fetched.endorsements,
        issuers=fetched.issuers,
        missing=tuple(map(str, fetched.missing)),
    )
