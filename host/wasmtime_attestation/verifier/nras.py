"""The answer of NVIDIA's Remote Attestation Service: a detached EAT, checked as one thing.

The overall token is signed and names each device's token by its digest; each of these is signed
too. Only together do they say anything: the service repeats the nonce of the request even where
the evidence has another, so signature and nonce are not enough.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence

from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims.verdict import TokenKind, Verdict
from wasmtime_attestation.endorsements.jwks import JwkSet
from wasmtime_attestation.errors import Finding, RejectedError
from wasmtime_attestation.evidence.detached_eat import DetachedEat
from wasmtime_attestation.evidence.jwt import CompactJws
from wasmtime_attestation.evidence.strict_json import Json, brief
from wasmtime_attestation.verifier import issued
from wasmtime_attestation.verifier.expectations import Expected, check_nonce
from wasmtime_attestation.verifier.issued import IssuedToken, Reader
from wasmtime_attestation.verifier.issuer_keys import IssuerKeys
from wasmtime_attestation.verifier.nras_device import ERRORS, ISSUER, VERSIONS, Device
from wasmtime_attestation.wit import Status

SUBJECT = "NVIDIA-PLATFORM-ATTESTATION"
CHECKS = (
    "token.format",
    "token.issuer",
    "nras.digests",
    *(check for check in issued.CHECKS if check not in ("token.format", "token.issuer")),
    "nras.submodules",
    "nras.evidence",
    "nras.device",
)
_RESULT = "x-nvidia-overall-att-result"


def verify(
    eat: DetachedEat,
    parts: CompactJws,
    claims: dict[str, Json],
    issuer_keys: IssuerKeys,
    reader: Reader,
) -> Verdict:
    """Verifies a detached EAT.

    Args:
        eat: all tokens.
        parts: the overall token, decoded.
        claims: what it says.
        issuer_keys: who is to have issued it, and where the keys are.
        reader: the verification.

    Raises:
        RejectedError: a token is not the service's, they do not belong together, or the service
            could not authenticate a device's evidence.
        UnavailableError: the keys are missing.
    """
    ledger, issuer = reader.ledger, issuer_keys.issuer
    ledger.plan(CHECKS)
    _check_digests(claims, eat.submodules, ledger)
    algorithm = reader.accept_algorithm(parts, issuer)
    keys = issuer_keys.found(ledger)
    overall = reader.authenticate(parts, claims, issuer, keys, algorithm)
    reader.check_audience(overall)
    _check_nonce(overall, reader)
    _check_version(overall, ledger)
    devices = [
        _device(name, text, overall, keys, reader) for name, text in sorted(eat.submodules.items())
    ]
    ledger.passed("nras.submodules", f"{len(devices)} tokens of the same issuer and nonce")
    _check_evidence(devices, ledger)
    _check_serials(devices, reader.expected, ledger)
    return _verdict(overall, devices)


def _check_digests(claims: dict[str, Json], submodules: Mapping[str, str], ledger: Ledger) -> None:
    """RFC 9711 section 4.2.18.2: a digest stands for a submodule that comes beside the token."""
    if claims.get("sub") != SUBJECT:
        ledger.reject("nras.digests", f"sub is {brief(claims.get('sub'))}, not {SUBJECT}")
    named = claims.get("submods")
    if not isinstance(named, dict) or not named:
        ledger.reject("nras.digests", "the overall token names no device")
    if named.keys() != submodules.keys():
        ledger.reject(
            "nras.digests",
            f"the token is about {_names(named)}, and the tokens beside it about "
            f"{_names(submodules)}: give the whole answer of the service",
        )
    digests = {
        name: hashlib.sha256(text.encode("utf-8")).hexdigest() for name, text in submodules.items()
    }
    for name, digest in digests.items():
        if not _is_digest(named[name], digest):
            ledger.reject("nras.digests", f"the digest of {name}'s token is another: {digest}")
    stated = ", ".join(f"{name} {digest}" for name, digest in sorted(digests.items()))
    ledger.passed("nras.digests", f"SHA-256 of each device's token: {stated}")


def _is_digest(claim: Json, digest: str) -> bool:
    match claim:
        case ["DIGEST", ["SHA-256", str() as stated]]:
            return hmac.compare_digest(stated.encode(), digest.encode())
        case _:
            return False


def _check_nonce(overall: IssuedToken, reader: Reader) -> None:
    nonce = overall.claims.get("eat_nonce")
    if not isinstance(nonce, str) or len(nonce) > 128:
        reader.ledger.reject("token.format", "eat_nonce is no string of at most 128 characters")
    check_nonce(nonce, reader.expected, reader.ledger)


def _device(name: str, text: str, overall: IssuedToken, keys: JwkSet, reader: Reader) -> Device:
    """Checks a device's token like any of the issuer's; outcomes of its own are not reported."""
    check = "nras.submodules"
    own = Reader(Expected(), reader.at, Ledger())
    try:
        parts, claims = own.parse(text)
        algorithm = own.accept_algorithm(parts, overall.issuer)
        own.authenticate(parts, claims, overall.issuer, keys, algorithm)
    except RejectedError as error:
        reader.ledger.reject(check, f"{name}: {error.findings[0].detail}")
    if claims.get("iss") != overall.claims.get("iss"):
        reader.ledger.reject(check, f"{name}: the issuer is {brief(claims.get('iss'))}")
    # The service leaves the nonce out where it reports an error.
    nonce = claims.get("eat_nonce")
    failed = claims.get(ERRORS) is not None
    if nonce != overall.claims["eat_nonce"] and not (nonce is None and failed):
        reader.ledger.reject(
            check, f"{name}: the nonce is {brief(nonce)}, another than the token's"
        )
    return Device(name, claims, str(overall.claims["x-nvidia-ver"]))


def _check_version(overall: IssuedToken, ledger: Ledger) -> None:
    version = overall.claims.get("x-nvidia-ver")
    if version not in VERSIONS:
        ledger.reject(
            "token.format", f"x-nvidia-ver is {brief(version)}; known are {', '.join(VERSIONS)}"
        )


def _check_evidence(devices: Sequence[Device], ledger: Ledger) -> None:
    reasons = [f"{device.name}: {reason}" for device in devices for reason in device.unauthentic()]
    if reasons:
        ledger.reject(
            "nras.evidence", f"the service did not authenticate the evidence: {'; '.join(reasons)}"
        )
    ledger.passed("nras.evidence", "the service authenticated each device's evidence")


def _check_serials(devices: Sequence[Device], expected: Expected, ledger: Ledger) -> None:
    """The service keeps the order of the request: GPU-n is the n-th piece of evidence."""
    check, serials = "nras.device", expected.device_serials
    known = [device.serial for device in devices if device.serial is not None]
    if len(devices) > 1 and len(known) < len(devices):
        ledger.reject(check, "a device has no ueid: it may be one that stands there already")
    if twice := [serial for serial in known if known.count(serial) > 1]:
        # The service takes the same evidence twice; who counts devices would be misled.
        ledger.reject(check, f"device {twice[0]} stands twice in the token: each counts once")
    if serials is None:
        ledger.not_checked(check, "no evidence was given: which devices these are is open")
        return
    stated = [device.serial for device in sorted(devices, key=lambda device: device.index)]
    if stated != [*serials]:
        ledger.reject(check, f"ueid is {stated}; the certificates' serial numbers are {[*serials]}")
    ledger.passed(check, f"{len(devices)} devices have the serial numbers of the evidence")


def _verdict(overall: IssuedToken, devices: Sequence[Device]) -> Verdict:
    claims = overall.claims
    affirmed = claims.get(_RESULT) is True
    against = () if affirmed else (
        Finding(ISSUER, f"{_RESULT} is {brief(claims.get(_RESULT))}: the service says no"),
    )  # fmt: skip
    return Verdict(
        kind=TokenKind.NRAS,
        issuer=overall.named,
        issued_at=overall.period.issued_at,
        expires_at=overall.period.expires_at,
        environments=tuple(device.environment() for device in devices),
        token={"overall": claims, "submodules": {d.name: d.claims for d in devices}},
        nonce=str(claims["eat_nonce"]),
        audience=overall.audience,
        findings=against,
        result=Status.AFFIRMING if affirmed else Status.CONTRAINDICATED,
    )


def _names(submodules: Iterable[str]) -> str:
    names: list[Json] = [*sorted(submodules)[:16]]
    return brief(names)
