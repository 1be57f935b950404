"""Services that are wrong, or that somebody answers for: no guest sees their token.

One guest goes through all of it for each service and ABI, since starting costs most. For each act
it asks for what the host may keep, then for the same of a service that is right again, and then
for the answer to its challenge. What the service said to that, a relying party is shown too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import pytest

from tests.emulation.namespace import Namespace
from tests.paths.acts import AGAIN, TRUTH
from tests.paths.guests import ABIS
from tests.paths.hosts import Host, Line, RelyingParty, expecting
from tests.paths.services import Answered

TARGETS = MappingProxyType({"maa": "vm", "ita": "vm", "nras": "gpu:7", "trustee": "vm"})


@dataclass(frozen=True)
class Told:
    """What is said of an act.

    Attributes:
        case: what the guest is told: the error's case, or `ok`.
        why: what the message must have in it, a regular expression.
        code: the exit code of a relying party that demands the answer to its challenge.
    """

    case: str
    why: str = ""
    code: int = 4


def rejected(why: str, code: int = 4) -> Told:
    return Told("rejected", why, code)


OK = Told("ok", code=0)
EXPIRED = rejected(r"token\.time: expired \d+ s ago; attest again")
ELSEWHERE = rejected(r"token\.key: .*https://evil\.example/certs.* are at https://127\.0\.0\.1")
ANOTHER_KEY = rejected(r"token\.(key|signature): .*the issuer")
# A relying party without reference values cannot know which machine it was.
ANOTHER_MACHINE = rejected(r"service\.evidence: .*it is about another machine", code=0)
EVERY: Mapping[str, Told] = MappingProxyType(
    {
        AGAIN: rejected(r"token\.nonce|evidence\.binding"),
        "rotated": OK,
        "ahead": rejected(r"token\.time: not yet valid: it begins in .*compare the clocks"),
        "behind": OK,
        "expired": EXPIRED,
        "other machine": ANOTHER_MACHINE,
        "other nonce": rejected(r"token\.nonce"),
        "other issuer": rejected(r"token\.issuer: .*https://other\.example.*its own are of"),
        "elsewhere": ELSEWHERE,
        "no": Told("policy", r"policy\.debug", code=5),
    }
)
"""What is said of each act, whichever service plays it."""
OTHERWISE: Mapping[str, Mapping[str, Told]] = MappingProxyType(
    {
        "maa": {},
        "ita": {
            # Its tokens live five minutes.
            "behind": EXPIRED,
            "other nonce": rejected(r"(token|ita)\.nonce"),
            "unmatched": Told("policy", "required policies did not match", code=5),
        },
        "nras": {
            "other machine": rejected(r"nras\.device", code=0),
            "elsewhere": ANOTHER_KEY,
            "no": Told("policy", "x-nvidia-overall-att-result", code=5),
        },
        "trustee": {
            "behind": EXPIRED,
            "elsewhere": ANOTHER_KEY,
            # The session's nonce is the host's own: relying parties demand what is bound.
            "other nonce": rejected(r"token\.nonce", code=0),
            "no": Told("policy", "contraindicated", code=5),
        },
    }
)
"""What is said otherwise of one."""
CASES = [(service, act) for service in TARGETS for act in {**EVERY, **OTHERWISE[service]}]


@dataclass(frozen=True)
class Played:
    """One act, played by a service.

    Attributes:
        host: which asked.
        kept, then, fresh: what the guest was told: of the act, of the truth, of its challenge.
        answered: what the service answered to the challenge.
    """

    host: Host
    kept: Line
    then: Line
    fresh: Line
    answered: Answered


Plays = Mapping[tuple[str, str], Played]


def play(host: Host) -> Iterator[tuple[str, Played]]:
    """Has a guest ask a service that plays all its acts, after it told the truth once."""
    target = TARGETS[host.service]
    names = [act for service, act in CASES if service == host.service]
    kept, fresh = f"kept:{target}", f"fresh:{target}"
    words, script, challenged = [kept], [TRUTH], []
    for act in names:
        words += ["clear", kept, kept, fresh]
        # What the host may keep is kept: it is not asked for again.
        script += [act, act] if told(host.service, act) == OK else [act, TRUTH, act]
        challenged.append(len(script) - 1)
    before = len(host.answers)
    first, *lines = host.run(words, script)
    answers = host.answers[before:]
    assert [answer.act for answer in answers] == script
    assert first.case == "ok", first.text
    check_disk(host, lines, answers)
    for number, act in enumerate(names):
        kept_line, then, fresh_line = lines[3 * number : 3 * number + 3]
        yield act, Played(host, kept_line, then, fresh_line, answers[challenged[number]])


def check_disk(host: Host, lines: Sequence[Line], answers: Sequence[Answered]) -> None:
    """Checks that what is kept on the disk is what the guest got last, and no lie."""
    kept = b"".join(file.read_bytes() for file in host.cache.rglob("*") if file.is_file())
    assert lines[-2].text.encode() in kept
    for answer in answers:
        if told(host.service, answer.act).case != "ok":
            assert answer.token.encode() not in kept


def told(service: str, act: str) -> Told:
    return ({TRUTH: OK} | dict(OTHERWISE[service])).get(act) or EVERY[act]


@pytest.fixture(scope="module", params=ABIS)
def plays(
    request: pytest.FixtureRequest, tdx: Namespace, tmp_path_factory: pytest.TempPathFactory
) -> Plays:
    found: dict[tuple[str, str], Played] = {}
    for service in TARGETS:
        host = Host(tdx, service, request.param, tmp_path_factory.mktemp(service))
        found |= {(service, act): played for act, played in play(host)}
    return found


@pytest.mark.parametrize(("service", "act"), CASES)
def test_act(plays: Plays, service: str, act: str) -> None:
    played, right = plays[service, act], told(service, act)
    for line in (played.kept, played.fresh):
        assert line.case == right.case, line.text
        assert re.search(right.why, line.text), line.text
        assert line.also == ("true" if right == OK else "")
    # Whatever went before, the guest gets the truth as soon as there is one.
    assert (played.then.case, played.then.also) == ("ok", "true"), played.then.text
    assert (played.then.text == played.kept.text) == (right == OK)
    relying = RelyingParty(played.host, played.answered.keys)
    code, report = relying.verify(played.answered.token, *expecting(played.host))
    assert code == right.code, report
