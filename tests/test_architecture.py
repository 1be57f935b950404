"""The borders of the house (DESIGN section 3): who imports whom, how large rooms are, and names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HOST = ROOT / "host" / "wasmtime_attestation"
BINDGEN = ROOT / "bindgen" / "wasmtime_attestation_bindgen"
MAX_LINES = 300
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "shared", "base"}

# Each layer may import those before it, and itself.
LAYERS = (
    ("errors", "wit"),
    ("evidence",),
    ("endorsements",),
    ("claims", "checks", "memo"),
    ("verifier",),
    ("policy", "result", "issuer_config"),
    ("appraisal",),
    (
        "attesters",
        "batch",
        "challenge",
        "ear_issuer",
        "endorsers",
        "issuer",
        "journal",
        "summary",
    ),
    ("cache", "capabilities", "config", "doctor", "nonces", "services"),
    ("issuing",),
    ("checked_world", "judge", "service", "service_settings"),
    ("guarding",),
    ("world",),
    ("embedding",),
    ("cli", "__main__"),
)
PURE_LAYERS = 7
RANK = {room: rank for rank, rooms in enumerate(LAYERS) for room in rooms}
# A lock is all that a memo wants of threads.
LOCKED = {"memo"}
IMPURE = {"os", "time", "socket", "subprocess", "threading", "random", "secrets", "logging"}
OUTSIDE = {"wasmtime": "world", "click": "cli", "ctypes": "attesters"}


def modules(package: Path) -> list[Path]:
    return [path for path in sorted(package.rglob("*.py")) if path.name != "_generated.py"]


def room(module: Path) -> str:
    return module.relative_to(HOST).with_suffix("").parts[0]


def imports(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are absolute"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


HOST_MODULES = [m for m in modules(HOST) if m != HOST / "__init__.py"]
ALL_MODULES = modules(HOST) + modules(BINDGEN)


@pytest.mark.parametrize("module", HOST_MODULES, ids=names(HOST_MODULES))
def test_imports_point_one_way(module: Path) -> None:
    own = RANK[room(module)]
    for name in imports(module):
        package, _, rest = name.partition(".")
        if package == "wasmtime_attestation" and rest:
            target = rest.partition(".")[0]
            assert RANK[target] <= own, f"{module.name} imports {name}, a later layer"
        assert package != "wasmtime_attestation_bindgen"


@pytest.mark.parametrize("module", HOST_MODULES, ids=names(HOST_MODULES))
def test_the_core_is_pure(module: Path) -> None:
    if RANK[room(module)] >= PURE_LAYERS:
        return
    used = {name.partition(".")[0] for name in imports(module)}
    assert not used & (IMPURE - {"threading"} if room(module) in LOCKED else IMPURE)
    text = module.read_text()
    assert ".now(" not in text
    assert "open(" not in text


@pytest.mark.parametrize("module", HOST_MODULES, ids=names(HOST_MODULES))
def test_libraries_stay_in_their_rooms(module: Path) -> None:
    for name in imports(module):
        first_room = OUTSIDE.get(name.partition(".")[0])
        assert first_room is None or RANK[room(module)] >= RANK[first_room]


@pytest.mark.parametrize("module", modules(BINDGEN), ids=names(modules(BINDGEN)))
def test_the_generator_knows_no_host(module: Path) -> None:
    assert "wasmtime_attestation" not in {name.partition(".")[0] for name in imports(module)}


@pytest.mark.parametrize("module", ALL_MODULES, ids=names(ALL_MODULES))
def test_rooms_are_small_and_have_a_purpose(module: Path) -> None:
    text = module.read_text()
    assert text.startswith("# Generated ") or len(text.splitlines()) <= MAX_LINES
    assert module.stem not in FORBIDDEN_NAMES
    assert ast.get_docstring(ast.parse(text)), "a module says what it is for"


def test_no_circles() -> None:
    graph = {_dotted(module): _targets(module) for module in HOST_MODULES}
    done: set[str] = set()
    for start in graph:
        _walk(start, graph, [], done)


def _dotted(module: Path) -> str:
    parts = module.relative_to(HOST.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _targets(module: Path) -> set[str]:
    known = {_dotted(other) for other in HOST_MODULES}
    found = set()
    for name in imports(module):
        parent = name.rpartition(".")[0]
        found |= {candidate for candidate in (name, parent) if candidate in known}
    return found - {_dotted(module)} - {_dotted(module.parent / "__init__.py")}


def _walk(node: str, graph: dict[str, set[str]], path: list[str], done: set[str]) -> None:
    assert node not in path, f"a circle: {' -> '.join([*path, node])}"
    if node in done:
        return
    for target in graph.get(node, set()):
        _walk(target, graph, [*path, node], done)
    done.add(node)
