"""A guest made by componentize-py from `wit/` itself: 18 MB, with all of CPython in it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from wasmtime_attestation.errors import DeniedError, Finding, RejectedError
from wasmtime_attestation.world.guest import Guest
from wasmtime_attestation.world.runtime import Directory, Runtime

from tests.world.scripted_world import TOKEN, ScriptedWorld

ROOT = Path(__file__).parents[2]
APP = """
import encodings.idna, json, os, socket, sys
from componentize_py_types import Err
from wit_world.exports import Run as RunInterface
from wit_world.imports import attestation, attester, verifier

def tried(call):
    try:
        return repr(call())
    except Err as error:
        return repr(error.value)
    except OSError as error:
        return type(error).__name__

class Run(RunInterface):
    def run(self):
        print(json.dumps({
            "argv": sys.argv,
            "environ": dict(os.environ),
            "root": tried(lambda: os.listdir("/")),
            "passwd": tried(lambda: open("/etc/passwd").read()),
            "network": tried(lambda: socket.create_connection(("127.0.0.1", 9), 1)),
            "name": tried(lambda: socket.getaddrinfo("localhost", 80)),
            "data": tried(lambda: sorted(os.listdir("/data"))),
            "write": tried(lambda: open("/data/new", "w")),
            "tee": tried(attestation.detect_tee),
            "vm": tried(attestation.attest_vm),
            "gpu": tried(lambda: attestation.attest_gpu(7)),
            "accepted": tried(lambda: attestation.verify_token("tökèn")),
            "clear": tried(attestation.clear_cache),
            "gpus": tried(attester.gpus),
            "fresh": tried(lambda: attester.attest(
                attester.Target_Gpu(3), attester.Challenge(b"12345678", None, "é"))),
            "verdict": tried(lambda: verifier.verify(
                "t", verifier.Expectations(b"n", None, 60, None))),
        }))
        sys.stdout.flush()
        if len(sys.argv) > 1:
            raise Err(None)
"""

WORLD = """
package test:guest@0.1.0;

world app {
  include wasmtime:attestation/imports@0.1.0;
  export wasi:cli/run@0.2.0;
}
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def guest(tmp_path_factory: pytest.TempPathFactory) -> Guest:
    folder = tmp_path_factory.mktemp("guest")
    (folder / "app.py").write_text(APP, encoding="utf-8")
    output = folder / "python.wasm"
    tool = Path(sys.executable).parent / "componentize-py"
    (folder / "wit").mkdir()
    (folder / "wit" / "world.wit").write_text(WORLD, encoding="utf-8")
    reporter = ROOT / "guests" / "python" / "reporter" / "wit"
    shutil.copytree(reporter / "deps", folder / "wit" / "deps")
    wit = [f"--wit-path={path}" for path in (ROOT / "wit", folder / "wit")]
    world = "--world=test:guest/app@0.1.0"
    app = ["componentize", f"--python-path={folder}", "app", f"--output={output}"]
    subprocess.run([tool, "--quiet", *wit, world, *app], check=True)
    return Guest.from_file(output)


def test_a_python_guest(guest: Guest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "of the host")
    (tmp_path / "file").touch()
    world = ScriptedWorld(
        accepted="tökèn",
        listed=DeniedError("no"),
        fresh=RejectedError([Finding("snp.chain", "broken")]),
    )
    runtime, dirs = Runtime(), [Directory(tmp_path, "/data")]
    outcome = runtime.run(guest, world, dirs=dirs, env=[("A", "1")])
    assert outcome.exit_code == 0
    said = json.loads(outcome.stdout)
    assert said["argv"] == ["python.wasm"]
    assert said["environ"] == {"A": "1"}
    assert said["data"] == "['file']"
    for closed in ("passwd", "network", "name", "write"):
        assert said[closed] in ("PermissionError", "FileNotFoundError", "OSError", "gaierror")
    assert not (tmp_path / "new").exists()
    assert "AMD_SEV_SNP" in said["tee"]
    assert "provider='configfs-tsm', gpu_count=1" in said["tee"]
    assert TOKEN in said["vm"]
    assert TOKEN in said["gpu"]
    assert said["accepted"] == "True"
    assert said["clear"] == "None"
    assert said["gpus"] == "Error_Denied(value='no')"
    assert said["fresh"] == "Error_Rejected(value=[Finding(check='snp.chain', detail='broken')])"
    assert "expires_at=301, guest_digest=b'\\xfa\\xfb\\xfc\\xfd\\xfe\\xff'" in said["verdict"]
    asked = [call[0] for call in world.calls]
    assert asked == [
        "detect_tee",
        "attest_vm",
        "attest_gpu",
        "verify_token",
        "clear_cache",
        "gpus",
        "attest",
        "verify",
    ]
    assert runtime.run(guest, world, args=["fail"]).exit_code == 1
