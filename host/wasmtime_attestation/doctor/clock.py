"""The clock: tokens live for minutes, and whoever verifies them has another clock."""

from __future__ import annotations

from wasmtime_attestation.doctor.diagnosis import Finding, failed, not_applicable, ok, warning
from wasmtime_attestation.doctor.facts import Answered, Facts

_NOTICEABLE, _HARMFUL = 5.0, 60.0
"""Seconds; verifiers commonly tolerate a minute."""
_SYNCHRONISE = "run an NTP client (timedatectl set-ntp true, or chrony)"


def synchronised(facts: Facts) -> Finding:
    """The kernel's clock is kept by NTP."""
    if facts.synchronised is None:
        return not_applicable("the kernel does not say whether its clock follows another")
    if facts.synchronised:
        return ok("the kernel's clock follows another (NTP)")
    return warning("the kernel's clock follows no other, as the kernel says", _SYNCHRONISE)


def skew(facts: Facts) -> Finding:
    """The clock agrees with those of the services that were asked."""
    answers = [a for a in facts.services.values() if isinstance(a, Answered)]
    apart = sorted((a.ahead for a in answers if a.ahead is not None), key=abs)
    if not apart:
        why = "offline" if facts.offline else "no service told the time"
        return not_applicable(f"not compared: {why}")
    # One clock that is wrong is not ours if another agrees with us.
    ahead = apart[0]
    detail = f"{abs(ahead):.0f} s {'behind' if ahead > 0 else 'ahead of'} the services' clocks"
    if abs(ahead) > _HARMFUL:
        return failed(f"{detail}: tokens are born expired, or not valid yet", _SYNCHRONISE)
    return warning(detail, _SYNCHRONISE) if abs(ahead) > _NOTICEABLE else ok(detail)
