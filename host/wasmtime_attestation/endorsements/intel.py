"""Intel's signed statements about platforms and Quoting Enclaves: TCB info and QE identity.

Source: Intel Provisioning Certification Service (PCS) API version 4, "Get TDX TCB Info"
(TCB info version 3) and "Get TDX Quoting Enclave Identity" (version 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from wasmtime_attestation.endorsements.intel_pck import COMPONENTS
from wasmtime_attestation.endorsements.json_object import JsonObject
from wasmtime_attestation.evidence import strict_json

TCB_INFO_ID = "TDX"
QE_IDENTITY_ID = "TD_QE"
MAX_LEVELS = 1000
"""TCB levels in one statement; real ones have less than 20."""


class TcbStatus(StrEnum):
    """What Intel says of a TCB level, and (the last two) of a TD that outlived an update."""

    UP_TO_DATE = "UpToDate"
    SW_HARDENING_NEEDED = "SWHardeningNeeded"
    CONFIGURATION_NEEDED = "ConfigurationNeeded"
    CONFIGURATION_AND_SW_HARDENING_NEEDED = "ConfigurationAndSWHardeningNeeded"
    OUT_OF_DATE = "OutOfDate"
    OUT_OF_DATE_CONFIGURATION_NEEDED = "OutOfDateConfigurationNeeded"
    REVOKED = "Revoked"
    TD_RELAUNCH_ADVISED = "TDRelaunchAdvised"
    TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED = "TDRelaunchAdvisedConfigurationNeeded"


_COMPONENT_STATUSES = frozenset({TcbStatus.UP_TO_DATE, TcbStatus.OUT_OF_DATE, TcbStatus.REVOKED})
_QE_STATUSES = _COMPONENT_STATUSES | {
    TcbStatus.CONFIGURATION_NEEDED,
    TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED,
}
_PLATFORM_STATUSES = frozenset(TcbStatus) - {
    TcbStatus.TD_RELAUNCH_ADVISED,
    TcbStatus.TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What Intel says of one TCB level: its status, the date of that TCB, and advisories."""

    status: TcbStatus
    tcb_date: datetime
    advisories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlatformLevel:
    """One level of a platform: the least SVNs that it takes to be there."""

    sgx_components: tuple[int, ...]
    pce_svn: int
    tdx_components: tuple[int, ...]
    standing: Standing


@dataclass(frozen=True, slots=True)
class SvnLevel:
    """One level of a TDX module or a Quoting Enclave: the least ISVSVN to be there."""

    isv_svn: int
    standing: Standing


@dataclass(frozen=True, slots=True)
class Module:
    """The TDX module that Intel signed: who signed it and with which SEAM attributes."""

    mrsigner: bytes
    attributes: bytes
    attributes_mask: bytes
    levels: tuple[SvnLevel, ...] = ()


@dataclass(frozen=True, slots=True)
class Issued:
    """When a statement holds, and of which evaluation of the TCB it is."""

    issue_date: datetime
    next_update: datetime
    evaluation_number: int


@dataclass(frozen=True, slots=True)
class TcbInfo:
    """What TCBs there are for one kind of platform; `modules` goes by identity, as `TDX_01`."""

    issued: Issued
    fmspc: bytes
    pce_id: bytes
    module: Module
    modules: dict[str, Module]
    levels: tuple[PlatformLevel, ...]


@dataclass(frozen=True, slots=True)
class QeIdentity:
    """Which enclave is Intel's TD Quoting Enclave."""

    issued: Issued
    misc_select: bytes
    misc_select_mask: bytes
    attributes: bytes
    attributes_mask: bytes
    mrsigner: bytes
    isv_prod_id: int
    levels: tuple[SvnLevel, ...]


def decode_tcb_info(o: JsonObject) -> TcbInfo:
    """Decodes a TCB info, as it is signed.

    Raises:
        ValueError: it is no TCB info of TDX in version 3.
    """
    _check_kind(o, TCB_INFO_ID, 3)
    if o.integer("tcbType", 0xFF) != 0:
        raise ValueError("its tcbType is not 0")
    identities = o.objects("tdxModuleIdentities", MAX_LEVELS, optional=True)
    # The digits are hex: `TDX_0a` and `TDX_0A` are the same module.
    modules = {one.string("id").upper(): _module(one, levels=True) for one in identities}
    if len(modules) != len(identities):
        raise ValueError("a TDX module has two identities")
    return TcbInfo(
        issued=_issued(o),
        fmspc=o.hex_bytes("fmspc", 6),
        pce_id=o.hex_bytes("pceId", 2),
        module=_module(o.object("tdxModule"), levels=False),
        modules=modules,
        levels=tuple(_platform_level(level) for level in o.objects("tcbLevels", MAX_LEVELS)),
    )


def decode_qe_identity(o: JsonObject) -> QeIdentity:
    """Decodes a QE identity, as it is signed.

    Raises:
        ValueError: it is no identity of the TD Quoting Enclave in version 2.
    """
    _check_kind(o, QE_IDENTITY_ID, 2)
    return QeIdentity(
        issued=_issued(o),
        misc_select=o.hex_bytes("miscselect", 4),
        misc_select_mask=o.hex_bytes("miscselectMask", 4),
        attributes=o.hex_bytes("attributes", 16),
        attributes_mask=o.hex_bytes("attributesMask", 16),
        mrsigner=o.hex_bytes("mrsigner", 32),
        isv_prod_id=o.integer("isvprodid", 0xFFFF),
        levels=_svn_levels(o, _QE_STATUSES),
    )


def _check_kind(o: JsonObject, id_: str, version: int) -> None:
    if o.string("id") != id_:
        raise ValueError(f"its id is not {id_}")
    if o.integer("version", 0xFFFF) != version:
        raise ValueError(f"its version is not {version}")


def _issued(o: JsonObject) -> Issued:
    return Issued(
        o.instant("issueDate"),
        o.instant("nextUpdate"),
        o.integer("tcbEvaluationDataNumber", 0xFFFF_FFFF),
    )


def _module(o: JsonObject, *, levels: bool) -> Module:
    return Module(
        o.hex_bytes("mrsigner", 48),
        o.hex_bytes("attributes", 8),
        o.hex_bytes("attributesMask", 8),
        _svn_levels(o, _COMPONENT_STATUSES) if levels else (),
    )


def _svn_levels(o: JsonObject, statuses: frozenset[TcbStatus]) -> tuple[SvnLevel, ...]:
    return tuple(
        SvnLevel(level.object("tcb").integer("isvsvn", 0xFFFF), _standing(level, statuses))
        for level in o.objects("tcbLevels", MAX_LEVELS)
    )


def _platform_level(o: JsonObject) -> PlatformLevel:
    tcb = o.object("tcb")
    return PlatformLevel(
        _components(tcb, "sgxtcbcomponents"),
        tcb.integer("pcesvn", 0xFFFF),
        _components(tcb, "tdxtcbcomponents"),
        _standing(o, _PLATFORM_STATUSES),
    )


def _components(o: JsonObject, name: str) -> tuple[int, ...]:
    components = o.integers(name, "svn", 0xFF, COMPONENTS)
    if len(components) != COMPONENTS:
        raise ValueError(f"{name} has {len(components)} components, not {COMPONENTS}")
    return components


def _standing(o: JsonObject, statuses: frozenset[TcbStatus]) -> Standing:
    text = o.string("tcbStatus")
    if text not in statuses:
        raise ValueError(f"tcbStatus is {strict_json.brief(text)}, which has no meaning there")
    return Standing(TcbStatus(text), o.instant("tcbDate"), o.strings("advisoryIDs", MAX_LEVELS))
