"""`policy learn`: the policy accepts what it was learnt from, and nothing else."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from wasmtime_attestation.endorsements.x509 import der, pem
from wasmtime_attestation.evidence.snp_fields import TcbVersion

from tests import vectors
from tests.cli.tool import Outcome, run
from tests.fakes import certificates, nvidia
from tests.fakes.amd import MILAN, TURIN, Machine
from tests.fakes.token import Forger
from tests.verifier.test_nvidia_real import CHAIN, DRIVER, VBIOS
from tests.verifier.test_token_pieces import FORGER, MACHINE, device

AT = ("--at", "2026-03-01T00:00:10Z")
QUOTE, COLLATERAL = "tdx/dcapqvl_tdx_quote_v4.bin", "tdx/dcapqvl_tdx_quote_v4.collateral.json"
QUOTE_AT = ("--at", "2025-07-04T10:16:31Z")
MIGRATION, DEBUG, SMT, ALWAYS_ONE = 1 << 18, 1 << 19, 1 << 16, 1 << 17


class Bench:
    """A folder with evidence of miniature machines, and the options that make it authentic."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.options: list[str | Path] = [*AT]
        self.policy = folder / "learnt.toml"

    def machine(self, machine: Machine, *, revocation: bool = False) -> None:
        """Gives the machine's certificates, and trusts its root."""
        amd = machine.amd
        name = f"{len(self.options)}"
        root, chain = self.folder / f"{name}-root.pem", self.folder / f"{name}-chain.pem"
        root.write_bytes(pem(amd.ark.certificate))
        chain.write_bytes(b"".join(map(pem, machine.chain())))
        self.options += ["--trust", root, "--endorsements", chain]
        if revocation:
            crl = self.folder / f"{name}.crl"
            crl.write_bytes(der(certificates.crl(amd.ark.certificate, amd.ark.key)))
            self.options += ["--endorsements", crl]

    def write(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(data)
        return path

    def learn(self, *evidence: Path) -> Outcome:
        return run("policy", "learn", *evidence, *self.options, "-o", self.policy)

    def learnt(self) -> dict[str, Any]:
        return tomllib.loads(self.policy.read_text())

    def verify(self, evidence: Path) -> Outcome:
        return run("verify", evidence, *self.options, "--policy", self.policy)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def milan(bench: Bench) -> Bench:
    bench.machine(MILAN, revocation=True)
    return bench


def test_a_report(milan: Bench) -> None:
    good = milan.write("good", MILAN.report(measurement=b"\1" * 48))
    outcome = milan.learn(good)

    assert outcome.code == 0
    assert milan.verify(good).code == 0
    assert milan.learnt() == {
        "schema": 1,
        "extends": "strict",
        "accept": ["simulated"],
        "snp": {
            "measurements": ["01" * 48],
            "host-data": [MILAN.report()[0xC0:0xE0].hex()],
            "minimum-guest-svn": int.from_bytes(MILAN.report()[4:8], "little"),
            "minimum-tcb": {
                "Milan": {"boot-loader": 4, "tee": 0, "snp": 24, "microcode": 219},
            },
        },
    }


@pytest.mark.parametrize(
    ("fields", "check"),
    [
        ({"measurement": b"\2" * 48}, "policy.measurement"),
        ({"host_data": b"\2" * 32}, "policy.host-data"),
        ({"vmpl": 1}, "policy.vmpl"),
        ({"policy": ALWAYS_ONE | MIGRATION}, "policy.migration-agent"),
        ({"policy": ALWAYS_ONE | SMT}, "policy.smt"),
        ({"policy": ALWAYS_ONE | DEBUG}, "policy.debug"),
    ],
)
def test_nothing_else_is_accepted(milan: Bench, fields: dict[str, Any], check: str) -> None:
    good: dict[str, Any] = {"measurement": b"\1" * 48, "policy": ALWAYS_ONE}
    assert milan.learn(milan.write("good", MILAN.report(**good))).code == 0

    outcome = milan.verify(milan.write("other", MILAN.report(**(good | fields))))

    assert outcome.code == 5
    assert check in outcome.err


def test_the_lowest_tcb_of_each_line_counts(milan: Bench) -> None:
    older = replace(MILAN, tcb=TcbVersion(4, 0, 23, 220))
    oldest = replace(MILAN, tcb=TcbVersion(4, 0, 22, 219))
    for machine in (older, oldest, TURIN):
        milan.machine(machine, revocation=machine is TURIN)
    files = [
        milan.write(str(n), machine.report())
        for n, machine in enumerate((MILAN, older, TURIN, oldest))
    ]
    assert milan.learn(*files[:3]).code == 0

    assert milan.learnt()["snp"]["minimum-tcb"] == {
        "Milan": {"boot-loader": 4, "tee": 0, "snp": 23, "microcode": 219},
        "Turin": {"fmc": 1, "boot-loader": 1, "tee": 1, "snp": 4, "microcode": 81},
    }
    assert [milan.verify(file).code for file in files] == [0, 0, 0, 5]


def test_what_weakens_the_policy_is_named_for_review(bench: Bench) -> None:
    bench.machine(MILAN)
    weak = bench.write("weak", MILAN.report(policy=ALWAYS_ONE | MIGRATION, vmpl=1))
    outcome = bench.learn(weak)

    assert outcome.code == 0
    assert bench.verify(weak).code == 0
    reviews = [line for line in outcome.err.splitlines() if line.startswith("REVIEW: ")]
    assert [line.split()[1] for line in reviews] == [
        "accept:",
        "snp.vmpl:",
        "snp.allow-migration-agent:",
        "snp.require-revocation-check:",
    ]
    assert bench.policy.read_text().count("# REVIEW: ") == len(reviews)


def test_nothing_is_learnt_from_a_machine_that_can_be_debugged(milan: Bench) -> None:
    good = milan.write("good", MILAN.report())
    debug = milan.write("debug", MILAN.report(policy=ALWAYS_ONE | DEBUG))
    outcome = milan.learn(good, debug)

    assert outcome.code == 5
    assert f"policy.debug: {debug}: " in outcome.err
    assert not milan.policy.exists()


def test_nothing_is_learnt_from_what_is_not_authentic(milan: Bench) -> None:
    good, report = milan.write("good", MILAN.report()), bytearray(MILAN.report())
    report[0x90] ^= 1
    outcome = milan.learn(good, milan.write("forged", bytes(report)))

    assert outcome.code == 4
    assert "snp.signature" in outcome.err
    assert not milan.policy.exists()


def test_nothing_is_learnt_without_endorsements(bench: Bench) -> None:
    assert bench.learn(bench.write("report", MILAN.report())).code == 6
    assert not bench.policy.exists()


def test_a_policy_that_is_there_is_left_alone(milan: Bench) -> None:
    milan.policy.write_text("reviewed")
    outcome = milan.learn(milan.write("good", MILAN.report()))

    assert outcome.code == 2
    assert "never overwritten" in outcome.err
    assert milan.policy.read_text() == "reviewed"


def test_a_token_names_its_guest(milan: Bench) -> None:
    host = Forger()
    token = milan.write("token", host.sign(host.payload(guest_digest=b"\6" * 32)).encode())
    other = milan.write("other", host.sign(host.payload(guest_digest=b"\7" * 32)).encode())
    assert milan.learn(token).code == 0

    assert milan.learnt()["guest-digests"] == ["06" * 32]
    assert milan.verify(token).code == 0
    outcome = milan.verify(other)
    assert outcome.code == 5
    assert "policy.guest-digest" in outcome.err


def test_a_quote_of_a_real_machine(bench: Bench) -> None:
    bench.options = ["--endorsements", vectors.path(COLLATERAL), *QUOTE_AT]
    quote = vectors.path(QUOTE)
    outcome = bench.learn(quote)

    assert outcome.code == 0
    assert "REVIEW: " not in outcome.err
    learnt = bench.learnt()
    body = vectors.read(QUOTE)[48:]
    assert learnt["accept"] == ["intel-tdx"]
    assert learnt["tdx"]["mrtd"] == [body[136:184].hex()]
    assert learnt["tdx"]["rtmr2"] == [body[424:472].hex()]
    assert learnt["tdx"]["xfam"] == [body[128:136].hex()]
    assert learnt["tdx"]["minimum-tcb-evaluation"] == 17
    assert "tcb-statuses" not in learnt["tdx"]
    assert "result   authentic, affirming under learnt" in bench.verify(quote).out


def test_a_real_platform_that_is_out_of_date_is_for_review(bench: Bench) -> None:
    endorsed = (
        "tdx/automata_solana_tcb_info_tdx.json",
        "tdx/automata_solana_qe_identity.json",
        "tdx/automata_solana_pck_platform_crl.der",
        "tdx/automata_solana_root_ca_crl.der",
        "tdx/ars_tcb_signing_chain.pem",
    )
    bench.options = ["--at", "2025-07-22T09:13:34Z"]
    for name in endorsed:
        bench.options += ["--endorsements", vectors.path(name)]
    quote = vectors.path("azure/trustee_tdx_td_quote.bin")
    outcome = bench.learn(quote)

    assert outcome.code == 0
    assert "REVIEW: tdx.tcb-statuses: platforms were OutOfDate, open to INTEL-SA-" in outcome.err
    assert "REVIEW: tdx.require-sept-ve-disable: " in outcome.err
    assert bench.learnt()["tdx"]["tcb-statuses"] == ["OutOfDate", "UpToDate"]
    assert bench.verify(quote).code == 0


def test_names_of_files_stay_within_comments(milan: Bench) -> None:
    path = milan.write("a\nunsafe = true\n", MILAN.report())
    assert milan.learn(path).code == 0

    assert "unsafe" not in milan.learnt()


def test_usage() -> None:
    assert run("policy", "learn").code == 2
    assert run("policy", "learn", "-").code == 2


def test_evidence_that_names_no_guest_opens_the_policy_to_any(milan: Bench) -> None:
    host = Forger()
    token = milan.write("token", host.sign(host.payload(guest_digest=b"\6" * 32)).encode())
    outcome = milan.learn(token, milan.write("report", MILAN.report()))

    assert outcome.code == 0
    assert "REVIEW: guest-digests: some evidence names no guest" in outcome.err
    assert milan.policy.read_text().count("# REVIEW: ") == outcome.err.count("REVIEW: ")


def test_a_real_gpu(bench: Bench) -> None:
    bench.options = ["--at", "2025-08-21T12:00:00Z"]
    for name in (CHAIN, DRIVER, VBIOS):
        bench.options += ["--endorsements", vectors.path(name)]
    report = vectors.path("nvidia/gonvattest_test_raw_gpu_attestation_report.dat")
    outcome = bench.learn(report)

    assert outcome.code == 0
    assert "REVIEW: gpu.require-revocation-check: " in outcome.err
    assert "REVIEW: gpu.modes: a driver does not report" in outcome.err
    assert bench.learnt() == {
        "schema": 1,
        "extends": "gpu",
        "accept": ["nvidia-gpu"],
        "gpu": {
            "architectures": ["HOPPER"],
            "driver-versions": ["550.90.07"],
            "vbios-versions": ["96.00.9F.00.01"],
            "require-revocation-check": False,
        },
    }
    assert "affirming under learnt" in bench.verify(report).out


def test_a_machine_and_its_gpus(milan: Bench) -> None:
    for name in (nvidia.DEVICE_ROOT, nvidia.RIM_ROOT):
        root = milan.write(f"{name}.pem", pem(nvidia.chain_of("NVIDIA", [name, name])[1]))
        milan.options += ["--trust", root]
    pieces = [MACHINE, device(nvidia.HOPPER), device(nvidia.BLACKWELL)]
    token = FORGER.sign(FORGER.payload() | {"evidence": pieces})
    path = milan.write("token", token.encode())
    outcome = milan.learn(path)

    assert outcome.code == 0, outcome.err
    learnt = milan.learnt()
    assert learnt["extends"] == "strict"
    assert learnt["accept"] == ["simulated"]
    assert learnt["gpu"]["driver-versions"] == ["550.90.07", "620.12"]
    assert learnt["snp"]["measurements"] == [MILAN.report()[0x90:0xC0].hex()]
    assert "# expected-count = 2" in milan.policy.read_text()
    verified = milan.verify(path)
    assert "SIMULATED, authentic, warning under learnt" in verified.out, verified.out
    alone = FORGER.sign(FORGER.payload() | {"evidence": pieces[1:]})
    refused = milan.verify(milan.write("alone", alone.encode()))
    assert refused.code == 5
    assert "policy.reference-values" in refused.err
