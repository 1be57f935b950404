"""Of several appraisals the worst counts, and nothing that was found is lost."""

from __future__ import annotations

import pytest
from wasmtime_attestation.appraisal.several import summary
from wasmtime_attestation.errors import Finding, PolicyError
from wasmtime_attestation.result import AttestationResult
from wasmtime_attestation.wit import Status

FINE = AttestationResult("p", Status.AFFIRMING, ())
WARNED = AttestationResult("p", Status.WARNING, (Finding("policy.debug", "debug"),))
REFUSED = PolicyError([Finding("policy.tcb", "old")])


def test_every_refusal_is_named_with_its_piece() -> None:
    with pytest.raises(PolicyError) as caught:
        summary([REFUSED, FINE, WARNED, REFUSED])
    assert [finding.detail for finding in caught.value.findings] == [
        "evidence [0]: old",
        "evidence [3]: old",
    ]


def test_one_piece_is_itself() -> None:
    assert summary([WARNED]) is WARNED
    with pytest.raises(PolicyError) as caught:
        summary([REFUSED])
    assert caught.value is REFUSED


def test_warnings_are_gathered() -> None:
    result = summary([FINE, WARNED, WARNED])
    assert result.status is Status.WARNING
    assert [finding.detail for finding in result.findings] == [
        "evidence [1]: debug",
        "evidence [2]: debug",
    ]
    assert summary([FINE, FINE]).status is Status.AFFIRMING
