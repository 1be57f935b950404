"""The standing of a TDX platform by Intel's rule: platform, TDX module and Quoting Enclave.

Source: Intel quote verification library, "Evaluate TDX TCB" and "Check for relaunch"; PCS API
version 4, "Get TDX TCB Info". The levels are taken in the order in which Intel signs them, which
is from the latest to the earliest.
"""

from __future__ import annotations

from wasmtime_attestation.claims.tdx import TcbEvaluation
from wasmtime_attestation.endorsements.intel import (
    Module,
    PlatformLevel,
    QeIdentity,
    Standing,
    SvnLevel,
    TcbInfo,
    TcbStatus,
)
from wasmtime_attestation.endorsements.intel_pck import PckCertificate

_MINOR, _MAJOR = 0, 1

_OUT_OF_DATE = {
    TcbStatus.UP_TO_DATE: TcbStatus.OUT_OF_DATE,
    TcbStatus.SW_HARDENING_NEEDED: TcbStatus.OUT_OF_DATE,
    TcbStatus.CONFIGURATION_NEEDED: TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED,
    TcbStatus.CONFIGURATION_AND_SW_HARDENING_NEEDED: TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED,
}
_CURRENT = _OUT_OF_DATE.keys()
_NEEDS_CONFIGURATION = {
    TcbStatus.CONFIGURATION_NEEDED,
    TcbStatus.CONFIGURATION_AND_SW_HARDENING_NEEDED,
    TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED,
}


def module_of(tee_tcb_svn: bytes, info: TcbInfo) -> Module:
    """Returns the TDX module that an SVN is of.

    Raises:
        ValueError: Intel names none.
    """
    major = tee_tcb_svn[_MAJOR]
    if major == 0:
        return info.module
    identity = f"TDX_{major:02X}"
    if identity not in info.modules:
        raise ValueError(f"the TCB info has no TDX module {identity}")
    return info.modules[identity]


def qe_standing(isv_svn: int, identity: QeIdentity) -> Standing:
    """Returns the standing of a Quoting Enclave.

    Raises:
        ValueError: no TCB level matches.
    """
    return _svn_standing(isv_svn, identity.levels, "Quoting Enclave")


def evaluate(tee_tcb_svn: bytes, pck: PckCertificate, info: TcbInfo, qe: Standing) -> TcbEvaluation:
    """Returns the standing of a platform with a TDX module.

    Args:
        tee_tcb_svn: the SVNs of the TDX module, 16 bytes.
        pck: the platform.
        info: what TCBs there are for it.
        qe: the standing of its Quoting Enclave.

    Raises:
        ValueError: no TCB level matches.
    """
    platform = _platform_standing(tee_tcb_svn, pck, info)
    module = None
    if tee_tcb_svn[_MAJOR] > 0:
        levels = module_of(tee_tcb_svn, info).levels
        module = _svn_standing(tee_tcb_svn[_MINOR], levels, "TDX module")
    parts = [platform, qe] if module is None else [platform, module, qe]
    return TcbEvaluation(
        status=_converge(platform.status, {part.status for part in parts[1:]}),
        tcb_date=min(part.tcb_date for part in parts),
        advisories=tuple(dict.fromkeys(name for part in parts for name in part.advisories)),
        platform=platform,
        module=module,
        qe=qe,
    )


def with_relaunch(launch: TcbStatus, now: TcbStatus) -> TcbStatus:
    """Returns a TD's status where its platform was updated while it ran (TDX 1.5).

    Args:
        launch: the status when the TD was launched.
        now: the status when the quote was made.
    """
    if TcbStatus.REVOKED in (launch, now):
        return TcbStatus.REVOKED
    outdated = (TcbStatus.OUT_OF_DATE, TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED)
    if launch not in outdated or now not in _CURRENT:
        return launch
    if {launch, now} & _NEEDS_CONFIGURATION:
        return TcbStatus.TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED
    return TcbStatus.TD_RELAUNCH_ADVISED


def _platform_standing(tee_tcb_svn: bytes, pck: PckCertificate, info: TcbInfo) -> Standing:
    for level in info.levels:
        if _reaches(tee_tcb_svn, pck, level):
            return level.standing
    raise ValueError(
        f"no TCB level matches: the platform has SVNs {list(pck.sgx_components)}, PCESVN "
        f"{pck.pce_svn} and TDX SVNs {list(tee_tcb_svn)}, which are below every level"
    )


def _reaches(tee_tcb_svn: bytes, pck: PckCertificate, level: PlatformLevel) -> bool:
    # A module with a major version has levels of its own for its two SVNs.
    first = 2 if tee_tcb_svn[_MAJOR] > 0 else 0
    return (
        _all_at_least(pck.sgx_components, level.sgx_components)
        and pck.pce_svn >= level.pce_svn
        and _all_at_least(tee_tcb_svn[first:], level.tdx_components[first:])
    )


def _all_at_least(actual: tuple[int, ...] | bytes, required: tuple[int, ...]) -> bool:
    return all(have >= need for have, need in zip(actual, required, strict=True))


def _svn_standing(svn: int, levels: tuple[SvnLevel, ...], what: str) -> Standing:
    for level in levels:
        if svn >= level.isv_svn:
            return level.standing
    raise ValueError(f"no TCB level matches: SVN {svn} of the {what} is below every level")


def _converge(platform: TcbStatus, others: set[TcbStatus]) -> TcbStatus:
    """A part that is out of date or revoked makes the whole so; Intel counts nothing else."""
    if TcbStatus.REVOKED in others:
        return TcbStatus.REVOKED
    if TcbStatus.OUT_OF_DATE in others:
        return _OUT_OF_DATE.get(platform, platform)
    return platform
