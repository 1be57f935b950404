"""A machine of its own for a test: emulations at production paths, in private namespaces.

    with Namespace([ConfigfsTsm("sev_guest")], hosts=("kds.example",)) as machine:
        outcome = machine.cli("attest", "vm", "--nonce", "00" * 16)   # the real tool
        assert outcome.code == 0
        machine.run("setpriv", "--reuid=65534", "--clear-groups", "cat", "/dev/tpmrm0")
        machine.tell("tsm", "EBUSY")                                  # changes an emulation
        assert machine.notes("tsm") == ["…"]                          # what it noted

An emulation (`tests.emulation.Emulation`) is a small class with plain attributes; it is pickled:

    class Imds(Emulation):
        name = "imds"

        def prepare(self, place: Place) -> None:          # files, and nodes to mount on
            place.mounts.file("/dev/tpmrm0")

        def serve(self, place: Place) -> None:            # in a process of its own
            server = ThreadingHTTPServer(("169.254.169.254", 80), Handler)
            place.ready()                                 # the namespace waits for it
            server.serve_forever()

    class Tpm(Emulation):                                 # a FUSE file at a path of /dev
        …
        def serve(self, place: Place) -> None:
            place.spawn("swtpm", "socket", …)             # dies with the emulation
            fuse.Server(fuse.File(opened), Path("/dev/tpmrm0")).serve(place.ready)

Inside, /dev has nothing but null, zero, full, random, urandom, tty, fuse, shm and what emulations
put there; /sys/kernel/config is an empty directory; the network is loopback with 127.0.0.1, ::1 and
169.254.169.254; `hosts` are names of 127.0.0.1; `files` stand at their paths, over those that are
there, and `hidden` paths are gone. `place.mounts.file` and `.directory` do the same in `prepare`,
at any path, also in /sys, /proc and /etc. HOME is an empty folder, and no proxy is set. /tmp and
the project are the machine's own. Keys that an emulation makes are written to `place.folder`, where
the test reads them (`machine.folder(name)`). At the end, also that of the test's process,
everything is killed and unmounted.

Emulations are modules of their own, not test modules, since another process imports them.
"""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.cli.tool import COMMAND, Outcome
from tests.emulation.emulation import Emulation
from tests.emulation.inside import READY, Plan
from tests.tools import missing, require

ROOT = Path(__file__).parents[2]
UNSHARE = ("unshare", "-mn", "--propagation", "private")


class Namespace:
    """A private mount and network namespace; a context manager.

    Args:
        emulations: in the order of their start.
        files: content of further files, by path.
        hidden: paths that must not exist inside.
        hosts: names that are this machine.
    """

    def __init__(
        self,
        emulations: Sequence[Emulation] = (),
        *,
        files: Mapping[str, bytes] | None = None,
        hidden: Iterable[str] = (),
        hosts: Iterable[str] = (),
    ) -> None:
        self._emulations = tuple(emulations)
        self._files, self._hidden, self._hosts = files or {}, tuple(hidden), tuple(hosts)
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        _require_root()
        self._home = Path(tempfile.mkdtemp(prefix="attestation-"))
        for name in ("stash", "home", *(emulation.name for emulation in self._emulations)):
            (self._home / name).mkdir()
        plan = Plan(self._home, self._emulations, self._files, self._hidden, self._hosts)
        with (self._home / "errors").open("wb") as errors:
            self._first = subprocess.Popen(
                [*UNSHARE, sys.executable, "-m", "tests.emulation.inside"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=ROOT,
                env=self.environment,
            )
        try:
            self._wait(pickle.dumps(plan))
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    @property
    def environment(self) -> dict[str, str]:
        """The environment of commands inside."""
        kept = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        path = os.pathsep.join((str(ROOT), *filter(None, [kept.get("PYTHONPATH")])))
        kept |= {"HOME": str(self._home / "home"), "PYTHONPATH": path}
        kept.pop("XDG_CACHE_HOME", None)
        for emulation in self._emulations:
            kept |= emulation.environment(self.folder(emulation.name))
        return kept

    @property
    def errors(self) -> str:
        """What the emulations wrote to standard error."""
        return (self._home / "errors").read_text()

    def folder(self, name: str) -> Path:
        """Returns the folder of an emulation."""
        return self._home / name

    def tell(self, name: str, text: str) -> None:
        """Tells an emulation something; what it means is the emulation's."""
        fresh = self.folder(name) / "told.new"
        fresh.write_text(text)
        fresh.replace(self.folder(name) / "told")

    def notes(self, name: str) -> list[str]:
        """Returns what an emulation noted."""
        notes = self.folder(name) / "notes"
        return notes.read_text().splitlines() if notes.exists() else []

    def cli(
        self, *arguments: str | Path, stdin: bytes = b"", timeout: float = 60, **environment: str
    ) -> Outcome:
        """Runs the command line tool as a process; a traceback is a failure in itself."""
        outcome = self.run(*COMMAND, *arguments, stdin=stdin, timeout=timeout, **environment)
        assert "Traceback" not in outcome.out + outcome.err, outcome.err
        return outcome

    def run(
        self, *command: str | Path, stdin: bytes = b"", timeout: float = 60, **environment: str
    ) -> Outcome:
        """Runs a command and waits for it.

        Args:
            command: found in PATH, with its arguments.
            stdin: its standard input.
            timeout: in seconds; it is killed, and the test fails.
            environment: what its environment has besides.
        """
        process = self.start(*command, **environment)
        try:
            out, err = process.communicate(stdin, timeout)
        finally:
            process.kill()
        return Outcome(process.returncode, out.decode(), err.decode())

    def start(self, *command: str | Path, **environment: str) -> subprocess.Popen[bytes]:
        """Starts a command with three pipes; its process is the command itself."""
        inside = ["nsenter", f"--target={self._first.pid}", "--mount", "--net"]
        inside += ["env", "-C", str(ROOT), "setpriv", "--pdeathsig", "KILL", "--"]
        process = subprocess.Popen(
            inside + [str(word) for word in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment | environment,
        )
        self._running.append(process)
        return process

    def _wait(self, plan: bytes) -> None:
        assert self._first.stdin is not None
        assert self._first.stdout is not None
        try:
            self._first.stdin.write(plan)
            self._first.stdin.flush()
        except BrokenPipeError:
            pass
        if self._first.stdout.readline() != READY:
            self._first.wait(10)
            raise RuntimeError(f"the namespace did not start:\n{self.errors}")

    def _end(self) -> None:
        for process in self._running:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
        assert self._first.stdin is not None
        assert self._first.stdout is not None
        self._first.stdin.close()
        try:
            self._first.wait(10)
        except subprocess.TimeoutExpired:
            self._first.kill()
            self._first.wait()
        self._first.stdout.close()
        shutil.rmtree(self._home, ignore_errors=True)


def _require_root() -> None:
    if os.geteuid() != 0:
        missing("namespaces with emulated devices need root")
    if not Path("/dev/fuse").exists():
        missing("emulated devices need /dev/fuse")
    for tool in ("unshare", "nsenter", "setpriv", "mount"):
        require(tool)
