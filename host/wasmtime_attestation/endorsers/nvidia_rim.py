"""NVIDIA's RIM service: the manifests of drivers, VBIOSes and switches' BIOSes.

Source: NVIDIA, "RIM Service", `GET /v1/rim/{id}`.
"""

from __future__ import annotations

from datetime import timedelta

from wasmtime_attestation.endorsers.question import Piece, Question


def manifest(base: str, id_: str) -> Question:
    """Asks for a manifest; the answer, which has the identifier in it, is kept as it is.

    Args:
        base: the service's address.
        id_: NVIDIA's identifier, made of words that were checked.
    """
    return Question(
        what=f"the manifest (RIM) {id_}",
        url=f"{base}/v1/rim/{id_}",
        pieces=lambda reply: (Piece(f"{id_}.json", reply.body),),
        fits=lambda found: any(rim.name.startswith(id_) for rim in found.rims),
        max_age=timedelta(days=7),
        # A manifest is for good; the certificates of its signer are not.
        lifetime=timedelta(days=365),
    )
