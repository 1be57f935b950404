"""From evidence to a bundle and on to `verify --offline`, against miniature vendors."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from wasmtime_attestation.endorsements.x509 import pem

from tests.cli.tool import Outcome, run
from tests.emulation.vendors import Vendors
from tests.emulation.web import WebRequest, answer
from tests.fakes import amd, azure, intel, maa, nvidia, nvidia_rim
from tests.fakes.amd import AT, MILAN, MILAN_V2, TURIN, VLEK, Machine
from tests.fakes.token import Forger
from tests.verifier.test_azure_token import token as token_of

DER = Encoding.DER
AT_OPTIONS = ("--at", AT.isoformat())
GPU_PATHS = (nvidia.HOPPER.chain()[1:], nvidia_rim.DRIVER.path(), nvidia_rim.VBIOS.path())
Start = Callable[..., Vendors]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    return home / "wasmtime-attestation"


@pytest.fixture
def start(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    del cache

    def make(**options: object) -> Vendors:
        vendors = Vendors(tmp_path, **options)  # type: ignore[arg-type]
        for name, value in vendors.environment().items():
            monkeypatch.setenv(name, value)
        return vendors

    return make


def evidence_file(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "evidence"
    path.write_bytes(data)
    return path


def root_of(tmp_path: Path, *certificates: object) -> Path:
    path = tmp_path / "root.pem"
    path.write_bytes(b"".join(map(pem, certificates)))  # type: ignore[arg-type]
    return path


def amd_root(tmp_path: Path, machine: Machine) -> Path:
    return root_of(tmp_path, machine.amd.ark.certificate)


def fetch(source: Path, bundle: Path, *options: str | Path) -> Outcome:
    return run("endorsements", "fetch", source, "-o", bundle, *AT_OPTIONS, *options)


def verify(source: Path, *options: str | Path) -> Outcome:
    return run("verify", source, *AT_OPTIONS, *options)


def checks(outcome: Outcome) -> dict[str, str]:
    return {check["id"]: check["outcome"] for check in json.loads(outcome.out)["checks"]}


@pytest.mark.parametrize("machine", [MILAN, amd.GENOA, amd.BERGAMO, TURIN, MILAN_V2])
def test_a_snp_report(machine: Machine, tmp_path: Path, start: Start) -> None:
    source = evidence_file(tmp_path, machine.report())
    bundle, root = tmp_path / "bundle", amd_root(tmp_path, machine)

    with start(machines=(machine,)) as vendors:
        outcome = fetch(source, bundle)
        targets = list(vendors.targets)

    assert outcome.code == 0, outcome.err
    assert len(targets) == 3
    assert sorted(map(Path, outcome.out.split())) == sorted(bundle.iterdir())
    done = verify(source, "--offline", "--endorsements", bundle, "--trust", root, "--json")
    assert done.code == 0
    assert checks(done)["amd.revocation"] == "passed"


def test_verify_fetches_by_itself_and_keeps_it(tmp_path: Path, start: Start, cache: Path) -> None:
    source, root = evidence_file(tmp_path, MILAN.report()), amd_root(tmp_path, MILAN)
    with start() as vendors:
        first = verify(source, "--trust", root)
        asked = len(vendors.targets)
        again = verify(source, "--trust", root)
    offline = verify(source, "--trust", root, "--offline")

    assert (first.code, again.code, offline.code) == (0, 0, 0)
    assert asked == len(vendors.targets) == 3
    assert len(list(cache.iterdir())) == 3
    assert cache.stat().st_mode & 0o777 == 0o700


def test_offline_without_anything(tmp_path: Path, start: Start) -> None:
    source = evidence_file(tmp_path, MILAN.report())
    with start() as vendors:
        outcome = verify(source, "--trust", amd_root(tmp_path, MILAN), "--offline")
    assert vendors.targets == []
    assert outcome.code == 6
    assert "snp.signer" in outcome.err
    assert "the VCEK of Milan" in outcome.err
    assert "nothing is fetched offline" in outcome.err


def test_a_vlek_is_the_providers(tmp_path: Path, start: Start) -> None:
    source, bundle = evidence_file(tmp_path, VLEK.report()), tmp_path / "bundle"
    with start():
        outcome = fetch(source, bundle)
    assert outcome.code == 6
    assert "missing: the VLEK that signed the report: AMD gives it to the cloud" in outcome.err
    assert {path.name for path in bundle.iterdir()} == {
        "amd-vlek-milan-cert-chain.pem",
        "amd-vlek-milan.crl",
    }
    vlek = tmp_path / "vlek.pem"
    vlek.write_bytes(pem(VLEK.chain()[0]))
    root = amd_root(tmp_path, VLEK)
    given = ("--endorsements", bundle, "--endorsements", vlek, "--trust", root)
    assert verify(source, "--offline", *given).code == 0


@pytest.mark.parametrize("is_cache", [False, True], ids=["PCS", "PCCS"])
@pytest.mark.parametrize("version", [4, 5])
def test_a_tdx_quote(version: int, is_cache: bool, tmp_path: Path, start: Start) -> None:
    platform = intel.PLATFORM if version == 4 else intel.PLATFORM_15
    source, bundle = evidence_file(tmp_path, platform.quote()), tmp_path / "bundle"
    with start(platform=platform, is_cache=is_cache):
        outcome = fetch(source, bundle)
    if is_cache:
        assert outcome.code == 0, outcome.err
    else:
        # Intel's own service has the root's list elsewhere, so this address has none.
        assert outcome.code == 6
        (bundle / "root.crl").write_bytes(
            intel.crl("Intel SGX Root CA", platform.key("Intel SGX Root CA")).public_bytes(DER)
        )
    options = ("--offline", "--endorsements", bundle, "--trust", root_of(tmp_path, platform.root))
    done = verify(source, *options, "--json")
    assert done.code == 0
    assert {"passed"} == {
        result for id_, result in checks(done).items() if id_.startswith(("intel.", "tdx."))
    }


def test_a_quote_that_only_names_its_pck(tmp_path: Path, start: Start) -> None:
    platform = intel.Platform(certification=3)
    source, bundle = evidence_file(tmp_path, platform.quote()), tmp_path / "bundle"
    with start(platform=platform) as vendors:
        outcome = fetch(source, bundle)
    assert outcome.code == 0, outcome.err
    # PCS API version 4, "Get PCK Certificate": hex of 384, 16, 2 and 2 bytes; PCCS adds qeid.
    assert vendors.targets[0] == (
        f"/sgx/certification/v4/pckcert?encrypted_ppid={'00' * 384}&cpusvn={'05' * 8}{'00' * 8}"
        f"&pcesvn=0B00&pceid=0000&qeid={'00' * 16}"
    )
    root = root_of(tmp_path, platform.root)
    assert verify(source, "--offline", "--endorsements", bundle, "--trust", root).code == 0


@pytest.mark.parametrize("certification", [1, 2])
def test_a_ppid_that_intel_does_not_take(certification: int, tmp_path: Path, start: Start) -> None:
    source = evidence_file(tmp_path, intel.Platform(certification=certification).quote())
    with start() as vendors:
        outcome = fetch(source, tmp_path / "bundle")
    assert vendors.targets == []
    assert outcome.code == 6
    assert "not in the quote" in outcome.err


def gpu_evidence(tmp_path: Path, device: nvidia.Device) -> Path:
    """Returns evidence as NVIDIA's tools have it: the report and the device's chain."""
    item = {
        "arch": "HOPPER",
        "nonce": nvidia.NONCE.hex(),
        "evidence": base64.b64encode(device.report()).decode(),
        "certificate": base64.b64encode(b"".join(map(pem, device.chain()))).decode(),
    }
    return evidence_file(tmp_path, json.dumps([item]).encode())


def gpu_root(tmp_path: Path) -> Path:
    return root_of(tmp_path, nvidia.HOPPER.chain()[-1], nvidia_rim.DRIVER.path()[-1])


def test_a_gpu(tmp_path: Path, start: Start) -> None:
    source, bundle = gpu_evidence(tmp_path, nvidia.HOPPER), tmp_path / "bundle"
    with start(paths=GPU_PATHS) as vendors:
        outcome = fetch(source, bundle)
    assert outcome.code == 0, outcome.err
    assert vendors.targets[:2] == [
        "/v1/rim/NV_GPU_DRIVER_GH100_550.90.07",
        "/v1/rim/NV_GPU_VBIOS_1010_0200_882_96009F0001",
    ]
    # Three above the device's own certificate, and three of the manifests' signer, once each.
    assert len(vendors.targets) == 2 + 3 + 3
    options = ("--offline", "--endorsements", bundle, "--trust", gpu_root(tmp_path))
    done = verify(source, *options, "--nonce", nvidia.NONCE.hex(), "--json")
    assert done.code == 0
    assert set(checks(done).values()) == {"passed"}


def test_the_bundle_is_shown(tmp_path: Path, start: Start) -> None:
    source, bundle = gpu_evidence(tmp_path, nvidia.HOPPER), tmp_path / "bundle"
    with start(paths=GPU_PATHS):
        fetch(source, bundle)
        fetch(evidence_file(tmp_path, intel.PLATFORM.quote()), bundle)
        fetch(evidence_file(tmp_path, MILAN.report()), bundle)
    shown = run("endorsements", "show", bundle, *AT_OPTIONS)
    assert shown.code == 0
    for part in (
        "manifest (RIM): NV_GPU_DRIVER_GH100_550.90.07, by NVIDIA",
        "for TDX quotes of FMSPC b0c06f000000",
        f"SEV-SNP reports of Milan chip {MILAN.chip_id.hex()}",
        "OCSP response: certificate",
        "2026-02-19T00:00:00+00:00 to 2026-03-21T00:00:00+00:00",
    ):
        assert part in shown.out
    assert "EXPIRED" not in shown.out
    assert "EXPIRED" in run("endorsements", "show", bundle, "--at", "2028-01-01T00:00:00Z").out
    members = json.loads(run("endorsements", "show", bundle, "--json").out)["endorsements"]
    assert {"certificate", "revocation list", "tcbInfo", "OCSP response"} <= {
        member["kind"] for member in members
    }


def test_the_keys_of_a_configured_issuer(tmp_path: Path, start: Start) -> None:
    with start() as vendors:
        vendors.key_sets = {"/certs": maa.keys()}
        claims = maa.times() | maa.snp() | {"iss": vendors.url}
        source = evidence_file(tmp_path, maa.sign(claims).encode())
        issuer = tmp_path / "azure.toml"
        issuer.write_text(f'kind = "maa"\niss = ["{vendors.url}"]\n')
        online = verify(source, "--issuer", issuer, "--json")
        outcome = fetch(source, tmp_path / "bundle", "--issuer", issuer)
    assert outcome.code == 0, outcome.err
    assert vendors.targets == ["/certs"]
    offline = verify(source, "--issuer", issuer, "--endorsements", tmp_path / "bundle", "--json")
    assert checks(online)["token.key"] == checks(offline)["token.key"] == "passed"


def test_a_token_does_not_say_where_its_keys_are(tmp_path: Path, start: Start) -> None:
    with start() as vendors:
        vendors.key_sets = {"/certs": maa.keys()}
        claims = maa.times() | maa.snp() | {"iss": vendors.url}
        outcome = verify(evidence_file(tmp_path, maa.sign(claims).encode()))
    assert outcome.code == 4
    assert vendors.targets == []


def test_what_a_cache_serves_speaks_for_no_issuer(tmp_path: Path, start: Start) -> None:
    """Keys alone prove nothing themselves: where they were not asked for, nobody takes them."""

    def override(request: WebRequest) -> bytes | None:
        if not request.target.startswith("/tdx/certification/v4/qe/identity"):
            return None
        signer = intel.PLATFORM.key("Intel SGX TCB Signing")
        identity = intel.signed("enclaveIdentity", intel.QE_IDENTITY, signer)
        return answer("200 OK", identity, SGX_Enclave_Identity_Issuer_Chain=quote(maa.keys()))

    bundle, issuer = tmp_path / "bundle", tmp_path / "azure.toml"
    with start(override=override):
        outcome = fetch(evidence_file(tmp_path, intel.PLATFORM.quote()), bundle)
    assert outcome.code == 6
    assert "missing: the TD QE identity" in outcome.err
    name = "https://example.weu.attest.azure.net"
    issuer.write_text(f'kind = "maa"\niss = ["{name}"]\n')
    token = maa.sign(maa.times() | maa.snp() | {"iss": name})
    options = ("--offline", "--issuer", issuer, "--endorsements", bundle, "--json")
    done = verify(evidence_file(tmp_path, token.encode()), *options)
    assert done.code == 6
    assert checks(done)["token.key"] != "passed"


def test_a_simulation_is_nobodys_business(
    tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AMD's own service knows nothing of a simulated root, so it is not asked."""
    token, root = evidence_file(tmp_path, Forger().token().encode()), amd_root(tmp_path, MILAN)
    with start() as vendors:
        monkeypatch.delenv("WASMTIME_ATTESTATION_AMD_KDS_URL")
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
        outcome = verify(token, "--trust", root)
        fetched = fetch(token, tmp_path / "bundle")
    assert (outcome.code, fetched.code) == (0, 0)
    assert "nothing is missing" in fetched.err
    assert vendors.targets == []


