"""Collects evidence inside a namespace, many times in one process, as a host does.

with Namespace([ConfigfsTsm("sev_guest")]) as machine, Collector(machine, TSM) as collector:
    collected = collector.collect(bytes(64))
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from importlib import import_module
from types import TracebackType
from typing import Any, Self

from wasmtime_attestation.attesters import Attester
from wasmtime_attestation.errors import AttestationError
from wasmtime_attestation.evidence.envelope import Evidence

from tests.emulation.namespace import Namespace

TSM = "tsm.TsmAttester"
SEV_GUEST = "sev_guest.SevGuestAttester"
TDX_GUEST = "tdx_guest.TdxGuestAttester"


@dataclass(frozen=True)
class Collected:
    """How a call ended.

    Attributes:
        error: the class of the error; empty if there was none.
        message: of the error.
        type: of the evidence.
        data: of the evidence.
        endorsements: type and bytes.
        seconds: how long it took.
        order: the how manieth it was to end, of those that ran at once.
    """

    error: str
    message: str
    type: str
    data: bytes
    endorsements: tuple[tuple[str, bytes], ...]
    seconds: float
    order: int


class Collector:
    """A process inside that has an attester.

    Args:
        machine: where.
        attester: module and class.
        arguments: of the class.
    """

    def __init__(self, machine: Namespace, attester: str, **arguments: object) -> None:
        command = (sys.executable, "-m", "tests.attesters.collecting")
        self.process = machine.start(*command, attester, json.dumps(arguments))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()

    def collect(self, report_data: bytes) -> Collected:
        """Collects once."""
        return self.collect_at_once(report_data, 1)[0]

    def collect_at_once(self, report_data: bytes, count: int) -> list[Collected]:
        """Collects by some threads at once, which begin one after the other."""
        answers = self._ask({"report_data": report_data.hex(), "count": count})
        return [
            Collected(
                answer["error"],
                answer["message"],
                answer["type"],
                bytes.fromhex(answer["data"]),
                tuple((kind, bytes.fromhex(data)) for kind, data in answer["endorsements"]),
                answer["seconds"],
                answer["order"],
            )
            for answer in answers
        ]

    def info(self) -> tuple[str, bool, str]:
        """Returns TEE type, whether it can be attested, and the provider."""
        tee_type, supported, provider = self._ask({"info": True})
        return tee_type, supported, provider

    def _ask(self, request: dict[str, object]) -> Any:  # noqa: ANN401  JSON
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, _errors(self.process)
        return json.loads(line)


def in_order(collected: list[Collected]) -> bool:
    """Whether who came first was served first; a busy machine may tell of neighbours in turn."""
    return all(abs(one.order - place) <= 3 for place, one in enumerate(collected, 1))


def _errors(process: subprocess.Popen[bytes]) -> str:
    assert process.stderr is not None
    return process.stderr.read().decode()


def _one(attester: Attester, report_data: bytes, ended: list[int]) -> dict[str, object]:
    begin = time.monotonic()
    error, message, evidence = "", "", None
    try:
        evidence = attester.collect(report_data)
    except AttestationError as caught:
        error, message = type(caught).__name__, str(caught)
    ended.append(1)
    return {
        "error": error,
        "message": message,
        "seconds": time.monotonic() - begin,
        "order": len(ended),
        **_described(evidence),
    }


def _described(evidence: Evidence | None) -> dict[str, object]:
    if evidence is None:
        return {"type": "", "data": "", "endorsements": []}
    return {
        "type": evidence.type,
        "data": evidence.data.hex(),
        "endorsements": [(item.type, item.data.hex()) for item in evidence.endorsements],
    }


def _at_once(attester: Attester, report_data: bytes, count: int) -> list[dict[str, object]]:
    answers: list[dict[str, object]] = [{}] * count
    ended: list[int] = []

    def collect(index: int) -> None:
        own = report_data[:-1] + bytes([index])
        answers[index] = _one(attester, own if count > 1 else report_data, ended)

    threads = [threading.Thread(target=collect, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
        time.sleep(0.001)
    for thread in threads:
        thread.join()
    return answers


def main() -> None:
    """Answers requests, each a line of JSON, until standard input ends."""
    module, _, name = sys.argv[1].partition(".")
    attester = getattr(import_module(f"wasmtime_attestation.attesters.{module}"), name)(
        **json.loads(sys.argv[2])
    )
    for line in sys.stdin:
        request = json.loads(line)
        answer: object
        if "info" in request:
            info = attester.info()
            answer = (info.tee_type, info.supports_attestation, info.provider)
        else:
            answer = _at_once(attester, bytes.fromhex(request["report_data"]), request["count"])
        print(json.dumps(answer), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
