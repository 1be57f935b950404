"""`verify` of TDX quotes of real machines: every outcome, in text and in JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import vectors
from tests.cli.tool import Outcome, run

QUOTE, COLLATERAL = "tdx/dcapqvl_tdx_quote_v4.bin", "tdx/dcapqvl_tdx_quote_v4.collateral.json"
AT = ("--at", "2025-07-04T10:16:31Z")
E1 = (
    "tdx/automata_solana_tcb_info_tdx.json",
    "tdx/automata_solana_qe_identity.json",
    "tdx/automata_solana_pck_platform_crl.der",
    "tdx/automata_solana_root_ca_crl.der",
    "tdx/ars_tcb_signing_chain.pem",
)
AT_E1 = ("--at", "2025-07-22T09:13:34Z")


def verify(quote: str, files: tuple[str, ...], *options: str) -> Outcome:
    endorsed = [part for name in files for part in ("--endorsements", str(vectors.path(name)))]
    return run("verify", vectors.path(quote), *endorsed, *options)


def test_a_quote_is_authentic_and_not_appraised() -> None:
    outcome = verify(QUOTE, (COLLATERAL,), *AT)

    assert outcome.code == 0
    assert outcome.out.splitlines()[-1] == "result   authentic, NOT APPRAISED"
    assert "70 bytes follow and say nothing" in outcome.out
    assert vectors.read(QUOTE)[48 + 136 : 48 + 184].hex() in outcome.out


def test_the_same_in_json() -> None:
    report = json.loads(verify(QUOTE, (COLLATERAL,), *AT, "--json").out)

    assert report["outcome"] == "verified"
    assert report["input"]["kind"] == "intel-tdx"
    (evidence,) = report["claims"]["evidence"]
    tdx = evidence["intel-tdx"]
    assert tdx["tcb_status"] == "UpToDate"
    assert tdx["tcb"]["advisories"] == []
    assert tdx["pck"]["fmspc"] == "b0c06f000000"
    assert tdx["current_tcb"] is None
    undone = [check["id"] for check in report["checks"] if check["outcome"] != "passed"]
    assert undone == ["evidence.binding"]


def test_hex_is_recognised() -> None:
    files = ("tdx/dcapqvl_near_quote_v4.collateral.json",)

    outcome = verify("tdx/dcapqvl_near_quote_v4.hex", files, "--at", "2025-09-17T07:22:55Z")

    assert outcome.code == 0


def test_missing_collateral_is_6_and_each_part_is_named() -> None:
    outcome = verify("tdx/gotdx_cos113_quote_v4_8000.dat", E1[1:3], *AT_E1)

    assert outcome.code == 6
    for name in ("intel.tcb-signer", "intel.root-crl", "intel.tcb-info"):
        assert name in outcome.err
    assert "intel.pck-crl" not in outcome.err
    assert "intel.qe-identity" not in outcome.err


@pytest.mark.parametrize(
    ("files", "at", "reason"),
    [
        ((COLLATERAL,), ("--at", "2025-08-01T00:00:00Z"), "fetch a current one"),
        (E1, AT_E1, "none is of the quote's platform"),
    ],
)
def test_wrong_collateral_is_4(files: tuple[str, ...], at: tuple[str, str], reason: str) -> None:
    outcome = verify(QUOTE, files, *at)

    assert outcome.code == 4
    assert reason in outcome.err


def test_report_data_that_is_another_is_4() -> None:
    outcome = verify(QUOTE, (COLLATERAL,), *AT, "--report-data", "00" * 64)

    assert outcome.code == 4
    assert "evidence.binding" in outcome.err


def test_hardware_only_warns_and_a_policy_refuses(tmp_path: object) -> None:
    quote = "azure/trustee_tdx_td_quote.bin"
    warned = verify(quote, E1, *AT_E1, "--policy", "hardware-only")
    assert warned.code == 0
    assert "authentic, warning under hardware-only" in warned.out
    assert "policy.tcb-status: the TCB status is OutOfDate" in warned.out
    strict = f"{tmp_path}/strict.toml"
    with open(strict, "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write('schema = 1\naccept = ["intel-tdx"]\n')
    refused = verify(quote, E1, *AT_E1, "--policy", strict)
    assert refused.code == 5
    assert "policy.tcb-status" in refused.err
    assert "policy.sept-ve-disable" in refused.err


def test_a_policy_may_do_without_revocation_lists(tmp_path: Path) -> None:
    """And then the report says what was not checked, and that it deserves attention."""
    without = (*E1[:2], E1[4])
    policy = tmp_path / "lenient.toml"
    policy.write_text(
        'schema = 1\nextends = "hardware-only"\n'
        "[tdx]\nunsafe-allow-missing-revocation-lists = true\n"
    )

    assert verify("tdx/gotdx_cos113_quote_v4_8000.dat", without, *AT_E1).code == 6
    strict = verify(
        "tdx/gotdx_cos113_quote_v4_8000.dat", without, *AT_E1, "--policy", "hardware-only"
    )
    assert strict.code == 6
    outcome = verify(
        "tdx/gotdx_cos113_quote_v4_8000.dat", without, *AT_E1, "--policy", str(policy), "--json"
    )

    assert outcome.code == 0
    report = json.loads(outcome.out)
    undone = {c["id"] for c in report["checks"] if c["outcome"] == "not-checked"}
    assert undone >= {"intel.root-crl", "intel.pck-crl"}
    assert report["appraisal"]["status"] == "warning"
    assert "policy.revocation" in {f["check"] for f in report["appraisal"]["findings"]}
