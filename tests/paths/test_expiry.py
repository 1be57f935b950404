"""Tokens that expire while the guest has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.emulation.namespace import Namespace
from tests.paths.acts import TRUTH
from tests.paths.hosts import Host, RelyingParty

TARGETS = {"maa": "vm", "ita": "vm", "nras": "gpu:0", "trustee": "vm"}


@pytest.mark.parametrize("abi", ["component", pytest.param("core", marks=pytest.mark.slow)])
@pytest.mark.parametrize("service", TARGETS)
def test_expiry(tdx: Namespace, service: str, abi: str, tmp_path: Path) -> None:
    """It is good, then it is not; and the host gives it to nobody again."""
    host = Host(tdx, service, abi, tmp_path)
    kept, fresh = f"kept:{TARGETS[service]}", f"fresh:{TARGETS[service]}"
    words = [kept, "old:0", fresh, "old:0", "read:0", "old:1", kept]
    short, good, late, over, read, other, again = host.run(words, ["short", "late", TRUTH])
    assert (short.case, short.also, good.case) == ("ok", "true", "yes")
    assert (late.case, late.also, other.case) == ("ok", "true", "yes")
    assert (over.case, read.case) == ("no", "rejected")
    assert "token.time: expired" in read.text
    assert (again.case, again.also) == ("ok", "true")
    assert again.text not in (short.text, late.text)
    relying = RelyingParty(host, host.answers[-1].keys)
    assert [relying.verify(line.text)[0] for line in (short, late, again)] == [4, 0, 0]
