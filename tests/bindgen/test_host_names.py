"""What the host generator calls things, and what it refuses."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from wasmtime import Engine, Store
from wasmtime.component import Component, Linker
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.host import generate
from wasmtime_attestation_bindgen.options import Options

from tests.bindgen import hosts

SUITE = Path(__file__).parents[1] / "world" / "wit"


def types_of(wit: str, folder: Path) -> ast.Module:
    """Returns the module of types for WIT text."""
    modules = hosts.generated(wit, folder)
    return ast.parse(next(text for path, text in modules.items() if path.endswith("_types.py")))


def classes(module: ast.Module) -> dict[str, ast.ClassDef]:
    return {node.name: node for node in module.body if isinstance(node, ast.ClassDef)}


def fields(class_: ast.ClassDef) -> dict[str, str]:
    return {
        ast.unparse(node.target): ast.unparse(node.annotation)
        for node in class_.body
        if isinstance(node, ast.AnnAssign)
    }


def parameters(class_: ast.ClassDef, method: str) -> list[str]:
    found = next(
        node for node in class_.body if isinstance(node, ast.FunctionDef) and node.name == method
    )
    return [argument.arg for argument in found.args.args]


def test_keywords_and_names_of_types(tmp_path: Path) -> None:
    wit = """package a:b;
    interface i {
      record r { class: u8, %list: list<u8>, %bool: bool, other: list<bool>, self: u8 }
      lambda: func(self: u8, def: u8, %from: r) -> u8;
    }
    world w { import i; }"""
    found = classes(types_of(wit, tmp_path))
    assert fields(found["R"]) == {
        "class_": "int",
        "list_": "bytes",
        "bool_": "bool",
        "other": "list[bool]",
        "self_": "int",
    }
    assert parameters(found["I"], "lambda_") == ["self", "self_", "def_", "from_"]


def test_an_interface_within_the_world_may_differ_on_each_side(tmp_path: Path) -> None:
    wit = """package a:b;
    world w {
      import x: interface { record r { v: u8 } f: func(r: r); }
      export x: interface { record r { v: bool } g: func(r: r); }
    }"""
    modules = hosts.generated(wit, tmp_path)
    found = classes(ast.parse(modules["w_types.py"]))
    assert [fields(found[name]) for name in ("R", "XR")] == [{"v": "int"}, {"v": "bool"}]
    linking = classes(ast.parse(modules["w_host.py"]))
    assert parameters(found["X"], "f") == ["self", "r"]
    assert parameters(linking["X"], "g") == ["self", "r"]


def test_names_that_clash(tmp_path: Path) -> None:
    wit = """package a:b;
    interface first {
      record protocol { x: u8 }
      enum none { a }
      variant target { vm, gpu(u32) }
      variant goal { vm, gpu(u32) }
      record goal-vm { y: u8 }
      use second.{target as other};
      f: func(p: protocol, n: none, t: target, g: goal, m: goal-vm, o: other);
    }
    interface second { enum target { a } record first { z: u8 } g: func(t: target, f: first); }
    world first-world { import first; import second; }"""
    module = types_of(wit, tmp_path)
    names = [node.name for node in module.body if isinstance(node, ast.ClassDef)]
    assert len(names) == len(set(names))
    found = classes(module)
    assert {"FirstProtocol", "FirstNone", "Target", "FirstTargetVm", "First", "BFirst"} <= set(
        found
    )
    assert fields(found["GoalVm"]) == {"y": "int"}
    assert fields(found["GoalVm_"]) == {"case": "ClassVar[str]"}
    compile(ast.unparse(module), "types", "exec")


def test_two_interfaces_of_one_name(tmp_path: Path) -> None:
    folder = tmp_path / "wit"
    (folder / "deps" / "other").mkdir(parents=True)
    (folder / "deps" / "other" / "o.wit").write_text(
        "package x:other@1.0.0; interface log { write: func(line: string); }"
    )
    (folder / "w.wit").write_text(
        "package a:b; interface log { write: func(line: string); }"
        " world w { import log; import x:other/log@1.0.0; }"
    )
    modules = generate(*hosts.read(folder), Options())
    assert "log: w_types.Log,\n    other_log: w_types.OtherLog," in modules["w_host.py"]
    # Both have a function `write`, so no object can be both.
    assert "class World(" not in modules["w_types.py"]


def test_what_a_host_only_reads_has_defaults(tmp_path: Path) -> None:
    wit = """package a:b;
    interface i {
      record read { a: u8, b: option<u8>, c: option<u8> }
      record mixed { a: option<u8>, b: u8 }
      record made { a: u8, b: option<u8> }
      f: func(a: read, b: mixed) -> made;
    }
    world w { import i; }"""
    source = ast.unparse(types_of(wit, tmp_path))
    assert source.count(" = None") == 2
    assert "b: int | None = None\n" in source


def test_names_that_the_bindings_use_themselves(tmp_path: Path) -> None:
    wit = tmp_path / "w.wit"
    wit.write_text("""package a:b;
    interface link { f: func(invoke: string, shapes: list<u8>) -> string; }
    world w { import link; export link; }""")
    _, linking = hosts.imported(wit, tmp_path)
    engine = Engine()
    linker, store = Linker(engine), Store(engine)

    class Link:
        def f(self, invoke: str, shapes: bytes) -> str:
            return f"{invoke} {len(shapes)}"

    linking.link_imports(linker, b_link=Link())
    guest = Component(engine, hosts.forwarder(*hosts.read(wit)))
    exports = linking.Link(store, linker.instantiate(store, guest))
    assert exports.f("bytes:", b"ab") == "bytes: 2"


def test_functions_of_resources_beside_those_of_the_interface(tmp_path: Path) -> None:
    wit = """package a:b;
    interface i {
      resource file { constructor(); open: static func() -> file; }
      new-file: func();
      file-open: func();
      drop-file: func();
    }
    world w { import i; export i; }"""
    class_ = classes(types_of(wit, tmp_path))["I"]
    methods = [node.name for node in class_.body if isinstance(node, ast.FunctionDef)]
    assert methods == [
        *("new_file_", "file_open_", "new_file", "file_open", "drop_file", "drop_file_")
    ]


def test_documentation_that_ends_in_quotes(tmp_path: Path) -> None:
    wit = '''package a:b;
    interface i {
      /// "
      enum a { x }
      /// three """
      enum b { x }
      /// four """"
      enum c { x }
      /// backslash \\
      enum d { x }
      f: func(a: a, b: b, c: c, d: d);
    }
    world w { import i; }'''
    found = classes(types_of(wit, tmp_path))
    docs = [ast.get_docstring(found[name]) for name in "ABCD"]
    assert docs == ['"', 'three """', 'four """"', "backslash \\"]


def test_names_that_are_longer_than_a_line(tmp_path: Path) -> None:
    name = "-".join(["long"] * 24)
    wit = f"""package a:b;
    interface i {{ resource {name} {{ m: func(a: list<{name}>) -> list<string>; }} }}
    world w {{ import i; }}"""
    module = ast.parse(hosts.generated(wit, tmp_path)["w_host.py"])
    texts = [node.value for node in ast.walk(module) if isinstance(node, ast.Constant)]
    assert f"[method]{name}.m" in texts


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("f: func(a: list<u8, 4>);", "function `f` of `a:b/i` mentions a list of fixed length"),
        (
            "record r { a: option<list<u8, 4>> } g: func(); f: func() -> list<r>;",
            "function `f` of `a:b/i` mentions a list of fixed length",
        ),
        ("f: func(a: stream<u8>);", "stream"),
        ("f: func() -> future<u8>;", "future"),
        ("f: async func();", "async"),
    ],
)
def test_what_no_host_can_be_generated_for(tmp_path: Path, item: str, message: str) -> None:
    with pytest.raises(WitError, match=message):
        hosts.generated(f"package a:b; interface i {{ {item} }} world w {{ import i; }}", tmp_path)


WORLDS = [("torture.wit", None), ("objects.wit", "user"), ("objects.wit", "maker")]


@pytest.mark.parametrize(("file", "world"), WORLDS)
def test_modules_are_formatted_and_the_same_each_time(
    tmp_path: Path, file: str, world: str | None
) -> None:
    modules = generate(*hosts.read(SUITE / file, world), Options())
    assert modules == generate(*hosts.read(SUITE / file, world), Options())
    for path, text in modules.items():
        (tmp_path / path).write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--diff", "--line-length=100", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == ""


@pytest.mark.slow
@pytest.mark.parametrize(("file", "world"), WORLDS)
def test_modules_are_type_checked(tmp_path: Path, file: str, world: str | None) -> None:
    modules = generate(*hosts.read(SUITE / file, world), Options())
    folder = tmp_path / "kit"
    folder.mkdir()
    (folder / "__init__.py").touch()
    for path, text in modules.items():
        (folder / path).write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "kit"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
