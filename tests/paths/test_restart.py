"""A host that is started again: what is on its disk is verified with keys of now."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.emulation.namespace import Namespace
from tests.paths.acts import TRUTH
from tests.paths.hosts import Host

TARGETS = {"maa": "vm", "ita": "vm", "nras": "gpu:0", "trustee": "vm"}


@pytest.mark.parametrize("abi", ["component", pytest.param("core", marks=pytest.mark.slow)])
@pytest.mark.parametrize("service", TARGETS)
def test_restart(tdx: Namespace, service: str, abi: str, tmp_path: Path) -> None:
    host = Host(tdx, service, abi, tmp_path)
    kept, fresh = f"kept:{TARGETS[service]}", f"fresh:{TARGETS[service]}"
    before = len(host.answers)
    (first,) = host.run([kept])
    unknown, again, known = host.run([f"token:{first.text}", kept, f"token:{first.text}"])
    # Nobody asks for keys because a guest shows a token, but because the host has one on its disk.
    assert (unknown.case, known.case) == ("no", "yes")
    assert (again.text, again.also) == (first.text, "true")
    assert len(host.answers) - before == 1
    # The service has another key now: what it signed with the former counts no more.
    host.run([fresh], ["rotated"])
    (renewed,) = host.run([kept], [TRUTH])
    assert renewed.text != first.text
    assert (renewed.case, renewed.also) == ("ok", "true")
