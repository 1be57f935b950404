"""A policy is data: read strictly, with bounded effort, and empty it denies."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.evidence.snp_fields import ProductLine
from wasmtime_attestation.policy import (
    GPU,
    HARDWARE_ONLY,
    MAX_SIZE,
    PRESETS,
    AppraisalPolicy,
    load,
)
from wasmtime_attestation.policy.snp import MinimumTcb, SnpPolicy
from wasmtime_attestation.wit import TeeType

EVERYTHING = f"""
schema = 1
name = "production"
accept = ["amd-sev-snp", "simulated"]
guest-digests = ["{"ab" * 32}"]

[snp]
vmpl = [0, 1]
measurements = ["{"01" * 48}", "{"02" * 48}"]
host-data = ["{"03" * 32}"]
id-key-digests = ["{"04" * 48}"]
author-key-digests = ["{"05" * 48}"]
chip-ids = ["{"06" * 64}"]
minimum-guest-svn = 7
require-revocation-check = true
allow-migration-agent = true
allow-smt = false
unsafe-allow-debug = true

[snp.minimum-tcb.Milan]
boot-loader = 4
snp = 22
microcode = 211

[snp.minimum-tcb.Turin]
fmc = 1
tee = 2
"""


def refusal(text: str | bytes) -> str:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(InvalidArgumentError) as caught:
        load("p", data)
    assert caught.value.message.startswith("policy p: ")
    return caught.value.message.removeprefix("policy p: ")


def test_every_setting_is_read() -> None:
    assert load("file", EVERYTHING.encode()) == AppraisalPolicy(
        name="production",
        accept=frozenset({TeeType.AMD_SEV_SNP, TeeType.SIMULATED}),
        guest_digests=frozenset({b"\xab" * 32}),
        snp=SnpPolicy(
            vmpls=frozenset({0, 1}),
            measurements=frozenset({b"\1" * 48, b"\2" * 48}),
            host_data=frozenset({b"\3" * 32}),
            id_key_digests=frozenset({b"\4" * 48}),
            author_key_digests=frozenset({b"\5" * 48}),
            chip_ids=frozenset({b"\6" * 64}),
            minimum_guest_svn=7,
            require_revocation_check=True,
            allow_migration_agent=True,
            allow_smt=False,
            unsafe_allow_debug=True,
            minimum_tcb={
                ProductLine.MILAN: MinimumTcb(boot_loader=4, tee=0, snp=22, microcode=211),
                ProductLine.TURIN: MinimumTcb(boot_loader=0, tee=2, snp=0, microcode=0, fmc=1),
            },
        ),
    )


def test_what_is_left_out_takes_the_safe_side() -> None:
    policy = load("file", b"schema = 1")

    assert policy.name == "file"
    assert policy.accept == frozenset()
    assert policy.snp.vmpls == {0}
    assert not policy.snp.unsafe_allow_debug
    assert not policy.snp.allow_migration_agent
    assert policy.snp.minimum_tcb == {}
    assert policy.snp.measurements is None
    assert not policy.has_reference_values_for(TeeType.AMD_SEV_SNP)


def test_a_list_that_is_empty_is_not_one_that_is_absent() -> None:
    policy = load("p", b"schema = 1\nguest-digests = []\nsnp = {measurements = [], vmpl = []}")

    assert policy.guest_digests == frozenset()
    assert policy.snp.measurements == frozenset()
    assert policy.snp.vmpls == frozenset()


def test_the_presets() -> None:
    assert dict(PRESETS) == {"hardware-only": HARDWARE_ONLY, "gpu": GPU}
    assert not HARDWARE_ONLY.snp.unsafe_allow_debug
    assert HARDWARE_ONLY.snp.vmpls == {0}
    assert not HARDWARE_ONLY.has_reference_values_for(TeeType.AMD_SEV_SNP)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "schema must be 1"),
        ("schema = 2", "schema must be 1"),
        ("schema = true", "schema must be of type int"),
        ("schema = 1.0", "schema must be of type int"),
        ('schema = "1"', "schema must be of type int"),
        ("schema = 1\nacept = []", "unknown setting acept"),
        ("schema = 1\n[snp]\nunsafe_allow_debug = true", "unknown setting snp.unsafe_allow_debug"),
        ("schema = 1\n[snp.minimum-tcb.milan]", "unknown setting snp.minimum-tcb.milan"),
        (
            "schema = 1\n[snp.minimum-tcb.Milan]\nucode = 1",
            "unknown setting snp.minimum-tcb.Milan.ucode",
        ),
        ("schema = 1\n[sgx]", "unknown setting sgx"),
        ('schema = 1\naccept = ["amd-sev-snp", "all"]', "accept has 'all'; known are none, intel"),
        ('schema = 1\naccept = "amd-sev-snp"', "accept must be of type list"),
        ("schema = 1\naccept = [1]", "accept must be a list of str"),
        ("schema = 1\nname = 1", "name must be of type str"),
        ("schema = 1\nsnp = 1", "snp must be of type dict"),
        ("schema = 1\nsnp = []", "snp must be of type dict"),
        ("schema = 1\n[snp]\nvmpl = 0", "snp.vmpl must be of type list"),
        ("schema = 1\n[snp]\nvmpl = [true]", "snp.vmpl must be a list of int"),
        ("schema = 1\n[snp]\nvmpl = [-1]", "snp.vmpl must be from 0 to 3"),
        ("schema = 1\n[snp]\nallow-smt = 0", "snp.allow-smt must be of type bool"),
        ('schema = 1\n[snp]\nallow-smt = "false"', "snp.allow-smt must be of type bool"),
        (
            "schema = 1\n[snp]\nminimum-guest-svn = -1",
            "minimum-guest-svn must be from 0 to 4294967295",
        ),
        (
            "schema = 1\n[snp.minimum-tcb.Milan]\nsnp = 1.5",
            "snp.minimum-tcb.Milan.snp must be of type int",
        ),
        (
            "schema = 1\n[snp.minimum-tcb]\nMilan = 1",
            "snp.minimum-tcb.Milan must be of type dict",
        ),
        ("schema = 1\nschema = 1", "Cannot overwrite a value"),
        ("schema = 1\n[snp]\n[snp]", "Cannot declare"),
        ("schema", "Expected '='"),
        (b"schema = 1 # \xff", "can't decode byte 0xff"),
        (b"\0", "Invalid statement"),
    ],
)
def test_a_policy_that_is_none(text: str | bytes, reason: str) -> None:
    assert reason in refusal(text)


@pytest.mark.parametrize(
    "value", ["", "ab" * 47, "ab" * 49, "a" * 95, "zz" * 48, " " + "ab" * 47 + "a", "ab " * 48]
)
def test_reference_values_are_hex_of_the_one_size(value: str) -> None:
    message = refusal(f'schema = 1\n[snp]\nmeasurements = ["{value}"]')

    assert message == "snp.measurements has a value that is not 48 bytes of hex"


def test_hex_is_read_in_both_cases() -> None:
    text = f'schema = 1\nguest-digests = ["{"aB" * 32}", "{"Ab" * 32}"]'

    assert load("p", text.encode()).guest_digests == frozenset({b"\xab" * 32})


def test_sizes_and_numbers_are_limited() -> None:
    values = ",".join(["0"] * 10_001)

    assert f"larger than {MAX_SIZE} bytes" in refusal(b"#" * (MAX_SIZE + 1))
    assert "has more than 10000 values" in refusal(f"schema = 1\nsnp.vmpl = [{values}]")
    assert "digits" in refusal("schema = " + "1" * 5000)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a." * 400_000 + "a = 1", id="deep dotted key"),
        pytest.param("[" + "a." * 400_000 + "a]", id="deep table"),
        pytest.param("a = {" + "b." * 400_000 + "b = 1}", id="deep key in an inline table"),
        pytest.param("a = " + "[" * 900_000, id="deep list"),
        pytest.param("a = {a = " * 100_000, id="deep inline tables"),
        pytest.param("schema = 1\na = " + "[" * 500 + "]" * 500, id="deep list that is valid"),
    ],
)
def test_hostile_depth_costs_nothing(text: str) -> None:
    """tomllib's effort grows with the square of a key's depth: a megabyte of it took all memory."""
    begin = time.process_time()

    refusal(text)

    assert time.process_time() - begin < 5


def test_dots_in_comments_are_no_depth() -> None:
    assert load("p", b"# " + b"." * 100 + b"\n  # " + b"." * 100 + b"\nschema = 1").name == "p"


TOML = st.recursive(
    st.booleans() | st.integers() | st.text("ab\"'\\.", max_size=4).map(repr),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=6,
)
KEYS = ["schema", "name", "accept", "guest-digests", "snp", "snp.vmpl", "snp.minimum-tcb.Milan"]


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda t: ("schema = 1\n" + t).encode()))
def test_arbitrary_bytes_are_a_policy_or_refused_in_our_own_words(data: bytes) -> None:
    assert loads_or_refuses(data)


@given(st.lists(st.tuples(st.sampled_from(KEYS), TOML), max_size=4))
def test_arbitrary_values_are_a_policy_or_refused_in_our_own_words(
    settings: list[tuple[str, object]],
) -> None:
    lines = [f"{key} = {str(value).lower()}" for key, value in settings]

    assert loads_or_refuses("\n".join(["schema = 1", *lines]).encode())


def loads_or_refuses(data: bytes) -> bool:
    try:
        return isinstance(load("p", data), AppraisalPolicy)
    except InvalidArgumentError:
        return True
