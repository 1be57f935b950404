"""Each nonce is accepted once, whoever tries; where nobody knows, none is."""

from __future__ import annotations

import os
import sqlite3
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from wasmtime_attestation.cache.redis_server import RedisServer
from wasmtime_attestation.errors import InvalidArgumentError, UnavailableError, UnsupportedError
from wasmtime_attestation.nonces import LONGEST, NonceRecord
from wasmtime_attestation.nonces.file import FileNonces
from wasmtime_attestation.nonces.memory import MemoryNonces
from wasmtime_attestation.nonces.redis import RedisNonces

from tests.nonces.server import redis_server

ROOT = Path(__file__).parents[2]
NONCE = bytes(range(32))
DAY = 86_400


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    with redis_server(tmp_path) as url:
        yield url


@pytest.fixture(params=["memory", "file", "redis"])
def record(request: pytest.FixtureRequest, tmp_path: Path) -> NonceRecord:
    match request.param:
        case "memory":
            return MemoryNonces()
        case "file":
            return FileNonces(tmp_path / "nonces")
        case _:
            return RedisNonces(RedisServer(request.getfixturevalue("redis")))


def soon() -> int:
    return int(time.time()) + 300


def test_a_nonce_is_used_once(record: NonceRecord) -> None:
    assert [record.use(NONCE, soon()) for _ in range(3)] == [True, False, False]
    assert record.use(NONCE[:8], soon())
    assert record.use(b"\0" + NONCE, soon())


@pytest.mark.parametrize("left", [0, -1, LONGEST + 2])
def test_a_time_that_is_over_or_far_away(record: NonceRecord, left: int) -> None:
    with pytest.raises(ValueError, match="is remembered for"):
        record.use(NONCE, int(time.time()) + left)


def test_of_many_threads_one_is_first(record: NonceRecord) -> None:
    with ThreadPoolExecutor(16) as pool:
        firsts = list(pool.map(lambda n: record.use(bytes([n % 8]) * 8, soon()), range(64)))
    assert sum(firsts) == 8


