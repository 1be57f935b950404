"""A host that is started again: what is on its disk is verified with keys of now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.emulation.namespace import Namespace
from tests.paths.acts import TRUTH
from tests.paths.guests import ABIS
from tests.paths.hosts import TDX, Host

TARGETS = {"maa": "vm", "ita": "vm", "nras": "gpu:0", "trustee": "vm"}


@pytest.fixture(scope="module")
def machine() -> Iterator[Namespace]:
    with TDX.start() as started:
        yield started


@pytest.mark.parametrize("abi", ABIS)
@pytest.mark.parametrize("service", TARGETS)
def test_restart(machine: Namespace, service: str, abi: str, tmp_path: Path) -> None:
    host = Host(machine, service, abi, tmp_path)
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
