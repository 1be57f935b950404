"""Forms of answers are kept, and yet a guest sees what its host answers at that moment."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wasmtime import Engine, Linker, Module, Store
from wasmtime.component import Component
from wasmtime.component import Linker as ComponentLinker
from wasmtime_attestation import wit
from wasmtime_attestation.attesters import machine as attesters
from wasmtime_attestation.issuer import TokenIssuer
from wasmtime_attestation.service import AttestationService, Settings
from wasmtime_attestation.world.binding.kept import MAX_KEPT, KeptForms
from wasmtime_attestation.world.component import link_component
from wasmtime_attestation.world.host_calls import call_guest
from wasmtime_attestation.world.legacy import link_legacy

from tests.fakes.amd import MILAN, real_anchors
from tests.fakes.host import GUEST, OTHER_GUEST, Clock
from tests.world import components, core_guest
from tests.world.core_paths import PATHS
from tests.world.scripted_world import ATTESTED, SNP, ScriptedWorld

Ask = Callable[..., str]
"""Calls the host from a guest, and returns the token, or the provider, that it gets."""
EMBEDDED = {"component, fast": True, "component, stock": False}
KINDS = (*EMBEDDED, *(f"core, {path}" for path in PATHS))


ENGINE = Engine()


@cache
def component() -> Component:
    return Component(ENGINE, components.forwarder())


@cache
def module() -> Module:
    return Module(ENGINE, core_guest.forwarder())


def guests(kind: str, world: wit.World) -> Callable[[], Ask]:
    """Returns what makes instances that share one linker."""
    if kind in EMBEDDED:
        linker = ComponentLinker(ENGINE)
        link_component(linker, world, fast=EMBEDDED[kind])
        return lambda: _component(linker)
    core = Linker(ENGINE)
    link_legacy(core, world, define=PATHS[kind.removeprefix("core, ")])
    return lambda: _core(core)


def _component(linker: ComponentLinker) -> Ask:
    store = Store(ENGINE)
    instance = call_guest(linker.instantiate, store, component())

    def ask(name: str, *arguments: int) -> str:
        function = instance.get_func(store, name)
        assert function is not None
        answer = components.plain(call_guest(function, store, *arguments))
        if isinstance(answer, tuple):
            answer = answer[1]
        assert answer is None or isinstance(answer, dict)
        return "" if answer is None else str(answer.get("token", answer.get("provider")))

    return ask


def _core(linker: Linker) -> Ask:
    guest = core_guest.CoreGuest(module(), linker=linker)

    def ask(name: str, *arguments: int) -> str:
        if name == "clear-cache":
            return str(guest.call("clear_cache") or "")
        answer = json.loads(guest.bytes_at(guest.call(name.replace("-", "_"), *arguments)))
        return str(answer["token"] if "token" in answer else answer["provider"])

    return ask


ANSWERS = [replace(ATTESTED, token=f"token{number}") for number in range(MAX_KEPT + 2)]
FOUND = [replace(SNP, provider=f"provider{number}") for number in range(3)]
FUNCTIONS = {"attest-vm": (), "attest-gpu": (0,), "detect-tee": ()}
STEPS = st.lists(
    st.tuples(st.sampled_from(sorted(FUNCTIONS)), st.integers(0, MAX_KEPT + 1), st.booleans()),
    min_size=1,
    max_size=40,
)


@pytest.mark.parametrize("kind", KINDS)
@given(steps=STEPS)
@settings(max_examples=25, deadline=None)
def test_a_guest_sees_each_answer_whether_it_was_given_before_or_not(
    kind: str, steps: list[tuple[str, int, bool]]
) -> None:
    world = ScriptedWorld()
    ask = guests(kind, world)()
    for name, number, is_new in steps:
        attested, found = ANSWERS[number], FOUND[number % len(FOUND)]
        if is_new:  # equal to one that was given before, or not: another object, and another text
            attested = replace(attested, token=f"{attested.token}new")
            found = replace(found, provider=f"{found.provider}new")
        world.tee, world.vm, world.gpu = found, attested, attested
        expected = found.provider if name == "detect-tee" else attested.token
        assert ask(name, *FUNCTIONS[name]) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_fast_and_stock_guests_get_the_tokens_that_the_cache_hands_out(kind: str) -> None:
    clock = Clock()
    service = AttestationService(
        attesters.Machine(MILAN), Settings(real_anchors()), clock, TokenIssuer(300)
    )
    asks = {}
    for digest in (GUEST, OTHER_GUEST):
        asks[digest] = guests(kind, service.for_guest(digest))()
    first = asks[GUEST]("attest-vm")
    other = asks[OTHER_GUEST]("attest-vm")
    assert first == asks[GUEST]("attest-vm") == service.for_guest(GUEST).attest_vm().token
    assert other not in (first, "")
    asks[GUEST]("clear-cache")
    second = asks[GUEST]("attest-vm")
    assert second != first
    assert asks[OTHER_GUEST]("attest-vm") == other
    clock.now += 300
    third = asks[GUEST]("attest-vm")
    assert third not in (first, second)
    assert asks[OTHER_GUEST]("attest-vm") not in (first, second, third, other)
    assert third == service.for_guest(GUEST).attest_vm().token


@pytest.mark.parametrize("kind", KINDS)
def test_threads_that_share_a_linker_see_no_token_after_it_was_cleared(kind: str) -> None:
    service = AttestationService(
        attesters.Machine(MILAN), Settings(real_anchors()), Clock(), TokenIssuer(300)
    )
    makers = {digest: guests(kind, service.for_guest(digest)) for digest in (GUEST, OTHER_GUEST)}

    def run(digest: bytes) -> list[set[str]]:
        ask, seen = makers[digest](), []
        for _ in range(5):  # the guest frees nothing
            seen.append({ask("attest-vm") for _ in range(3)})
            ask("clear-cache")
        return seen

    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(run, makers))
    for seen in both:
        assert [len(tokens) for tokens in seen] == [1] * 5
    every = [token for seen in both for tokens in seen for token in tokens]
    assert len(set(every)) == len(every)


def test_forms_are_found_by_the_object_alone_and_few_are_kept() -> None:
    forms = KeptForms[bytes]()
    answers = [replace(ATTESTED) for _ in range(3 * MAX_KEPT)]
    for number, answer in enumerate(answers):
        assert forms.get(answer) is None
        forms.put(answer, b"%d" % number)
        assert forms.get(answer) == b"%d" % number
        assert forms.get(replace(answer)) is None
    assert sum(forms.get(answer) is not None for answer in answers) <= MAX_KEPT


def test_the_form_of_an_object_that_is_gone_is_no_other_objects() -> None:
    forms = KeptForms[int]()
    for number in range(1000):
        answer = replace(ATTESTED)  # where the one before was, if nobody kept it
        assert forms.get(answer) is None
        forms.put(answer, number)
