"""The conformance data of wit-parser, which lies outside the project and is only read.

The folder is named by `ATTESTATION_WIT_SUITE`, else it is `../shared/wit-suite` from the
project's root. `NAME.wit` or the folder `NAME` is an input, `NAME.wit.json` its model,
`parse-fail/NAME.wit.result` its error.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from wasmtime_attestation_bindgen import model_json
from wasmtime_attestation_bindgen.errors import WitError

from tests.bindgen.resolving import resolved_path

_DEFAULT = Path(__file__).parents[3] / "shared" / "wit-suite"
SUITE = Path(os.environ.get("ATTESTATION_WIT_SUITE") or _DEFAULT) / "wit-parser-ui"
FEATURE = "active"

AGREEING_POSITIONS = 0.98
"""The share of errors that stand where wit-parser sees them; all 79 of 79 when last counted."""
_POSITION = re.compile(r"tests/ui/(parse-fail/[^\s:]+:\d+:\d+)")


def _input(expectation: Path) -> Path | None:
    """Returns what an expectation is about; a few expectations have lost their input."""
    wit = expectation.with_suffix("")
    candidates = (wit, wit.with_suffix(""), wit.with_suffix(".wat"))
    return next((path for path in candidates if path.exists()), None)


def _cases(pattern: str) -> list[tuple[Path, Path]]:
    pairs = [(_input(expectation), expectation) for expectation in sorted(SUITE.glob(pattern))]
    return [(path, expectation) for path, expectation in pairs if path is not None]


VALID = _cases("*.wit.json")
INVALID = _cases("parse-fail/*.wit.result")


def _ids(cases: list[tuple[Path, Path]]) -> list[str]:
    return [path.name for path, _ in cases]


def test_the_suite_is_here() -> None:
    if VALID and INVALID:
        return
    reason = f"no conformance data in {SUITE}; name its folder in ATTESTATION_WIT_SUITE"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.mark.parametrize(("path", "expectation"), VALID, ids=_ids(VALID))
def test_valid_input_resolves_to_the_same_json(path: Path, expectation: Path) -> None:
    model = resolved_path(path, FEATURE)
    assert model_json.dumps(model) == expectation.read_text().strip()


@pytest.mark.parametrize("path", [path for path, _ in INVALID], ids=_ids(INVALID))
def test_invalid_input_is_refused(path: Path) -> None:
    with pytest.raises(WitError):
        resolved_path(path, FEATURE)


def test_errors_stand_where_wit_parser_sees_them() -> None:
    if not INVALID:
        pytest.skip("no conformance data")
    differing = [
        f"{path.name}: {expected}, not {found}"
        for path, expectation in INVALID
        if (expected := _expected(expectation)) and (found := _found(path)) != expected
    ]
    total = sum(_expected(expectation) is not None for _, expectation in INVALID)
    agreeing = total - len(differing)
    assert agreeing >= AGREEING_POSITIONS * total, f"{agreeing} of {total}: {differing}"


def _expected(expectation: Path) -> str | None:
    match = _POSITION.search(expectation.read_text())
    return None if match is None else match[1]


def _found(path: Path) -> str:
    with pytest.raises(WitError) as caught:
        resolved_path(path, FEATURE)
    return str(caught.value.span).removeprefix(f"{SUITE}{os.sep}").replace(os.sep, "/")
