"""Packages, paths and `use`."""

from __future__ import annotations

import pytest
from wasmtime_attestation_bindgen import kinds
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.link import Features
from wasmtime_attestation_bindgen.model import Resolve
from wasmtime_attestation_bindgen.resolve import resolve
from wasmtime_attestation_bindgen.source import Source

from tests.bindgen.resolving import error_in, interface, refused_at_mark, resolved


def of_files(*texts: str, dependencies: tuple[str, ...] = ()) -> Resolve:
    main = [Source(f"{index}.wit", text) for index, text in enumerate(texts)]
    others = [[Source(f"d{index}.wit", text)] for index, text in enumerate(dependencies)]
    return resolve(main, others, Features())


def error_in_files(*texts: str, dependencies: tuple[str, ...] = ()) -> WitError:
    with pytest.raises(WitError) as caught:
        of_files(*texts, dependencies=dependencies)
    return caught.value


def package_names(model: Resolve) -> list[str]:
    return [str(package.name) for package in model.packages]


def test_use_makes_an_alias() -> None:
    model = resolved("interface i { type t = u8; } interface j { use i.{t, t as u}; }")
    source = interface(model, "i").types["t"]
    used = interface(model, "j").types
    assert list(used) == ["t", "u"]
    assert all(model.types[id_].kind == kinds.Alias(source) for id_ in used.values())


def test_interfaces_come_after_those_that_they_use_and_else_as_written() -> None:
    model = resolved("interface a { use c.{t}; } interface b {} interface c { type t = u8; }")
    assert [found.name for found in model.interfaces] == ["b", "c", "a"]


def test_files_of_a_package_share_its_names_but_not_their_own() -> None:
    model = of_files(
        "package a:b; use i as j; interface k { use j.{t}; }", "interface i { type t = u8; }"
    )
    assert list(interface(model, "k").types) == ["t"]
    error = error_in_files(
        "package a:b; use i as j;", "interface i { type t = u8; } interface k { use j.{t}; }"
    )
    assert str(error.span) == "1.wit:1:48"


def test_packages_come_after_those_that_they_depend_on() -> None:
    model = of_files(
        "package a:a; interface i { use a:z/i@2.0.0.{t}; use a:m/i.{t as u}; }",
        dependencies=(
            "package a:m; interface i { use a:z/i@2.0.0.{t}; }",
            "package a:z@2.0.0; interface i { type t = u8; }",
            "package a:z@1.0.0; interface i {}",
        ),
    )
    assert package_names(model) == ["a:z@2.0.0", "a:m", "a:a", "a:z@1.0.0"]
    assert str(model.packages[model.main].name) == "a:a"


def test_the_version_of_a_path_ends_where_the_names_begin() -> None:
    model = of_files(
        "package a:a; interface i { use a:b/i@1.0.0-rc.1+x.{t}; }",
        dependencies=("package a:b@1.0.0-rc.1+x; interface i { type t = u8; }",),
    )
    assert package_names(model) == ["a:b@1.0.0-rc.1+x", "a:a"]


def test_packages_nest_in_a_file() -> None:
    model = of_files(
        "package a:a; interface i { use a:b/j.{t}; } package a:b { interface j { type t = u8; } }"
    )
    assert package_names(model) == ["a:b", "a:a"]


@pytest.mark.parametrize(
    "text",
    [
        "interface i {} interface ^i {}",
        "interface i {} world ^i {}",
        "use i as i; interface ^i {}",
        "use ^missing;",
        "use i as j; use i as ^j; interface i {}",
        "@since(version = 1.0.0) ^use i as j; interface i {}",
        "interface i { use ^missing.{t}; }",
        "interface i { use ^w.{t}; } world w {}",
        "interface i { use j.{^missing}; } interface j {}",
        "interface i { use j.{^f}; } interface j { f: func(); }",
        "interface i { use j.{t, ^t}; } interface j { type t = u8; }",
        "interface i { use j.{t}; type ^t = u8; } interface j { type t = u8; }",
        "interface i { type ^t = u8; use j.{t}; } interface j { type t = u8; }",
        "interface ^i { use i.{t}; }",
        "interface i { use j.{t}; } interface ^j { use i.{t}; }",
        "interface i { use ^a:b/i@1.2.3.{t}; }",
        "interface i { use ^x:y/i.{t}; }",
        "interface i { use j.^t; } interface j {}",
        "package x:y { package ^z:z {} }",
        "@since(version = 1.0.0) ^package x:y {}",
        "package x:y { interface i { use ^z:z/i.{}; } }\npackage z:z { world w { import x:y/i; } }",
        "package c:d^;",
        "^type t = u8;",
    ],
)
def test_what_names_cannot_be(text: str) -> None:
    refused_at_mark(text)


def test_what_is_not_in_another_package() -> None:
    dependencies = ("package d:d; interface i { type t = u8; } world w {}",)
    for path, position in (
        ("x:d/i.{t}", "0.wit:1:32"),
        ("d:d/j.{t}", "0.wit:1:36"),
        ("d:d/i.{u}", "0.wit:1:39"),
        ("d:d/w.{t}", "0.wit:1:36"),
    ):
        error = error_in_files(
            f"package a:b; interface i {{ use {path}; }}", dependencies=dependencies
        )
        assert str(error.span) == position


def test_a_handle_of_another_package_s_type() -> None:
    text = "package a:b; interface i {{ use d:d/i.{{{0}}}; type h = own<{0}>; }}"
    dependencies = ("package d:d; interface i { resource r; type t = u8; }",)
    of_files(text.format("r"), dependencies=dependencies)
    error = error_in_files(text.format("t"), dependencies=dependencies)
    assert str(error.span) == "0.wit:1:56"


@pytest.mark.parametrize(
    ("files", "position"),
    [
        (("interface i {}",), None),
        (("package a:b;", "package a:c;"), "1.wit:1:9"),
        (("/// x\npackage a:b;", "/// y\npackage a:b;"), "1.wit:1:1"),
    ],
)
def test_what_files_say_of_their_package(files: tuple[str, ...], position: str | None) -> None:
    error = error_in_files(*files)
    assert (None if error.span is None else str(error.span)) == position


def test_a_package_in_two_places() -> None:
    error = error_in_files("package a:b;", dependencies=("package d:d;", "package d:d;"))
    assert str(error.span) == "d1.wit:1:9"
    assert [str(span) for _, span in error.others] == ["d0.wit:1:9"]


def test_a_long_chain_of_packages_is_refused() -> None:
    packages = "".join(
        f"package p:n{n} {{ interface i {{ use p:n{n + 1}/i.{{}}; }} }}" for n in range(1000)
    )
    assert "chain" in error_in(packages).message
