"""What a service does when it is shown evidence: the truth, or what somebody in its place would.

An act changes a miniature service for one answer; before the next it is as it was.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from tests.emulation.ita_service import ItaMiniature
from tests.emulation.json_service import Miniature
from tests.emulation.kbs_service import KbsMiniature
from tests.emulation.maa_service import MaaMiniature
from tests.emulation.nras_service import NrasMiniature
from tests.fakes import jose
from tests.fakes.jose import Members, Signer

Act = Callable[[Any], None]
TRUTH, AGAIN = "truth", "again"
CHANGED = frozenset({"signer", "published", "forge", "forge_device", "jku"})
"""The attributes that acts change."""
ELSEWHERE = "https://evil.example/certs"
OTHER_ISSUER = "https://other.example"
_ANOTHER: Mapping[type[Any], Callable[[], Signer]] = {
    MaaMiniature: lambda: Signer(jose.rsa_key(52), "RS256", "next-key"),
    ItaMiniature: lambda: Signer(jose.rsa_key(62), "PS384", "next-key"),
    NrasMiniature: lambda: Signer(jose.p384(4002), "ES384", "nv-eat-kid-test-2"),
    # Trustee's keys have no names.
    KbsMiniature: lambda: Signer(jose.p256(7003), "ES256", None),
}


def _forging(forge: Callable[[Members], Members]) -> Act:
    """Returns the act that signs other claims."""

    def act(service: Miniature) -> None:
        service.forge = lambda claims: forge(copy.deepcopy(claims))

    return act


def _rotated(service: Any) -> None:  # noqa: ANN401  any miniature
    service.signer = _ANOTHER[type(service)]()
    service.published = [service.signer]


def _elsewhere(service: Any) -> None:  # noqa: ANN401
    """Somebody signs with a key of their own, and says where it is."""
    other = _ANOTHER[type(service)]()
    if hasattr(service, "jku"):
        service.jku = ELSEWHERE
        service.signer = other
        return
    service.signer = _Pointing(other.key, other.algorithm, "evil")


class _Pointing(Signer):
    """A key whose tokens say that it is elsewhere."""

    def sign(self, payload: object, header: Mapping[str, Any] | bytes | None = None) -> str:
        assert not isinstance(header, bytes)
        return super().sign(payload, {**(header or self.header), "jku": ELSEWHERE})


def _clock(seconds: float) -> Act:
    def act(service: Any) -> None:  # noqa: ANN401
        service.clock.ahead = seconds

    return act


def _expired(claims: Members) -> Members:
    now = claims["iat"]
    return claims | {"iat": now - 200, "nbf": now - 200, "exp": now - 1}


def _short(claims: Members) -> Members:
    return claims | {"exp": claims["iat"] + 3}


def _late(_service: Any) -> None:  # noqa: ANN401
    time.sleep(3.5)


def _other_nonce(service: Any) -> None:  # noqa: ANN401
    """Its answer is to another nonce than it was asked with."""
    _forging(_with_other_nonce)(service)
    if isinstance(service, NrasMiniature):
        service.forge_device = lambda claims: claims | {"eat_nonce": "00" * 32}


def _with_other_nonce(claims: Members) -> Members:
    for name in ("nonce", "eat_nonce"):
        if name in claims:
            claims[name] = "00" * 32
    if "tdx" in claims:
        claims["tdx"]["verifier_nonce"] |= {"val": "A" * 56}
    for appraisal in claims.get("submods", {}).values():
        if isinstance(appraisal, dict):
            _annotated(appraisal)["runtime_data_claims"]["nonce"] = "AAAA"
    return claims


def _annotated(appraisal: Members) -> Members:
    found: Members = appraisal["ear.veraison.annotated-evidence"]
    return found


def _other_machine(service: Any) -> None:  # noqa: ANN401
    """It speaks of another machine, which is bound to the same."""
    if isinstance(service, NrasMiniature):
        service.forge_device = lambda claims: claims | {"ueid": "1"}
    _forging(_with_other_measurement)(service)


def _with_other_measurement(claims: Members) -> Members:
    parts = [claims, claims.get("tdx", {}), claims.get("x-ms-isolation-tee", {})]
    for appraisal in claims.get("submods", {}).values():
        if isinstance(appraisal, dict):
            parts += [*_annotated(appraisal).values()]
    parts += [part["quote"]["body"] for part in parts if "quote" in part]
    for part in parts:
        for name in ("x-ms-sevsnpvm-launchmeasurement", "tdx_mrtd", "mr_td"):
            if name in part:
                part[name] = "cc" * 48
        if "measurement" in part:
            part["measurement"] = "zMzM" * 16
    return claims


def _unmatched(claims: Members) -> Members:
    matched = claims["policy_ids_matched"]
    return claims | {"policy_ids_matched": [], "policy_ids_unmatched": matched}


def _no(claims: Members) -> Members:
    """The evidence is what it is, and the service says no to it."""
    if "x-ms-attestation-type" in claims:
        debug = {"sevsnpvm": "x-ms-sevsnpvm-is-debuggable"}
        name = debug.get(claims["x-ms-attestation-type"], "tdx_td_attributes_debug")
        return claims | {name: True}
    if "tdx" in claims:
        claims["tdx"]["tdx_is_debuggable"] = True
    if "x-nvidia-overall-att-result" in claims:
        return claims | {"x-nvidia-overall-att-result": False}
    for appraisal in claims.get("submods", {}).values():
        appraisal["ear.status"] = "contraindicated"
        appraisal["ear.trustworthiness-vector"]["hardware"] = 97
    return claims


ACTS: Mapping[str, Act] = MappingProxyType(
    {
        TRUTH: lambda _service: None,
        # Its first answer once more, whatever it is asked.
        AGAIN: lambda _service: None,
        "rotated": _rotated,
        "ahead": _clock(300),
        "behind": _clock(-300),
        "expired": _forging(_expired),
        "short": _forging(_short),
        "late": _late,
        "other machine": _other_machine,
        "other nonce": _other_nonce,
        "other issuer": _forging(lambda claims: claims | {"iss": OTHER_ISSUER}),
        "elsewhere": _elsewhere,
        "unmatched": _forging(_unmatched),
        "no": _forging(_no),
    }
)
"""The acts by name."""
