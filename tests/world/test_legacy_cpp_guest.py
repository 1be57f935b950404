"""The C++ guest and its header, as a guest author builds and runs them."""

from __future__ import annotations

import pytest
from wasmtime_attestation import wit

from tests.example_guests import cpp_reporter
from tests.guests import build
from tests.world.core_guest import Outcome, run_command
from tests.world.scripted_world import NO_TEE, TOKEN, ScriptedWorld, without_tee

TRAINED = "trained: y = 2 x + 1"


@pytest.mark.parametrize("arguments", [(), ("--require",)])
def test_works_where_it_is_attested(arguments: tuple[str, ...]) -> None:
    outcome = run_command(cpp_reporter(), ScriptedWorld(), *arguments)
    assert outcome == Outcome(
        0,
        [
            "detected: AMD SEV-SNP",
            f"token: {len(TOKEN)} characters",
            "forged: false",
            "challenge: affirming",
            "attested: AMD SEV-SNP",
            TRAINED,
        ],
    )


def test_says_what_a_simulation_is_worth() -> None:
    result = wit.AttestationResult(TOKEN, None, 1, wit.TeeType.SIMULATED)
    outcome = run_command(cpp_reporter(), ScriptedWorld(vm=result))
    assert outcome.lines[-2:] == ["attested: Simulated, which proves nothing", TRAINED]


def test_decides_where_it_is_not_attested() -> None:
    outcome = run_command(cpp_reporter(), without_tee())
    decided = "decided: to go on without the secret data"
    assert outcome == Outcome(0, ["detected: None", f"not attested: {NO_TEE}", decided])


def test_requires_attestation() -> None:
    outcome = run_command(cpp_reporter(), without_tee(), "--require")
    assert outcome.code == 1
    assert outcome.lines[-1] == "decided: to stop, since attestation is required"


def test_does_not_work_on_a_token_that_the_host_refuses() -> None:
    outcome = run_command(cpp_reporter(), ScriptedWorld(accepted="another"), "--require")
    assert outcome.code == 1
    assert "not attested: the host does not accept its own token" in outcome.lines
    assert TRAINED not in outcome.lines


@pytest.mark.parametrize(
    ("json", "lines"),
    [
        ('{"text":null,"flag":true,"number":-12}', ["text=none", "flag=1 number=-12"]),
        ('{"number":5,"flag":false,"text":"true"}', ["text=true", "flag=0 number=5"]),
        (
            '{"text":"a","flag":true,"number":"-9223372036854775808"}',
            ["text=a", "flag=1 number=-9223372036854775808"],
        ),
        (
            r'{"text":"\"q\" \\ \/ \u0041 \u00e9 \u20AC \ud83d\ude00","flag":false,"number":0}',
            ['text="q" \\ / A é € \N{GRINNING FACE}', "flag=0 number=0"],
        ),
        (
            (
                '{"new":{"text":"no","x":["}",[]]},"other":[{"flag":true}, -1.5e3, null],'
                ' "text" : "yes",\t"flag":false ,"number":\n7 }'
            ),
            ["text=yes", "flag=0 number=7"],
        ),
    ],
)
def test_header_reads_json(json: str, lines: list[str]) -> None:
    assert run_command(build.json_probe(), ScriptedWorld(), json) == Outcome(0, lines)


TEXT = '{{"flag":true,"number":0,"text":{}}}'


@pytest.mark.parametrize(
    "json",
    [
        "",
        "{",
        "null",
        "{}",
        '{"text"}',
        '{"text":null,"flag":true}',
        '{"text":null,"flag":true,"number":9223372036854775808}',
        '{"text":null,"flag":true,"number":1.5}',
        '{"text":null,"flag":"true","number":1}',
        '{"text":null,"flag":true,"flag":true,"number":1}',
        '{"text":null,"flag":true,"number":1,"deep":' + "[" * 100 + "]" * 100 + "}",
        TEXT.format(""),
        TEXT.format('"a'),
        TEXT.format('"a"}'),
        TEXT.format('"a",'),
        TEXT.format('"a" "b"'),
        TEXT.format("5"),
        TEXT.format('"a\nb"'),
        TEXT.format(r'"\x"'),
        TEXT.format(r'"\u12"'),
        TEXT.format(r'"\ud800"'),
        TEXT.format(r'"\ud800\u0041"'),
        TEXT.format(r'"\udc00\ud800"'),
    ],
)
def test_header_refuses_what_is_not_json(json: str) -> None:
    assert run_command(build.json_probe(), ScriptedWorld(), json) == Outcome(1, ["not JSON"])