@pytest.mark.parametrize("vm", [azure.SNP, azure.TDX], ids=["SNP", "TDX"])
def test_an_azure_vm(vm: azure.ConfidentialVm, tmp_path: Path, start: Start) -> None:
    source, bundle = evidence_file(tmp_path, token_of(vm).encode()), tmp_path / "bundle"
    platform = vm.hardware if isinstance(vm.hardware, intel.Platform) else intel.PLATFORM
    with start(platform=platform):
        outcome = fetch(source, bundle)
    assert outcome.code == 0, outcome.err
    root = amd_root(tmp_path, vm.hardware) if isinstance(vm.hardware, Machine) else None
    root = root or root_of(tmp_path, platform.root)
    assert verify(source, "--offline", "--endorsements", bundle, "--trust", root).code == 0


def test_a_switch_has_no_driver(tmp_path: Path, start: Start) -> None:
    source = gpu_evidence(tmp_path, nvidia.SWITCH)
    with start() as vendors:
        outcome = fetch(source, tmp_path / "bundle")
    rims = [target for target in vendors.targets if target.startswith("/v1/rim/")]
    assert rims == ["/v1/rim/NV_SWITCH_BIOS_5612_0002_890_9610550001"]
    # The responder knows none of these certificates, and says so ("unauthorized").
    assert outcome.code == 6
    assert "it is not an OCSP response about" in outcome.err


