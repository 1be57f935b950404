"""A policy's demands, held against what a service's token states: each is looked at."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from wasmtime_attestation.appraisal.token import appraise_token
from wasmtime_attestation.appraisal.unstated import UNSTATED
from wasmtime_attestation.claims.verdict import Environment, TokenKind, Verdict
from wasmtime_attestation.errors import PolicyError
from wasmtime_attestation.policy import AppraisalPolicy
from wasmtime_attestation.policy.gpu import GpuPolicy
from wasmtime_attestation.policy.snp import GuestRestriction, PlatformProperty, SnpPolicy
from wasmtime_attestation.wit import Status, TeeType

POLICY = AppraisalPolicy("p", frozenset(TeeType))
SNP = Environment(
    "vm", TeeType.AMD_SEV_SNP, Status.AFFIRMING, debug=False, measurements={"vmpl": "0"}
)
TDX = Environment("td", TeeType.INTEL_TDX, Status.AFFIRMING, debug=False, tcb_status="UpToDate")
GPU = Environment(
    "GPU-0",
    TeeType.NVIDIA_GPU,
    Status.AFFIRMING,
    measurements={
        "ueid": "123",
        "driver-version": "570.86.15",
        "vbios-version": "96.00.CF.00.01",
        "bios-version": "96.00.CF.00.01",
    },
)


def found(
    environment: Environment, policy: AppraisalPolicy, kind: TokenKind = TokenKind.ITA
) -> list[str]:
    verdict = Verdict(kind, "issuer", 0, 9, (environment,), {})
    try:
        appraise_token(verdict, policy, at=datetime.fromtimestamp(1, UTC))
    except PolicyError as error:
        return [finding.check for finding in error.findings]
    return []


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("allow_smt", False),
        ("allow_provisional_firmware", False),
        ("minimum_launch_tcb", {"Milan": None}),
        ("minimum_committed_tcb", {"Milan": None}),
        ("required_launch_mitigations", 1),
        ("required_current_mitigations", 1),
        ("required_platform", frozenset({PlatformProperty.ECC_ENABLED})),
        ("denied_platform", frozenset({PlatformProperty.SMT_ENABLED})),
        ("required_restrictions", frozenset({GuestRestriction.SINGLE_SOCKET_ONLY})),
        ("family_ids", frozenset({bytes(16)})),
        ("image_ids", frozenset({bytes(16)})),
        ("csp_ids", frozenset({"somebody"})),
    ],
)
def test_a_demand_of_sev_snp_that_no_token_states(setting: str, value: Any) -> None:  # noqa: ANN401
    assert found(SNP, POLICY) == []
    check = UNSTATED[SnpPolicy].get(setting, "policy.smt")
    assert found(SNP, replace(POLICY, snp=replace(SnpPolicy(), **{setting: value}))) == [check]


@pytest.mark.parametrize(
    ("setting", "met", "unmet", "check"),
    [
        ("ueids", frozenset({"123"}), frozenset({"124"}), "policy.gpu-ueid"),
        (
            "driver_versions",
            frozenset({"570.86.15"}),
            frozenset({"570.86.16"}),
            "policy.gpu-driver-version",
        ),
        ("minimum_driver_version", "570.9.0", "570.86.16", "policy.gpu-driver-version"),
        (
            "vbios_versions",
            frozenset({"96.00.CF.00.01"}),
            frozenset(),
            "policy.gpu-vbios-version",
        ),
        ("minimum_vbios_version", "96.00.CF.00.01", "96.00.CF.00.02", "policy.gpu-vbios-version"),
        ("architectures", None, frozenset({"HOPPER"}), "policy.gpu-architecture"),
        ("modes", None, frozenset({"spt"}), "policy.gpu-mode"),
        ("require_revocation_check", False, True, "policy.gpu-revocation"),
    ],
)
def test_a_demand_of_a_device(setting: str, met: Any, unmet: Any, check: str) -> None:  # noqa: ANN401
    switch = replace(GPU, tee_type=TeeType.OTHER)
    for device in (GPU, switch):
        if device is switch and "driver" in setting:
            continue
        assert found(device, replace(POLICY, gpu=replace(GpuPolicy(), **{setting: met}))) == []
        demanding = replace(POLICY, gpu=replace(GpuPolicy(), **{setting: unmet}))
        assert found(device, demanding) == [check]
        silent = replace(device, measurements={})
        assert found(silent, demanding) == [check]


@pytest.mark.parametrize(
    ("environment", "check"),
    [
        (replace(SNP, debug=None), "policy.debug"),
        (replace(TDX, debug=None), "policy.debug"),
        (replace(SNP, measurements={}), "policy.vmpl"),
        (replace(TDX, tcb_status=None), "policy.tcb-status"),
    ],
    ids=str,
)
def test_what_every_policy_demands_of_a_machine(environment: Environment, check: str) -> None:
    assert found(SNP, POLICY) == found(TDX, POLICY) == []
    assert found(environment, POLICY) == found(environment, POLICY, TokenKind.MAA) == [check]
    assert found(environment, POLICY, TokenKind.EAR) == []


def test_what_a_policy_does_not_demand_may_be_left_out() -> None:
    everything = replace(SnpPolicy(), unsafe_allow_debug=True, vmpls=frozenset(range(4)))
    silent = replace(SNP, debug=None, measurements={})
    assert found(silent, replace(POLICY, snp=everything)) == []


def test_every_setting_is_looked_at() -> None:
    """Who adds a setting says here, or in `UNSTATED`, what it means for a service's token."""
    stated = {
        SnpPolicy: {"vmpls", "unsafe_allow_debug", "allow_migration_agent", "allow_smt"}
        | {"require_revocation_check", "minimum_guest_svn", "require_minimum_tcb", "minimum_tcb"}
        | {"measurements", "host_data", "id_key_digests", "author_key_digests", "chip_ids"},
        GpuPolicy: {"driver_versions", "minimum_driver_version", "vbios_versions"}
        | {"minimum_vbios_version", "ueids", "expected_count"},
    }
    for kind, names in stated.items():
        assert {field.name for field in fields(kind)} == names | UNSTATED[kind].keys()