@pytest.mark.parametrize("kind", ["file", "redis"])
def test_of_two_processes_one_is_first(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    where = str(tmp_path / "nonces") if kind == "file" else request.getfixturevalue("redis")
    count = 40 if kind == "file" else 400
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.nonces.using", where, str(count)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sys.path))},
        )
        for _ in range(2)
    ]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    firsts = [process.communicate(timeout=60)[0].split() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted(map(int, firsts[0] + firsts[1])) == list(range(count))


def test_two_clients_of_one_server(redis: str) -> None:
    one, two = (RedisNonces(RedisServer(redis)) for _ in range(2))
    assert [one.use(NONCE, soon()), two.use(NONCE, soon())] == [True, False]
    assert [two.use(NONCE[1:], soon()), one.use(NONCE[1:], soon())] == [True, False]


def test_the_server_gets_digests_that_expire(redis: str) -> None:
    import redis as library

    RedisNonces(RedisServer(redis)).use(NONCE, soon())
    client = library.Redis.from_url(redis)
    (key,) = client.keys()
    assert NONCE not in key
    assert NONCE.hex().encode() not in key
    assert DAY <= client.ttl(key) <= DAY + 300
    client.close()


def test_a_server_that_is_away(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="cannot be used"):
        RedisNonces(RedisServer(f"unix://{tmp_path}/none")).use(NONCE, soon())


def test_a_server_that_goes_away(tmp_path: Path) -> None:
    with redis_server(tmp_path) as url:
        record = RedisNonces(RedisServer(url))
        assert record.use(NONCE, soon())
    with pytest.raises(UnavailableError, match="cannot be used"):
        record.use(NONCE, soon())


def test_a_server_that_forgets(tmp_path: Path) -> None:
    options = ("--maxmemory", "10mb", "--maxmemory-policy", "allkeys-lru")
    with (
        redis_server(tmp_path, *options) as url,
        pytest.raises(UnavailableError, match=r"forgets keys .* \(maxmemory-policy allkeys-lru\)"),
    ):
        RedisNonces(RedisServer(url)).use(NONCE, soon())


def test_a_server_that_is_full(tmp_path: Path) -> None:
    options = ("--maxmemory", "1", "--maxmemory-policy", "noeviction")
    with (
        redis_server(tmp_path, *options) as url,
        pytest.raises(UnavailableError, match="maxmemory"),
    ):
        RedisNonces(RedisServer(url)).use(NONCE, soon())


def test_a_server_that_wants_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with redis_server(tmp_path, "--requirepass", "hunter2") as url:
        with pytest.raises(UnavailableError, match="authenticate"):
            RedisNonces(RedisServer(url)).use(NONCE, soon())
        monkeypatch.setenv("WASMTIME_ATTESTATION_REDIS_PASSWORD", "hunter2")
        server = RedisServer(url)
        assert RedisNonces(server).use(NONCE, soon())
        assert "hunter2" not in str(server) + repr(server)


@pytest.mark.parametrize(
    "url",
    [
        "http://redis.example",
        "redis://",
        "redis://user:password@redis.example",
        "rediss://redis.example?ssl_cert_reqs=none",
        "redis://redis.example/zero",
        "redis://a b",
    ],
)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(InvalidArgumentError, match="a Redis server is named as"):
        RedisServer(url)


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(UnsupportedError, match=r"pip install 'wasmtime-attestation\[redis\]'"):
        RedisServer("redis://redis.example")


def test_a_memory_that_is_full_has_no_answer() -> None:
    now = [0.0]
    record = MemoryNonces(lambda: 1000, 2, lambda: now[0])
    assert [record.use(bytes([n]) * 8, 1100) for n in (0, 1)] == [True, True]
    with pytest.raises(UnavailableError, match="2 nonces are remembered already"):
        record.use(b"2" * 8, 1100)
    assert not record.use(bytes(8), 1100)
    now[0] = 102.0
    assert record.use(b"2" * 8, 1100)


def test_a_file_outlives_its_process_and_forgets_in_the_end(tmp_path: Path) -> None:
    path, now = tmp_path / "nonces", 1000
    assert FileNonces(path, lambda: now).use(NONCE, 1100)
    assert path.stat().st_mode & 0o777 == 0o600
    # A clock that runs ahead for some hours does not make it forget.
    assert FileNonces(path, lambda: now + DAY - 1).use(b"other", now + DAY + 10)
    assert not FileNonces(path, lambda: now).use(NONCE, 1100)
    FileNonces(path, lambda: now + 3 * DAY).use(b"another", now + 3 * DAY + 10)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM nonces").fetchone() == (1,)
    connection.close()


def test_a_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("this is no database, whatever it may be. " * 100)
    (tmp_path / "text").chmod(0o600)
    with pytest.raises(UnavailableError, match="not a database"):
        FileNonces(tmp_path / "text").use(NONCE, soon())
    with pytest.raises(UnavailableError, match="No such file"):
        FileNonces(tmp_path / "none" / "nonces").use(NONCE, soon())
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnavailableError, match="symbolic links"):
        FileNonces(tmp_path / "link").use(NONCE, soon())
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_file_that_others_can_write(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "nonces"
    path.touch()
    path.chmod(mode)
    with pytest.raises(InvalidArgumentError, match="chmod 600"):
        FileNonces(path).use(NONCE, soon())


@pytest.mark.parametrize("mode", [0o1777, 0o770])
def test_a_folder_in_which_others_can_put_a_journal(tmp_path: Path, mode: int) -> None:
    """An empty journal that says that the file was empty before has SQLite empty it."""
    record = FileNonces(tmp_path / "nonces")
    assert record.use(NONCE, soon())
    tmp_path.chmod(mode)
    # SQLite, "Database File Format", section 3: magic, records, nonce, pages before, sector, page.
    header = bytes.fromhex("d9d505f920a163d7") + struct.pack(">5I", 0, 0, 0, 512, 4096)
    (tmp_path / "nonces-journal").write_bytes(header.ljust(512, b"\0"))
    with pytest.raises(InvalidArgumentError, match="chmod go-w"):
        record.use(NONCE, soon())
