"""Collects with `AzureAttester` at the production paths: what a test runs within a namespace.

    python -m tests.attesters.azure_collect 2 D1 D2    # two threads, each D in hex
    python -m tests.attesters.azure_collect info
    python -m tests.attesters.azure_collect each       # D in hex on each line of standard input

One line of JSON for each on standard output: the evidence and what was logged, or the error.
"""

from __future__ import annotations

import base64
import io
import json
import logging
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from wasmtime_attestation.attesters.azure import AzureAttester
from wasmtime_attestation.errors import AttestationError


def main() -> None:
    """Does what the arguments say."""
    log = io.StringIO()
    logging.basicConfig(stream=log, format="%(message)s", level=logging.WARNING)
    attester = AzureAttester()
    if sys.argv[1] == "info":
        _print(_outcome(lambda: _info(attester)))
        return
    if sys.argv[1] == "each":
        for line in sys.stdin:
            log.seek(log.truncate(0))
            outcome = _outcome(partial(_collected, attester, bytes.fromhex(line)))
            _print(outcome | {"log": log.getvalue()})
        return
    data = [bytes.fromhex(text) for text in sys.argv[2:]]
    with ThreadPoolExecutor(int(sys.argv[1])) as threads:
        for outcome in threads.map(lambda d: _outcome(partial(_collected, attester, d)), data):
            _print(outcome)


def _info(attester: AzureAttester) -> dict[str, object]:
    info = attester.info()
    return {"tee_type": info.tee_type, "provider": info.provider}


def _collected(attester: AzureAttester, report_data: bytes) -> dict[str, object]:
    evidence = attester.collect(report_data)
    return {
        "type": evidence.type,
        "data": base64.b64encode(evidence.data).decode(),
        "certificates": [base64.b64encode(e.data).decode() for e in evidence.endorsements],
    }


def _outcome(call: Callable[[], dict[str, object]]) -> dict[str, object]:
    begin = time.monotonic()
    try:
        answer = call()
    except AttestationError as error:
        answer = {"error": error.case, "message": error.message}
    return answer | {"seconds": time.monotonic() - begin}


def _print(outcome: dict[str, object]) -> None:
    print(json.dumps(outcome), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