def test_what_cannot_be_decoded_asks_for_nothing(tmp_path: Path, start: Start) -> None:
    cut = evidence_file(tmp_path, MILAN.report()[:-1])
    with start() as vendors:
        outcome, verified = fetch(cut, tmp_path / "bundle"), verify(cut)
        assert fetch(evidence_file(tmp_path, b"nothing"), tmp_path / "bundle").code == 4
    assert (outcome.code, verified.code) == (6, 4)
    assert "what evidence [0] needs: it cannot be decoded: snp.format" in outcome.err
    assert vendors.targets == []


@pytest.mark.parametrize(
    "fields", [{"chip_id": bytes(64)}, {"key_information": 2}, {"key_information": 7 << 2}]
)
def test_a_masked_chip_is_not_asked_for(
    fields: dict[str, bytes | int], tmp_path: Path, start: Start
) -> None:
    source = evidence_file(tmp_path, MILAN.report(**fields))
    with start() as vendors:
        fetch(source, tmp_path / "bundle")
    assert vendors.targets == []


def test_what_is_given_is_not_fetched(tmp_path: Path, start: Start) -> None:
    source, bundle = evidence_file(tmp_path, intel.PLATFORM.quote()), tmp_path / "bundle"
    with start() as vendors:
        fetch(source, bundle)
        asked = len(vendors.targets)
        again = fetch(source, tmp_path / "other", "--endorsements", bundle)
        (bundle / "intel-pck-platform.crl").unlink()
        partly = fetch(source, tmp_path / "other", "--endorsements", bundle)
    assert asked == len(vendors.targets) == 4
    assert again.out == ""
    assert "nothing is missing" in again.err
    assert partly.out.split() == [
        str(tmp_path / "other" / "intel-pck-platform.crl"),
        str(tmp_path / "other" / "intel-pck-platform-issuer-chain.pem"),
    ]


def test_a_bundle_that_cannot_be_written(tmp_path: Path, start: Start) -> None:
    source = evidence_file(tmp_path, MILAN.report())
    (tmp_path / "file").write_bytes(b"")
    with start():
        outcome = fetch(source, tmp_path / "file" / "bundle")
    assert outcome.code == 2
    assert "cannot be written" in outcome.err
