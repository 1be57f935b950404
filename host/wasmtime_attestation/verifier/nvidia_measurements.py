"""Measurements of an NVIDIA device beside the golden ones of its manifests.

Source: NVIDIA attestation SDK (comparison, index 35); "Opaque Data RIM Attributes" (minimum SVN).
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.endorsements.rim import Golden, MinimumSvn, Rim
from wasmtime_attestation.evidence.nvidia import NvidiaReport
from wasmtime_attestation.evidence.spdm_opaque import MINIMUM_SVN, OpaqueData

NVDEC0_INDEX = 35
"""The measurement of a video decoder that not every board has."""
_SVN_SIZE = 2


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a comparison that passed was about, by index from 0 on.

    Attributes:
        matched: the measurements that have a golden value.
        skipped: those that do not count on this device.
        security_versions: by the RIM's name, each number that has a minimum.
    """

    matched: tuple[int, ...]
    skipped: tuple[int, ...]
    security_versions: Mapping[str, int]


def check(report: NvidiaReport, rims: Sequence[Rim], ledger: Ledger) -> Comparison:
    """Compares a report with its manifests.

    Raises:
        RejectedError: `nvidia.measurements` or `nvidia.minimum-svn`, with every difference.
    """
    golden = _golden(rims, ledger)
    skipped = _skipped(report, golden, ledger)
    actual = {block.index - 1: block.value for block in report.signed.measurements}
    compared = [item for index, item in sorted(golden.items()) if index not in skipped]
    differences = [line for item in compared for line in _difference(item, actual)]
    count = f"{len(compared) - len(differences)} of {len(golden)} golden measurements match"
    note = f"; index {NVDEC0_INDEX} is skipped: NVDEC0 is disabled" if skipped else ""
    if differences:
        ledger.reject("nvidia.measurements", f"{count}{note}; {'; '.join(differences)}")
    ledger.passed("nvidia.measurements", f"{count}{note}")
    versions = _check_svns(report, rims, ledger)
    return Comparison(tuple(item.index for item in compared), skipped, versions)


def _golden(rims: Sequence[Rim], ledger: Ledger) -> dict[int, Golden]:
    """Puts the manifests together; an index belongs to one of them."""
    golden: dict[int, Golden] = {}
    for rim in rims:
        twice = sorted(golden.keys() & rim.golden.keys())
        if twice:
            ledger.reject(
                "nvidia.measurements",
                f"index {twice[0]} is active in both manifests",
            )
        golden |= rim.golden
    return golden


def _skipped(report: NvidiaReport, golden: Mapping[int, Golden], ledger: Ledger) -> tuple[int, ...]:
    if report.is_switch or NVDEC0_INDEX not in golden:
        return ()
    if report.nvdec0_enabled is None:
        ledger.reject(
            "nvidia.measurements",
            f"index {NVDEC0_INDEX} is about NVDEC0, and the report does not say if that is enabled",
        )
    return () if report.nvdec0_enabled else (NVDEC0_INDEX,)


def _difference(golden: Golden, actual: Mapping[int, bytes]) -> Iterator[str]:
    """Says how a measurement differs, with the first of the values that it could have."""
    value = actual.get(golden.index)
    if value is not None and any(hmac.compare_digest(value, known) for known in golden.values):
        return
    more = f" or {len(golden.values) - 1} others" if len(golden.values) > 1 else ""
    yield (
        f"index {golden.index} ({golden.name}) is "
        f"{'not in the report' if value is None else value[:64].hex() or 'empty'}, "
        f"not {golden.values[0].hex()}{more}"
    )


def _check_svns(report: NvidiaReport, rims: Sequence[Rim], ledger: Ledger) -> dict[str, int]:
    check_id, records = "nvidia.minimum-svn", [svn for rim in rims for svn in rim.minimum_svns]
    for key in ("field", "name"):
        if len({getattr(record, key) for record in records}) != len(records):
            ledger.reject(check_id, f"a {key} has two minimums: which counts?")
    versions: dict[str, int] = {}
    faults = []
    for record in records:
        version = _version(report.opaque, record)
        if version is None:
            faults.append(f"{record.name} is not in the report")
        elif version < record.minimum:
            faults.append(f"{record.name} is {version}, less than {record.minimum}")
        else:
            versions[record.name] = version
    if faults:
        ledger.reject(check_id, "; ".join(faults))
    ledger.passed(check_id, f"{len(versions)} numbers have a minimum and are at least that")
    return versions


def _version(opaque: OpaqueData, record: MinimumSvn) -> int | None:
    field = opaque.fields.get(record.field)
    if field is None or field.value_type != MINIMUM_SVN or len(field.value) != _SVN_SIZE:
        return None
    return int.from_bytes(field.value, "little")
