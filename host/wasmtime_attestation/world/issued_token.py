"""What an embedder is told of a token that a guest got."""

from __future__ import annotations

from dataclasses import dataclass

from wasmtime_attestation.wit import TeeType


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token that a guest got, new or kept; the guest has the token, and this says which it was.

    Attributes:
        sha256: of the token's text, as the journal has it.
        service: `iss` of a token of a service or Verifier; None for an evidence token, which is
            signed by the host's own key.
        target: what it is about: `vm`, `gpu:N` or `all`.
        tee_type: the kind of environment.
        issued_at: when the evidence was collected, in seconds since the Unix epoch.
        expires_at: until when it counts; None where the token does not say.
    """

    sha256: bytes
    service: str | None
    target: str
    tee_type: TeeType
    issued_at: int
    expires_at: int | None
