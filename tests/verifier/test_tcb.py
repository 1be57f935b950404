"""The TCB status by Intel's rule, case by case; expected values are written out by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from wasmtime_attestation.endorsements.intel import TcbStatus
from wasmtime_attestation.verifier.tcb import with_relaunch

from tests.fakes.intel import (
    PLATFORM,
    PLATFORM_15,
    QE_IDENTITY,
    TCB_INFO,
    Collateral,
    Platform,
    changed,
    level,
    svn_level,
)
from tests.verifier.tdx_verification import Verified, rejection, verify


def svn(*first: int) -> bytes:
    return bytes(first).ljust(16, b"\0")


def evaluated(platform: Platform = PLATFORM, **info: Any) -> Verified:  # noqa: ANN401
    collateral = Collateral(platform, tcb_info=changed(TCB_INFO, **info))
    return verify(platform.quote(), collateral.endorsements())


def status(platform: Platform = PLATFORM, **info: Any) -> str:  # noqa: ANN401
    return evaluated(platform, **info).tdx.tcb_status


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        (PLATFORM, "UpToDate"),
        (replace(PLATFORM, components=bytes([9] * 16)), "UpToDate"),
        (replace(PLATFORM, components=bytes([4] * 8 + [0] * 8)), "OutOfDate"),
        (replace(PLATFORM, components=bytes([5] * 7 + [4] + [0] * 8)), "OutOfDate"),
        (replace(PLATFORM, pce_svn=10, components=bytes([3] * 8 + [0] * 8)), "Revoked"),
        (replace(PLATFORM, tee_tcb_svn=svn(6, 1, 2)), "OutOfDate"),
        # With a major version, the first two SVNs are the module's affair.
        (replace(PLATFORM, tee_tcb_svn=svn(4, 1, 3)), "OutOfDate"),
        (replace(PLATFORM, tee_tcb_svn=svn(2, 1, 3)), "Revoked"),
        # Without one, they count as the platform's.
        (replace(PLATFORM, tee_tcb_svn=svn(5, 0, 3)), "UpToDate"),
        (replace(PLATFORM, tee_tcb_svn=svn(4, 0, 3)), "OutOfDate"),
        (replace(PLATFORM, qe_svn=3), "OutOfDate"),
    ],
)
def test_the_first_level_that_is_reached_counts(platform: Platform, expected: str) -> None:
    assert status(platform) == expected


@pytest.mark.parametrize(
    ("platform", "detail"),
    [
        (replace(PLATFORM, components=bytes([2] * 8 + [0] * 8)), "no TCB level matches"),
        (replace(PLATFORM, pce_svn=4), "no TCB level matches"),
        (replace(PLATFORM, tee_tcb_svn=svn(6, 1, 0)), "no TCB level matches"),
        (replace(PLATFORM, tee_tcb_svn=svn(1, 1, 3)), "SVN 1 of the TDX module"),
        (replace(PLATFORM, tee_tcb_svn=svn(2, 0, 3)), "no TCB level matches"),
        (replace(PLATFORM, qe_svn=2), "SVN 2 of the Quoting Enclave"),
        (replace(PLATFORM_15, tee_tcb_svn_2=svn(1, 1, 3)), "SVN 1 of the TDX module"),
    ],
)
def test_below_every_level(platform: Platform, detail: str) -> None:
    finding = rejection(platform.quote(), Collateral(platform).endorsements())

    assert finding.check == "tdx.tcb"
    assert detail in finding.detail


# Intel quote verification library, convergence with the statuses of module and QE.
CONVERGED = {
    ("UpToDate", "UpToDate"): "UpToDate",
    ("SWHardeningNeeded", "UpToDate"): "SWHardeningNeeded",
    ("ConfigurationNeeded", "UpToDate"): "ConfigurationNeeded",
    ("ConfigurationAndSWHardeningNeeded", "UpToDate"): "ConfigurationAndSWHardeningNeeded",
    ("OutOfDate", "UpToDate"): "OutOfDate",
    ("OutOfDateConfigurationNeeded", "UpToDate"): "OutOfDateConfigurationNeeded",
    ("Revoked", "UpToDate"): "Revoked",
    ("UpToDate", "OutOfDate"): "OutOfDate",
    ("SWHardeningNeeded", "OutOfDate"): "OutOfDate",
    ("ConfigurationNeeded", "OutOfDate"): "OutOfDateConfigurationNeeded",
    ("ConfigurationAndSWHardeningNeeded", "OutOfDate"): "OutOfDateConfigurationNeeded",
    ("OutOfDate", "OutOfDate"): "OutOfDate",
    ("OutOfDateConfigurationNeeded", "OutOfDate"): "OutOfDateConfigurationNeeded",
    ("Revoked", "OutOfDate"): "Revoked",
}


@pytest.mark.parametrize("part", ["module", "qe"])
@pytest.mark.parametrize(("statuses", "expected"), CONVERGED.items(), ids=str)
def test_platform_module_and_enclave_converge(
    statuses: tuple[str, str], expected: str, part: str
) -> None:
    platform_status, other = statuses
    assert converge(platform_status, other, part) == expected
    assert converge(platform_status, "Revoked", part) == "Revoked"


def converge(platform_status: str, other: str, part: str) -> str:
    (module,) = TCB_INFO["tdxModuleIdentities"]
    module_status, qe_status = (other, "UpToDate") if part == "module" else ("UpToDate", other)
    info = changed(
        TCB_INFO,
        tcbLevels=[level(platform_status)],
        tdxModuleIdentities=[changed(module, tcbLevels=[svn_level(6, module_status)])],
    )
    identity = changed(QE_IDENTITY, tcbLevels=[svn_level(4, qe_status)])
    collateral = Collateral(PLATFORM, tcb_info=info, qe_identity=identity)
    return verify(PLATFORM.quote(), collateral.endorsements()).tdx.tcb_status


# Intel quote verification library, "Check for relaunch".
RELAUNCH = {
    ("OutOfDate", "UpToDate"): "TDRelaunchAdvised",
    ("OutOfDate", "SWHardeningNeeded"): "TDRelaunchAdvised",
    ("OutOfDate", "ConfigurationNeeded"): "TDRelaunchAdvisedConfigurationNeeded",
    ("OutOfDate", "ConfigurationAndSWHardeningNeeded"): "TDRelaunchAdvisedConfigurationNeeded",
    ("OutOfDateConfigurationNeeded", "UpToDate"): "TDRelaunchAdvisedConfigurationNeeded",
    ("OutOfDateConfigurationNeeded", "SWHardeningNeeded"): "TDRelaunchAdvisedConfigurationNeeded",
    ("OutOfDateConfigurationNeeded", "ConfigurationNeeded"): "TDRelaunchAdvisedConfigurationNeeded",
    (
        "OutOfDateConfigurationNeeded",
        "ConfigurationAndSWHardeningNeeded",
    ): "TDRelaunchAdvisedConfigurationNeeded",
}


def test_a_relaunch_is_advised_where_only_the_launch_was_out_of_date() -> None:
    statuses = [s for s in TcbStatus if not s.startswith("TDRelaunch")]
    for launch, now in product(statuses, repeat=2):
        otherwise = "Revoked" if now == "Revoked" else launch
        assert with_relaunch(launch, now) == RELAUNCH.get((launch, now), otherwise)


def test_a_td_that_outlived_an_update_of_its_module() -> None:
    platform = replace(PLATFORM_15, tee_tcb_svn=svn(4, 1, 3), tee_tcb_svn_2=svn(6, 1, 3))

    tdx = evaluated(platform).tdx

    assert tdx.tcb_status is TcbStatus.TD_RELAUNCH_ADVISED
    assert tdx.tcb.status is TcbStatus.OUT_OF_DATE
    assert tdx.current_tcb is not None
    assert tdx.current_tcb.status is TcbStatus.UP_TO_DATE
    # A Quoting Enclave that is out of date is so for both, and no relaunch mends it.
    assert status(replace(platform, qe_svn=3)) == "OutOfDate"


def test_advisories_and_dates_of_all_parts() -> None:
    platform = replace(
        PLATFORM, components=bytes([4] * 8 + [0] * 8), tee_tcb_svn=svn(4, 1, 2), qe_svn=3
    )

    tcb = evaluated(platform).tdx.tcb

    assert tcb.advisories == ("INTEL-SA-00960", "INTEL-SA-01036", "INTEL-SA-00837")
    assert tcb.tcb_date.isoformat() == "2025-05-14T00:00:00+00:00"
    assert tcb.platform.advisories == ("INTEL-SA-00960",)
    assert tcb.module is not None
    assert tcb.module.advisories == ("INTEL-SA-01036",)
    assert tcb.qe.status is TcbStatus.OUT_OF_DATE


def test_levels_are_taken_in_the_order_in_which_intel_signs_them() -> None:
    assert status(tcbLevels=[level("UpToDate"), level("Revoked")]) == "UpToDate"
    assert status(tcbLevels=[level("Revoked"), level("UpToDate")]) == "Revoked"


@pytest.mark.parametrize("text", ["TDRelaunchAdvised", "uptodate", ""])
def test_a_status_that_has_no_meaning(text: str) -> None:
    info = changed(TCB_INFO, tcbLevels=[level(text)])
    finding = rejection(PLATFORM.quote(), Collateral(PLATFORM, tcb_info=info).endorsements())

    assert finding.check == "intel.tcb-info"
    assert "has no meaning there" in finding.detail


def test_a_modules_identity_is_one_in_either_case() -> None:
    (module,) = TCB_INFO["tdxModuleIdentities"]
    tenth = replace(PLATFORM, tee_tcb_svn=svn(6, 10, 3))
    revoked = changed(module, id="tdx_01", tcbLevels=[svn_level(0, "Revoked")])

    assert status(tenth, tdxModuleIdentities=[changed(module, id="TDX_0a")]) == "UpToDate"
    for identities in ([module, module], [module, revoked], [revoked, module]):
        info = changed(TCB_INFO, tdxModuleIdentities=identities)
        finding = rejection(PLATFORM.quote(), Collateral(PLATFORM, tcb_info=info).endorsements())
        assert finding.check == "intel.tcb-info"
        assert "two identities" in finding.detail
