"""Questions whose answer is a revocation list of a miniature AMD."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from wasmtime_attestation.endorsements.x509 import der
from wasmtime_attestation.endorsers.question import Piece, Question

from tests.fakes import amd, certificates
from tests.fakes.amd import AT

BEGIN, END = AT - timedelta(days=1), AT + timedelta(days=30)


def crl(begin: datetime = BEGIN, end: datetime = END) -> bytes:
    """Returns a list, in DER."""
    vendor = amd.MILAN.amd
    return der(certificates.crl(vendor.ark.certificate, vendor.ark.key, begin=begin, end=end))


def question(
    url: str = "https://kds.example/crl",
    *,
    body: bytes | None = None,
    max_age: timedelta = timedelta(days=1),
    lifetime: timedelta | None = None,
    still_fits: Callable[[object], bool] = lambda _: True,
) -> Question:
    """Asks for a list."""
    return Question(
        what="a list",
        url=url,
        pieces=lambda reply: (Piece("list.crl", reply.body),),
        fits=lambda found: len(found.crls) == 1,
        max_age=max_age,
        lifetime=lifetime,
        still_fits=still_fits,
        keep=("x-issuer",),
        body=body,
        headers={"X-Key": "secret"},
    )
