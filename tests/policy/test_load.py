"""A policy is data: read strictly, with bounded effort, and empty it denies."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.evidence.snp_fields import ProductLine
from wasmtime_attestation.policy import (
    MAX_SIZE,
    AppraisalPolicy,
    load,
)
from wasmtime_attestation.policy.snp import (
    GuestRestriction,
    MinimumTcb,
    PlatformProperty,
    SnpPolicy,
)
from wasmtime_attestation.wit import TeeType

from tests.policy.texts import EVERYTHING, NO_POLICIES, NOT_TOML


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
        issuers=frozenset({"urn:one", "urn:two"}),
        maximum_age=60,
        require_reference_values=True,
        snp=SnpPolicy(
            vmpls=frozenset({0, 1}),
            measurements=frozenset({b"\1" * 48, b"\2" * 48}),
            host_data=frozenset({b"\3" * 32}),
            id_key_digests=frozenset({b"\4" * 48}),
            author_key_digests=frozenset({b"\5" * 48}),
            chip_ids=frozenset({b"\6" * 64}),
            minimum_guest_svn=7,
            require_minimum_tcb=True,
            require_revocation_check=True,
            allow_migration_agent=True,
            allow_smt=False,
            unsafe_allow_debug=True,
            allow_provisional_firmware=False,
            required_launch_mitigations=3,
            required_current_mitigations=2**63 - 1,
            required_platform=frozenset(
                {PlatformProperty.ECC_ENABLED, PlatformProperty.ALIAS_CHECK_COMPLETE}
            ),
            denied_platform=frozenset({PlatformProperty.SMT_ENABLED}),
            required_restrictions=frozenset({GuestRestriction.SINGLE_SOCKET_ONLY}),
            family_ids=frozenset({b"\7" * 16}),
            image_ids=frozenset({b"\x08" * 16}),
            csp_ids=frozenset({"Cloud"}),
            minimum_launch_tcb={ProductLine.GENOA: MinimumTcb(0, 0, 21, 0)},
            minimum_committed_tcb={ProductLine.GENOA: MinimumTcb(0, 0, 20, 0)},
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


@pytest.mark.parametrize(("text", "message"), [*NOT_TOML, *NO_POLICIES])
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
