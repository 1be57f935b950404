"""What a component may import of the world, checked before it runs."""

from __future__ import annotations

import pytest
from wasmtime import Engine
from wasmtime.component import Component
from wasmtime_attestation.world.signatures import SignatureError, check_imports

from tests.world.components import IMPORTS, forwarder

ENGINE = Engine()


def check(text: str) -> None:
    check_imports(ENGINE, Component(ENGINE, text))


def importing(*functions: str, interface: str = "attestation@0.1.0") -> str:
    """Returns a component that imports functions and does nothing with them."""
    return (
        f'(component (import "wasmtime:attestation/{interface}" (instance {"".join(functions)})))'
    )


@pytest.mark.parametrize("version", ["0.1.0", "0.1.1", "0.1.99"])
def test_the_whole_world(version: str) -> None:
    check(forwarder(version))


def test_part_of_the_world() -> None:
    check(importing('(export "clear-cache" (func))'))
    check(importing(interface="types@0.1.7"))


def test_a_component_without_the_world() -> None:
    check("(component)")
    check('(component (import "other:attestation/verifier@9.0.0" (instance)))')


@pytest.mark.parametrize("version", ["0.2.0", "1.0.0", "0.1.0-rc.1", "0.0.9"])
def test_an_incompatible_version(version: str) -> None:
    name = f"wasmtime:attestation/attestation@{version} is of another version"
    with pytest.raises(SignatureError, match=f"{name} than this host's 0.1.0"):
        check(importing(interface=f"attestation@{version}"))


def test_no_version() -> None:
    with pytest.raises(SignatureError, match="attestation/types is of another version"):
        check(importing(interface="types"))


def test_an_unknown_interface() -> None:
    with pytest.raises(SignatureError, match=r"appraiser@0\.1\.1 is an interface that .* lacks"):
        check(importing(interface="appraiser@0.1.1"))


def test_an_unknown_function() -> None:
    with pytest.raises(SignatureError, match="has no function 'attest-fpga'"):
        check(importing('(export "attest-fpga" (func))'))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ('"none" "intel-tdx"', '"intel-tdx" "none"'),
        ('"simulated" "other"', '"simulated" "other" "more"'),
        ('"simulated" "other"', '"simulated"'),
        ('(field "gpu-count" u32)', '(field "gpu-count" u64)'),
        ('(field "timestamp" u64)', '(field "timestamp" u64) (field "extra" bool)'),
        ('(field "provider" string)', '(field "provider" (list u8))'),
        ('(field "evidence" (option string))', '(field "evidence" string)'),
        ('(case "internal" string)', '(case "internal")'),
        ('(case "denied" string)', '(case "denied" string) (case "throttled" string)'),
        ('(case "rejected" (list $finding))', '(case "rejected" string)'),
        ('(param "gpu-index" u32)', '(param "gpu" u32)'),
        ('(param "gpu-index" u32)', '(param "gpu-index" s32)'),
        ('(param "token" string) (result bool)', '(param "token" string) (result u32)'),
        ('"clear-cache" (func)', '"clear-cache" (func (result bool))'),
        ('"clear-cache" (func)', '"clear-cache" (func (param "all" bool))'),
        ('(case "gpu" u32)', '(case "gpu" u64)'),
        ('(field "nonce" (list u8))', '(field "nonce" (list u16))'),
        ('(field "nonce" (list u8))', '(field "nonce" (tuple u8 u8))'),
        ("(result (list $gi) (error $er))", "(result (list $gi))"),
        ('(field "max-age-seconds" (option u32))', '(field "max-age-seconds" (option u64))'),
    ],
)
def test_a_function_of_another_type(ours: str, theirs: str) -> None:
    changed = IMPORTS.replace("{v}", "0.1.0").replace(ours, theirs)
    assert changed != IMPORTS.replace("{v}", "0.1.0")
    with pytest.raises(SignatureError, match="with other types on this host"):
        check(f"(component {changed})")


def test_a_function_that_takes_a_resource() -> None:
    functions = (
        '(export "r" (type $r (sub resource))) (export "clear-cache" (func (param "x" (own $r))))'
    )
    with pytest.raises(SignatureError, match="'clear-cache' with other types"):
        check(importing(functions))


def test_a_function_in_place_of_an_interface() -> None:
    with pytest.raises(SignatureError, match=r"attestation@0\.1\.0 is not an instance"):
        check('(component (import "wasmtime:attestation/attestation@0.1.0" (func)))')
