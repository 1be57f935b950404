"""Measures what a guest's calls of its host cost, beside wasmtime-py without this project."""

from __future__ import annotations

import secrets
import time

from wasmtime import Engine, component
from wasmtime_attestation import wit
from wasmtime_attestation.attesters.machine import Machine
from wasmtime_attestation.attesters.simulated import SimulatedAttester
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.service import AttestationService, Settings
from wasmtime_attestation.world.component import link_component
from wasmtime_attestation.world.guest import Abi, Guest
from wasmtime_attestation.world.host_calls import ShieldedLinker
from wasmtime_attestation.world.legacy import link_legacy

from benchmarks import octets, stock
from benchmarks.goals import Comparison, at_least, at_most
from benchmarks.guest import MAX_TOKENS, ComponentGuest, CoreGuest
from benchmarks.timing import Batch, Effort, measure, print_machine, print_table

AnyGuest = ComponentGuest | CoreGuest
Key = tuple[Abi, str]

STOCK = "stock "
NOTHING = STOCK + "nothing"
"""A stock function that takes nothing and does nothing."""
COMPARED = {
    "detect-tee": "detect-tee",
    "attest-vm, cached": "attest-vm",
    "verify-token, the same": "verify-token",
    "verify-token, never seen": "verify-token",
    "list<u8> of 64 KiB, in": "list<u8> in",
    "list<u8> of 64 KiB, out": "list<u8> out",
}
"""The rows of the table, and the stock call that stands beside each."""


def main() -> None:
    """Measures and prints the table."""
    spent = _measured(Effort.chosen(__doc__))
    print_table(
        ("call", "ABI", "ours µs", "stock µs", "stock / ours"),
        [_row(spent, call, abi) for abi, call in spent if not call.startswith(STOCK)],
    )
    print()
    print_table(
        ("nothing", "ABI", "stock µs", "ours, verified before / stock"),
        [_nothing_row(spent, abi) for abi in Abi],
    )
    print_machine("wasmtime", "cryptography")


def compared(effort: Effort) -> list[Comparison]:
    """Measures host calls, and holds them against their goals."""
    spent, found = _measured(effort), []
    for abi, least in ((Abi.COMPONENT, 20.0), (Abi.CORE, 4.0)):
        for call in ("detect-tee", "attest-vm, cached"):
            _, _, ours, plain, times = _row(spent, call, abi)
            goal = at_least(least)
            against = "the same call of wasmtime-py"
            found.append(Comparison(f"{call}, {abi}", ours, plain, "µs", against, times, goal))
        nothing, ours = spent[abi, NOTHING], spent[abi, "verify-token, the same"]
        against, times = "a call of wasmtime-py that does nothing", ours / nothing
        what = f"verify-token, verified before, {abi}"
        found.append(Comparison(what, ours, nothing, "µs", against, times, at_most(5)))
    return found


def _measured(effort: Effort) -> dict[Key, float]:
    service = started_service()
    batches = {key: batch for abi in Abi for key, batch in _batches(abi, service).items()}
    return measure(batches | _octets_batches(), effort)


def _nothing_row(spent: dict[Key, float], abi: Abi) -> tuple[str, str, float, float]:
    nothing = spent[abi, NOTHING]
    return "takes and does nothing", abi, nothing, spent[abi, "verify-token, the same"] / nothing


def started_service() -> AttestationService:
    """Returns a host on the simulated TEE."""
    attester = SimulatedAttester(int(time.time()))
    anchors = Anchors(()).trusting([attester.root_fingerprint])
    return AttestationService(Machine(attester), Settings(anchors), time.time)


def _row(spent: dict[Key, float], call: str, abi: Abi) -> tuple[str, str, float, float, float]:
    ours, compared = spent[abi, call], spent[abi, STOCK + COMPARED[call]]
    return call, abi, ours, compared, compared / ours


def _batches(abi: Abi, service: AttestationService) -> dict[Key, Batch]:
    wasm = ComponentGuest.wasm if abi is Abi.COMPONENT else CoreGuest.wasm
    world = service.for_guest(Guest("benchmark", wasm).digest)
    ours, plain = _components(world) if abi is Abi.COMPONENT else _core_modules(world)
    token = world.attest_vm().token
    return {
        (abi, "detect-tee"): _calls(ours, "detect-tee"),
        (abi, "attest-vm, cached"): _calls(ours, "attest-vm"),
        (abi, "verify-token, the same"): _verifications(ours, token),
        (abi, "verify-token, never seen"): _first_verifications(ours, world, len(token)),
        (abi, STOCK + "detect-tee"): _calls(plain, "detect-tee"),
        (abi, STOCK + "attest-vm"): _calls(plain, "attest-vm"),
        (abi, STOCK + "verify-token"): _verifications(plain, token),
        (abi, NOTHING): _calls(plain, "clear-cache"),
    }


def _octets_batches() -> dict[Key, Batch]:
    content = secrets.token_bytes(octets.SIZE)
    ours = octets.OctetsGuest(octets.linker(content))
    plain = octets.OctetsGuest(stock.octets_linker(content))
    return {
        (Abi.COMPONENT, "list<u8> of 64 KiB, in"): _calls(ours, "take"),
        (Abi.COMPONENT, "list<u8> of 64 KiB, out"): _calls(ours, "give"),
        (Abi.COMPONENT, STOCK + "list<u8> in"): _calls(plain, "take"),
        (Abi.COMPONENT, STOCK + "list<u8> out"): _calls(plain, "give"),
    }


def _components(world: wit.World) -> tuple[AnyGuest, AnyGuest]:
    linker = component.Linker(Engine())
    link_component(linker, world)
    return ComponentGuest(linker), ComponentGuest(stock.component_linker(world))


def _core_modules(world: wit.World) -> tuple[AnyGuest, AnyGuest]:
    linker = ShieldedLinker(Engine())
    link_legacy(linker, world)
    return CoreGuest(linker), CoreGuest(stock.core_linker(world))


def _calls(guest: AnyGuest | octets.OctetsGuest, name: str) -> Batch:
    return Batch(lambda calls: guest.loop(name, calls))


def _verifications(guest: AnyGuest, token: str) -> Batch:
    """Verifies one token again and again."""
    return Batch(
        run=lambda calls: guest.loop("verify-token", calls, len(token)),
        prepare=lambda _calls: guest.load(token),
    )


def _first_verifications(guest: AnyGuest, world: wit.World, size: int) -> Batch:
    """Verifies tokens that are new every time; `size` is the bytes of one."""
    return Batch(
        run=lambda calls: guest.loop("verify-token", calls, size, size),
        prepare=lambda calls: guest.load(_new_tokens(world, calls, size)),
        limit=MAX_TOKENS // size,
    )


def _new_tokens(world: wit.World, count: int, size: int) -> str:
    challenges = (wit.Challenge(nonce=secrets.token_bytes(32)) for _ in range(count))
    vm = wit.TargetVm()
    tokens = [world.attest(vm, challenge).token for challenge in challenges]
    assert {len(token) for token in tokens} == {size}
    return "".join(tokens)


if __name__ == "__main__":
    main()
