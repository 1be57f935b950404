"""`wasmtime-attestation binding`: D, and what follows from it, for whoever compares it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from pathlib import Path

import click

from wasmtime_attestation import wit
from wasmtime_attestation.challenge import check_challenge
from wasmtime_attestation.cli import options
from wasmtime_attestation.cli.terminal import printable
from wasmtime_attestation.evidence.envelope import EvidenceType
from wasmtime_attestation.evidence.token import MAX_USER_DATA, PROFILE, Binding
from wasmtime_attestation.issuing.remote import PROFILE as SERVICE_PROFILE
from wasmtime_attestation.verifier import binding, runtime_data

SCHEMA = 1
_MAX_GUEST = 1 << 30
_SHA256 = 32


def _verifier_nonce(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise click.BadParameter("it is no base64") from None


@click.command("binding")
@click.option(
    "--nonce",
    type=options.hex_bytes(8, 64),
    metavar="HEX",
    required=True,
    help="The challenge, 8 to 64 bytes.",
)
@click.option(
    "--key-thumbprint",
    type=options.hex_bytes(_SHA256, _SHA256),
    metavar="HEX",
    help="Of an evidence token's key (RFC 7638); a service's token has none.",
)
@click.option(
    "--guest",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The guest, whose SHA-256 is bound.",
)
@click.option(
    "--guest-digest",
    type=options.hex_bytes(_SHA256, _SHA256),
    metavar="HEX",
    help="SHA-256 of the guest, in place of the guest.",
)
@click.option(
    "--user-data",
    type=options.hex_bytes(0, MAX_USER_DATA),
    metavar="HEX",
    help="What the guest had bound; an empty text is something else than none.",
)
@options.audience
@click.option(
    "--verifier-nonce",
    type=(_verifier_nonce, _verifier_nonce),
    metavar="VAL IAT",
    help="Intel Trust Authority's nonce, as verifier_nonce of its token has it.",
)
@options.as_json
@options.verbose
def command(
    *,
    nonce: bytes,
    key_thumbprint: bytes | None,
    guest: Path | None,
    guest_digest: bytes | None,
    user_data: bytes | None,
    audience: str | None,
    verifier_nonce: tuple[bytes, bytes] | None,
    as_json: bool,
) -> None:
    """Compute D (docs/binding.md), and the value that each place carries.

    Without --key-thumbprint it is that of a service's token: give D to `verify --report-data`,
    or compare by yourself.
    """
    check_challenge(wit.Challenge(nonce, user_data, audience))
    if guest is not None and guest_digest is not None:
        raise click.UsageError("--guest and --guest-digest exclude each other.")
    if guest is not None:
        guest_digest = hashlib.sha256(options.read_file(guest, _MAX_GUEST)).digest()
    profile = SERVICE_PROFILE if key_thumbprint is None else PROFILE
    bound = binding.digest(
        Binding(profile, nonce, key_thumbprint or b"", guest_digest, user_data, audience)
    )
    places = _places(bound, verifier_nonce, is_service=key_thumbprint is None)
    if as_json:
        members = {"schema": SCHEMA, "profile": profile, "d": bound.hex(), "places": places}
        click.echo(json.dumps(members, indent=2))
        return
    for name, value in {"profile": profile, "D": bound.hex(), **places}.items():
        click.echo(printable(f"{name + ':':<24} {value}"))


def _places(
    bound: bytes, verifier_nonce: tuple[bytes, bytes] | None, *, is_service: bool
) -> dict[str, str]:
    """Returns what evidence and tokens carry, by place: in hex, or as the place writes it."""
    found = {
        "report-data": bound.hex(),
        "azure-user-data": bound.hex().upper(),
        "azure-tpm-quote": _nonce(EvidenceType.AZURE_SNP, bound),
        "device-nonce": _nonce(EvidenceType.NVIDIA_GPU, bound),
    }
    if not is_service:
        return found
    del found["azure-tpm-quote"]  # no service sees this project's quote
    if verifier_nonce is not None:
        found["ita-report-data"] = hashlib.sha512(b"".join(verifier_nonce) + bound).hexdigest()
    return found | {
        "ita-held-data": base64.b64encode(bound).decode(),
        "trustee-alg": runtime_data.algorithm(bound),
    }


def _nonce(kind: EvidenceType, bound: bytes) -> str:
    return (binding.nonce_of(kind, bound) or b"").hex()
