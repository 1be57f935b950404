"""Endorsements on a real Redis server: shared, whole or none, and never what rests on TLS alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from wasmtime_attestation.cache import redis_answers
from wasmtime_attestation.cache.redis_answers import Layered, SharedAnswers
from wasmtime_attestation.cache.redis_server import RedisServer
from wasmtime_attestation.claims.verdict import TokenKind
from wasmtime_attestation.endorsers import jwks
from wasmtime_attestation.endorsers.disk_cache import MAX_ENTRY, DiskCache, Entry, encode
from wasmtime_attestation.endorsers.question import Question, Reply
from wasmtime_attestation.endorsers.source import Source
from wasmtime_attestation.errors import UnavailableError

from tests.cli.tool import run
from tests.endorsers.questions import crl, question
from tests.fakes.amd import AT, MILAN
from tests.nonces.server import redis_server

QUESTION = question()
ENTRY = Entry(AT, Reply(crl(), {"x-issuer": "chain"}))


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with redis_server(tmp_path) as address:
        yield address


@pytest.fixture
def answers(url: str) -> SharedAnswers:
    return SharedAnswers(RedisServer(url))


@pytest.fixture
def client(url: str) -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(url)
    yield client
    client.close()


def value(client: redis.Redis, key: object) -> bytes:
    data = client.get(key)  # type: ignore[arg-type]
    assert isinstance(data, bytes)
    return data


def test_what_one_client_writes_another_reads(answers: SharedAnswers, url: str) -> None:
    other = SharedAnswers(RedisServer(url))
    assert other.read(QUESTION) is None
    answers.write(QUESTION, ENTRY)
    assert other.read(QUESTION) == ENTRY
    assert other.read(question("https://kds.example/other")) is None
    answers.write(QUESTION, Entry(AT, None))
    assert other.read(QUESTION) == Entry(AT, None)


def test_it_expires(answers: SharedAnswers, client: redis.Redis) -> None:
    answers.write(QUESTION, ENTRY)
    (key,) = client.keys()
    assert 0 < client.ttl(key) <= redis_answers.LIFETIME
    assert b"secret" not in value(client, key)


def test_every_flip_and_every_cut_is_noticed(answers: SharedAnswers, client: redis.Redis) -> None:
    answers.write(QUESTION, ENTRY)
    (key,) = client.keys()
    whole = value(client, key)
    for index in range(len(whole)):
        for damaged in (
            whole[:index] + bytes([whole[index] ^ 1]) + whole[index + 1 :],
            whole[:index],
        ):
            client.set(key, damaged)
            assert answers.read(QUESTION) is None, index
    client.set(key, whole + b"\n")
    assert answers.read(QUESTION) is None
    assert client.keys() == []
    client.set(key, whole)
    assert answers.read(QUESTION) == ENTRY


def test_what_is_too_large_is_neither_read_nor_written(
    answers: SharedAnswers, client: redis.Redis
) -> None:
    vast = Entry(AT, Reply(b"x" * (MAX_ENTRY + 1)))
    answers.write(QUESTION, vast)
    assert client.keys() == []
    answers.write(QUESTION, ENTRY)
    client.set(client.keys()[0], encode(vast, QUESTION))
    assert answers.read(QUESTION) is None


def test_another_type_under_the_key(
    answers: SharedAnswers, client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    answers.write(QUESTION, ENTRY)
    (key,) = client.keys()
    client.delete(key)
    client.lpush(key, "x")
    assert answers.read(QUESTION) is None
    assert "endorsements are not shared" in caplog.text


def test_keys_of_services_are_never_shared(answers: SharedAnswers, client: redis.Redis) -> None:
    """A signature does not show whose they are: whoever writes there could make tokens."""
    keys = jwks.keys(TokenKind.MAA, "https://maa.example", None)
    assert keys is not None
    answers.write(keys, ENTRY)
    assert client.keys() == []
    trusting = replace(keys, proves_itself=True)
    answers.write(trusting, ENTRY)
    assert len(client.keys()) == 1
    assert answers.read(keys) is None


def test_a_server_that_failed_is_left_alone_for_a_while(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    now = [0.0]
    with redis_server(tmp_path) as address:
        answers = SharedAnswers(RedisServer(address), lambda: now[0])
        answers.write(QUESTION, ENTRY)
    for _ in range(3):
        assert answers.read(QUESTION) is None
        answers.write(QUESTION, ENTRY)
    assert caplog.text.count("endorsements are not shared") == 1
    with redis_server(tmp_path):
        assert answers.read(QUESTION) is None
        now[0] = redis_answers.PAUSE
        answers.write(QUESTION, ENTRY)
        assert answers.read(QUESTION) == ENTRY


def test_what_this_machine_lacks_others_may_have(answers: SharedAnswers, tmp_path: Path) -> None:
    near = DiskCache(tmp_path / "cache")
    both = Layered(near, answers)
    both.write(QUESTION, ENTRY)
    assert near.read(QUESTION) == answers.read(QUESTION) == ENTRY
    elsewhere = Layered(DiskCache(tmp_path / "elsewhere"), answers)
    assert elsewhere.read(QUESTION) == ENTRY
    newer = Entry(AT + timedelta(hours=1), Reply(crl()))
    near.write(QUESTION, newer)
    assert both.read(QUESTION) == newer


def test_what_was_shared_is_held_to_the_question(answers: SharedAnswers) -> None:
    """Somebody who can write there can only make us ask the service."""

    def ask(asked: Question) -> bytes:
        with Source(answers, offline=True, clock=lambda: AT) as source:
            return source.ask(asked, AT).pieces[0].data

    answers.write(QUESTION, Entry(AT, Reply(b"no list at all")))
    with pytest.raises(UnavailableError):
        ask(QUESTION)
    answers.write(QUESTION, Entry(AT + timedelta(seconds=1), ENTRY.reply))
    with pytest.raises(UnavailableError):
        ask(QUESTION)
    answers.write(QUESTION, ENTRY)
    assert ENTRY.reply is not None
    assert ask(QUESTION) == ENTRY.reply.body


def test_the_environment_names_the_server_of_the_tool(
    url: str, client: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also offline: what others were answered is no question to a service."""
    report = tmp_path / "report"
    report.write_bytes(MILAN.collect(bytes(64)).data)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("WASMTIME_ATTESTATION_REDIS", "http://cache.example")
    assert run("verify", report, "--offline").code == 2
    monkeypatch.setenv("WASMTIME_ATTESTATION_REDIS", url)
    before = client.info("stats")["total_commands_processed"]
    assert run("verify", report, "--offline").code != 0
    assert client.info("stats")["total_commands_processed"] > before + 1
