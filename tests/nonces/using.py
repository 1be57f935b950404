"""Uses 200 nonces of a record, and prints those that it was the first to use: a process."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from wasmtime_attestation.cache.redis_server import RedisServer, is_address
from wasmtime_attestation.nonces import NonceRecord
from wasmtime_attestation.nonces.file import FileNonces
from wasmtime_attestation.nonces.redis import RedisNonces

COUNT = 200


def record(where: str) -> NonceRecord:
    return RedisNonces(RedisServer(where)) if is_address(where) else FileNonces(Path(where))


def main(where: str, count: int) -> None:
    used = record(where)
    until = int(time.time()) + 300
    print("ready", flush=True)  # noqa: T201
    sys.stdin.readline()
    for number in range(count):
        if used.use(number.to_bytes(8, "big"), until):
            print(number)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
