"""Which core function stands for which WIT function; expected values from DESIGN section 5."""

from __future__ import annotations

from pathlib import Path

import pytest
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.legacy import LegacyFunction, ResultForm, legacy_functions
from wasmtime_attestation_bindgen.selection import select_world

from tests.bindgen.resolving import resolved, resolved_path

WIT = Path(__file__).parents[2] / "wit"


def legacy(functions: str) -> tuple[LegacyFunction, ...]:
    model = resolved(f"interface i {{ {functions} }} world w {{ import i; }}")
    return legacy_functions(model, select_world(model, "w"))


def refused(world: str) -> WitError:
    model = resolved(world)
    with pytest.raises(WitError) as caught:
        legacy_functions(model, select_world(model, "w"))
    return caught.value


def test_the_functions_that_guests_in_the_field_call_keep_their_types() -> None:
    model = resolved_path(WIT)
    found = legacy_functions(model, select_world(model, "imports"))
    assert [_shown(function) for function in found] == [
        "detect_tee() -> i32: JSON",
        "attest_vm() -> i32: ENVELOPE",
        "attest_gpu(i32) -> i32: ENVELOPE",
        "verify_token(i32 i32) -> i32: DIRECT",
        "clear_cache() -> : NOTHING",
        "gpus() -> i32: JSON",
        "attest(i32 i32 i32 i32) -> i32: ENVELOPE",
        "verify(i32 i32 i32 i32) -> i32: JSON",
    ]


@pytest.mark.parametrize(
    ("param", "core", "form"),
    [
        ("bool", "i32", "DIRECT"),
        ("u8", "i32", "DIRECT"),
        ("s32", "i32", "DIRECT"),
        ("u64", "i64", "DIRECT"),
        ("f32", "f32", "DIRECT"),
        ("f64", "f64", "DIRECT"),
        ("e", "i32", "DIRECT"),
        ("string", "i32 i32", "TEXT"),
        ("list<u8>", "i32 i32", "BYTES"),
        ("bytes", "i32 i32", "BYTES"),
        ("option<string>", "i32 i32", "TEXT optional"),
        ("option<bytes>", "i32 i32", "BYTES optional"),
        ("option<u8>", "i32 i32", "JSON"),
        ("char", "i32 i32", "JSON"),
        ("list<u16>", "i32 i32", "JSON"),
        ("tuple<u8>", "i32 i32", "JSON"),
    ],
)
def test_parameters(param: str, core: str, form: str) -> None:
    (function,) = legacy(f"enum e {{ a }} type bytes = list<u8>; f: func(a: {param});")
    (found,) = function.params
    assert " ".join(found.core) == core
    assert f"{found.form.name}{' optional' if found.optional else ''}" == form


@pytest.mark.parametrize(
    ("result", "core", "form"),
    [
        ("bool", "i32", ResultForm.DIRECT),
        ("s16", "i32", ResultForm.DIRECT),
        ("u64", "i64", ResultForm.DIRECT),
        ("f64", "i32", ResultForm.JSON),
        ("e", "i32", ResultForm.JSON),
        ("string", "i32", ResultForm.JSON),
        ("result", "i32", ResultForm.JSON),
    ],
)
def test_results(result: str, core: str, form: ResultForm) -> None:
    (function,) = legacy(f"enum e {{ a }} f: func() -> {result};")
    assert (" ".join(function.core_results), function.result) == (core, form)


def test_the_envelope_is_for_this_package_alone() -> None:
    (function,) = legacy(
        "record attestation-result { token: string } variant error { a } "
        "attest-vm: func() -> result<attestation-result, error>;"
    )
    assert function.result is ResultForm.JSON


@pytest.mark.parametrize(
    ("world", "message"),
    [
        ("world w { export f: func(); }", "`w` exports `f`, and exports have no legacy form"),
        (
            "interface i { resource r; f: func(a: list<borrow<r>>); } world w { import i; }",
            "`f` of `a:b/i@1.2.3` mentions a resource",
        ),
        (
            "interface i { resource r { m: func(); } } world w { import i; }",
            "`[method]r.m` of `a:b/i@1.2.3` is a resource's",
        ),
        (
            "interface i { type o = option<u8>; f: func() -> option<o>; } world w { import i; }",
            "mentions an option of an option",
        ),
        (
            (
                "interface i { f-g: func(); } interface j { f-g: func(); } "
                "world w { import i; import j; }"
            ),
            "`a:b/i@1.2.3` and `a:b/j@1.2.3` both have a function that the legacy ABI calls `f_g`",
        ),
    ],
)
def test_what_has_no_legacy_form(world: str, message: str) -> None:
    error = refused(world)
    assert message in error.message
    assert error.span is not None
    assert error.help is not None


def _shown(function: LegacyFunction) -> str:
    params, results = " ".join(function.core_params), " ".join(function.core_results)
    return f"{function.name}({params}) -> {results}: {function.result.name}"
