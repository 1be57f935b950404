"""`verify` of Azure confidential VMs and of boot logs, real ones: every outcome."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from wasmtime_attestation.cli.report import tree
from wasmtime_attestation.evidence.strict_json import Json

from tests import vectors
from tests.cli.test_verify_tdx import AT_E1, E1
from tests.cli.tool import Outcome, run
from tests.evidence.test_hcl import document, legacy
from tests.fakes.azure import SNP
from tests.fakes.boot_log import PC, log

AT = ("--at", "2026-03-01T00:00:00Z")
CHALLENGE = ("--nonce", b"challenge".hex())
SNP_EVIDENCE, SNP_CHAIN = "azure/trustee_snp_evidence_v1.json", "azure/trustee_snp_vcek_chain.pem"
TDX_EVIDENCE = "azure/trustee_tdx_evidence_v1.json"
TD_QUOTE, CCEL = "tdx/gotdx_cos113_quote_v4_8000.dat", "tdx/gotdx_cos113_ccel_data.dat"


def verify(name: str, files: tuple[str, ...], *options: str | Path) -> Outcome:
    endorsed = [part for file in files for part in ("--endorsements", str(vectors.path(file)))]
    return run("verify", vectors.path(name), *endorsed, *options)


def undone(outcome: Outcome) -> set[str]:
    checks = json.loads(outcome.out)["checks"]
    return {check["id"] for check in checks if check["outcome"] != "passed"}


def test_snp_below() -> None:
    outcome = verify(SNP_EVIDENCE, (SNP_CHAIN,), *AT, *CHALLENGE, "--json")

    assert outcome.code == 0
    report = json.loads(outcome.out)
    assert report["input"]["kind"] == "azure-snp"
    assert undone(outcome) == {"evidence.binding", "amd.revocation"}
    (claims,) = report["claims"]["evidence"]
    assert claims["azure"]["vm_configuration"]["vmUniqueId"].startswith("26F8BC30")
    assert claims["azure"]["tpm"]["nonce"] == b"challenge".hex()
    assert claims["azure"]["tpm"]["reset_count"] == 2
    assert len(claims["azure"]["tpm"]["pcrs"]) == 24
    assert claims["amd-sev-snp"]["vmpl"] == 0


def test_tdx_below() -> None:
    outcome = verify(TDX_EVIDENCE, E1, *AT_E1, *CHALLENGE, "--report-data", "00" * 64, "--json")

    assert outcome.code == 0
    assert undone(outcome) == set()
    (claims,) = json.loads(outcome.out)["claims"]["evidence"]
    assert claims["intel-tdx"]["tcb_status"] == "OutOfDate"
    assert claims["azure"]["vm_configuration"]["secure-boot"] is True


@pytest.mark.parametrize(
    ("options", "check"),
    [
        (("--nonce", b"challengf".hex()), "tpm.nonce"),
        (("--report-data", "01" + "00" * 63), "evidence.binding"),
    ],
)
def test_another_challenge_is_4(options: tuple[str, ...], check: str) -> None:
    for name, files, at in ((SNP_EVIDENCE, (SNP_CHAIN,), AT), (TDX_EVIDENCE, E1, AT_E1)):
        outcome = verify(name, files, *at, *options)
        assert outcome.code == 4
        assert check in outcome.err


def test_missing_endorsements_are_6() -> None:
    snp = verify(SNP_EVIDENCE, (), *AT)
    assert (snp.code, "amd.ask" in snp.err or "amd.vek" in snp.err) == (6, True)
    tdx = verify(TDX_EVIDENCE, (), *AT_E1)
    assert (tdx.code, "intel.tcb-info" in tdx.err) == (6, True)


def test_a_report_of_another_chip_is_4() -> None:
    files = ("azure/kinvolk_certs.pem",)
    outcome = verify("azure/kinvolk_hcl_report_snp.bin", files, *AT)

    assert outcome.code == 4
    assert "another chip" in outcome.err
    assert "there is no TPM quote: freshness and PCRs are open" in outcome.out


def test_a_bare_report_over_tdx_lacks_its_quote() -> None:
    outcome = verify("azure/kinvolk_hcl_report_tdx.bin", E1, *AT_E1)

    assert outcome.code == 6
    assert "the TD quote of it is missing" in outcome.err


def test_a_bare_td_report_is_4_with_the_reason() -> None:
    outcome = run("verify", vectors.path("tdx/gotdx_tdreport.dat"))

    assert outcome.code == 4
    assert "TDREPORT" in outcome.err


def test_presets() -> None:
    snp = verify(SNP_EVIDENCE, (SNP_CHAIN,), *AT, "--policy", "azure-cvm")
    assert snp.code == 0
    assert "authentic, affirming under azure-cvm" in snp.out
    assert "neither paravisor nor PCRs" in snp.out
    tdx = verify(TDX_EVIDENCE, E1, *AT_E1, "--policy", "hardware-only")
    assert tdx.code == 0
    assert "authentic, warning under hardware-only" in tdx.out
    quote = verify("azure/trustee_tdx_td_quote.bin", E1, *AT_E1, "--policy", "azure-cvm")
    assert quote.code == 5
    assert "policy.azure" in quote.err


def test_reference_values(tmp_path: Path) -> None:
    quoted = json.loads(vectors.read(SNP_EVIDENCE))["tpm_quote"]["pcrs"]
    policy = tmp_path / "policy.toml"
    outcomes = []
    for value in (quoted[4], "00" * 32):
        policy.write_text(
            f'schema = 1\naccept = ["amd-sev-snp"]\n[azure.pcrs]\n4 = ["{value}"]\n'
            f'7 = ["{"11" * 32}", "{quoted[7]}"]\n'
        )
        outcomes.append(verify(SNP_EVIDENCE, (SNP_CHAIN,), *AT, "--policy", policy))
    assert [outcome.code for outcome in outcomes] == [0, 5]
    assert f"policy.pcrs: PCR 4 {quoted[4]}" in outcomes[1].err
    assert "PCR 7" not in outcomes[1].err


def test_a_boot_log() -> None:
    outcome = verify(TD_QUOTE, E1, *AT_E1, "--boot-log", vectors.path(CCEL), "--json")

    assert outcome.code == 0
    assert undone(outcome) == {"evidence.binding"}
    (claims,) = json.loads(outcome.out)["claims"]["evidence"]
    assert claims["boot_log"]["registers"] == ["RTMR0", "RTMR1", "RTMR2"]
    first = claims["boot_log"]["events"][2]
    assert (first["register"], first["type"]) == ("RTMR0", "EV_EFI_VARIABLE_DRIVER_CONFIG")
    assert first["description"] == "SecureBoot (8be4df61-93ca-11d2-aa0d-00e098032b8c) = 00"


def test_a_boot_log_of_something_else_is_4(tmp_path: Path) -> None:
    changed = bytearray(vectors.read(CCEL))
    changed[0x60] ^= 1
    other = tmp_path / "log"
    other.write_bytes(changed)
    outcome = verify(TD_QUOTE, E1, *AT_E1, "--boot-log", other)
    assert outcome.code == 4
    assert "boot-log.replay: the log leads RTMR0 to" in outcome.err
    table = vectors.path("tdx/gotdx_cos113_ccel_table.dat")
    outcome = verify(TD_QUOTE, E1, *AT_E1, "--boot-log", table)
    assert (outcome.code, "the ACPI table CCEL" in outcome.err) == (4, True)


def test_a_boot_log_without_registers_is_2(tmp_path: Path) -> None:
    other = tmp_path / "log"
    other.write_bytes(log(PC))
    report = verify("snp/ms_report_v3_milan.bin", (), "--boot-log", other)
    assert (report.code, "--boot-log is for" in report.err) == (2, True)


def test_a_log_that_came_along(tmp_path: Path) -> None:
    written = {
        "quote": base64.b64encode(vectors.read(TD_QUOTE)).decode(),
        "cc_eventlog": base64.b64encode(vectors.read(CCEL)).decode(),
    }
    file = tmp_path / "evidence.json"
    file.write_text(json.dumps(written))
    endorsed = [part for name in E1 for part in ("--endorsements", str(vectors.path(name)))]
    outcome = run("verify", file, *endorsed, *AT_E1, "--json")
    assert outcome.code == 0
    assert json.loads(outcome.out)["claims"]["evidence"][0]["boot_log"]["uncovered"] == []


def test_inspect(tmp_path: Path) -> None:
    outcome = run("inspect", vectors.path(TDX_EVIDENCE), "--json")
    assert outcome.code == 0
    members = json.loads(outcome.out)
    assert (members["kind"], members["hardware"]) == ("azure-tdx", "tdx")
    assert members["tpm_quote"]["extra_data"] == b"challenge".hex()
    bare = tmp_path / "report"
    bare.write_bytes(SNP.report())
    outcome = run("inspect", bare)
    assert outcome.code == 0
    assert "azure-snp" in outcome.out


def test_names_in_evidence_cannot_pose_as_our_words() -> None:
    stated: dict[str, Json] = {
        "secure-boot": "yes",
        f"x{' ' * 90}result   authentic": 1,
        "flags": {"tpm-enabled, secure-boot": True, "a\nb": 1},
        "\u3164" * 90: "z",
    }
    shown = list(tree(stated, ""))
    assert [line.split() for line in shown[:3]] == [
        ["secure-boot", '"yes"'],
        ['"x', "result", 'authentic"', "1"],
        ["flags", '"tpm-enabled,', 'secure-boot",', '"a\\nb"', "1"],
    ]
    assert all(line.isascii() for line in shown)


@pytest.mark.parametrize("name", ["hcl_report", "tpm_quote"])
def test_a_document_that_says_a_part_twice_is_4(tmp_path: Path, name: str) -> None:
    path = tmp_path / "twice.json"
    path.write_text(json.dumps(legacy() | {name: document()[name]}))
    outcome = run("verify", path, *AT)
    assert outcome.code == 4
    assert f'beside report and quote it has ["{name}"]' in outcome.err
