"""A policy is data: read strictly, with bounded effort, and empty it denies."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.evidence.snp_fields import ProductLine
from wasmtime_attestation.policy import (
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
    """Returns the message: file, line and column, and what is wrong."""
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(InvalidArgumentError) as caught:
        load("p", data, "p.toml")
    assert caught.value.message.startswith("policy p.toml:")
    return caught.value.message.removeprefix("policy p.toml:")


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
    assert {"hardware-only", "strict"} <= set(PRESETS)
    assert PRESETS["hardware-only"] is HARDWARE_ONLY
    assert not HARDWARE_ONLY.snp.unsafe_allow_debug
    assert HARDWARE_ONLY.snp.vmpls == {0}
    assert not HARDWARE_ONLY.has_reference_values_for(TeeType.AMD_SEV_SNP)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1:1: schema is missing; it must be 1"),
        ("\n# no version\n[snp]", "1:1: schema is missing; it must be 1"),
        ("schema = 2", "1:1: schema must be 1"),
        ("  schema = true", "1:3: schema must be a whole number"),
        ("schema = 1.0", "1:1: schema must be a whole number"),
        ('"schema" = "1"', "1:1: schema must be a whole number"),
        ("schema = 1\nacept = []", "2:1: unknown setting acept; did you mean accept?"),
        (
            "schema = 1\n[snp]\n\tunsafe_allow_debug = true",
            "3:2: unknown setting snp.unsafe_allow_debug; did you mean unsafe-allow-debug?",
        ),
        (
            "schema = 1\n[snp.minimum-tcb.milan]",
            "2:18: unknown setting snp.minimum-tcb.milan; did you mean Milan?",
        ),
        (
            "schema = 1\n[snp.minimum-tcb.Milan]\nucode = 1",
            "3:1: unknown setting snp.minimum-tcb.Milan.ucode",
        ),
        ("schema = 1\n[sgx]", "2:2: unknown setting sgx"),
        ("schema = 1\nsnp = {vmpl = [0], sgx = 1}", "2:20: unknown setting snp.sgx"),
        ("schema = 1\nextends = 'lax'", "2:1: extends has 'lax'; known are hardware-only, strict"),
        ("schema = 1\nextends = ['strict']", "2:1: extends must be a string"),
        (
            'schema = 1\naccept = ["amd-sev-snp",\n\n  "all"]',
            f"4:3: accept has 'all'; known are {', '.join(TeeType)}",
        ),
        ('schema = 1\naccept = "amd-sev-snp"', "2:1: accept must be a list"),
        ("schema = 1\naccept = [1]", "2:11: accept must be a list; each value is a string"),
        ("schema = 1\nname = 1", "2:1: name must be a string"),
        ("schema = 1\nsnp = 1", "2:1: snp must be a table"),
        ("schema = 1\n[[snp]]\nvmpl = [0]", "2:3: snp must be a table"),
        ("schema = 1\n[snp]\nvmpl = 0", "3:1: snp.vmpl must be a list"),
        (
            "schema = 1\nsnp.vmpl = [0, true]",
            "2:16: snp.vmpl must be a list; each value is a whole number",
        ),
        ("schema = 1\nsnp . vmpl = [-1]", "2:15: snp.vmpl must be from 0 to 3"),
        ("schema = 1\n[snp]\nallow-smt = 0", "3:1: snp.allow-smt must be true or false"),
        ("schema = 1\n['snp']\n'allow-smt' = ''", "3:1: snp.allow-smt must be true or false"),
        (
            "schema = 1\n[snp]\nminimum-guest-svn = -1",
            "3:1: snp.minimum-guest-svn must be from 0 to 4294967295",
        ),
        (
            "schema = 1\n[tdx]\ngrace-period-days = 36501",
            "3:1: tdx.grace-period-days must be from 0 to 36500",
        ),
        (
            "schema = 1\n[snp.minimum-tcb.Milan]\nsnp = 1.5",
            "3:1: snp.minimum-tcb.Milan.snp must be a whole number",
        ),
        (
            "schema = 1\n[snp.minimum-tcb]\nMilan = 1",
            "3:1: snp.minimum-tcb.Milan must be a table",
        ),
        ("schema = 1\nschema = 1", "2:11: Cannot overwrite a value"),
        ("schema = 1\n[snp]\n[snp]", "3:5: Cannot declare ('snp',) twice"),
        ("schema", "1:7: Expected '=' after a key in a key/value pair"),
        (b"schema = 1 # \xff", "1:14: it is not UTF-8: byte 0xff makes no character"),
        (
            b"\xef\xbb\xbf\nname = '\xc3\xa9\xff'",
            "2:10: it is not UTF-8: byte 0xff makes no character",
        ),
        (b"\0", "1:1: Invalid statement"),
    ],
)
def test_a_policy_that_is_none(text: str | bytes, message: str) -> None:
    assert refusal(text) == message


@pytest.mark.parametrize(
    "value", ["", "ab" * 47, "ab" * 49, "a" * 95, "zz" * 48, " " + "ab" * 47 + "a", "ab " * 48]
)
def test_reference_values_are_hex_of_the_one_size(value: str) -> None:
    message = refusal(f'schema = 1\n[snp]\nmeasurements = ["{"ab" * 48}", "{value}"]')

    assert message == "3:117: snp.measurements has a value that is not 48 bytes of hex"


def test_hex_is_read_in_both_cases() -> None:
    text = f'schema = 1\nguest-digests = ["{"aB" * 32}", "{"Ab" * 32}"]'

    assert load("p", text.encode()).guest_digests == frozenset({b"\xab" * 32})


def test_sizes_and_numbers_are_limited() -> None:
    values = ",".join(["0"] * 10_001)

    assert refusal(b"#" * (MAX_SIZE + 1)) == f" it is larger than {MAX_SIZE} bytes"
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
