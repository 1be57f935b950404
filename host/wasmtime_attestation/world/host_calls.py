"""Exceptions of host functions, on their way past WebAssembly to whoever called the guest.

No Python exception crosses a guest's frames safely. wasmtime-py 50 crashes the
process when a component's host function raises `KeyboardInterrupt`, and hands
other exceptions over in variables that all threads share. So a host function
raises nothing but `HostCallError`, which makes the guest trap, and the
exception proper waits here for `call_guest` to raise it.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

from wasmtime import FuncType, Linker, WasmtimeError

from wasmtime_attestation.world import interrupts
from wasmtime_attestation.world.metering import Meter

P = ParamSpec("P")
T = TypeVar("T")


class HostCallError(WasmtimeError):
    """What a guest's frames see instead of the exception that a host function raised."""


class Call:
    """One call into a guest, and the exception that ended it.

    Args:
        meter: what counts the guest's calls of its host, if anything does.
    """

    __slots__ = ("messages", "meter", "raised")

    def __init__(self, meter: Meter | None = None) -> None:
        self.meter = meter
        self.messages = 0
        self.raised: BaseException | None = None

    def keep(self, error: BaseException) -> None:
        """Remembers what a host function raised, unless something did before."""
        if self.raised is None:
            self.raised = error

    @property
    def message(self) -> str:
        """What the guest's frames see of it."""
        return f"a host function raised {type(self.raised).__name__}"


_current: ContextVar[Call] = ContextVar("the call into a guest that this thread is in")
_NOBODYS = Call()


def current() -> Call:
    """Returns the call into a guest that this thread is in.

    It is one that nobody asks where the guest was not entered through `call_guest`.
    """
    try:
        return _current.get()
    except LookupError:
        return Call()


MESSAGES = 10
"""How many times one call into a guest may have something written to the host's log."""


def level(usual: int) -> int:
    """Returns the level of the log for something that guests can cause as often as they like.

    Args:
        usual: for the first times; after those it is as for what nobody needs to read.
    """
    call = current()
    call.messages += 1
    return usual if call.messages <= MESSAGES else logging.DEBUG


def meter_calls(meter: Meter) -> None:
    """Has the calls counted that guests make which this thread enters from now on."""
    _current.set(Call(meter))


def pass_bytes(size: int) -> None:
    """Counts bytes that a guest passes to its host, where this run is metered.

    Raises:
        Stopped: they are too many.
    """
    call = _current.get(_NOBODYS)
    if call.meter is not None:
        call.meter.passed(size)


def call_guest(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Calls into a guest; raises what a host function raised within, unchanged.

    Calls may nest, and several threads may call at once. Ctrl-C in the main
    thread ends the run when the guest next calls its host; where other signal
    handlers raise, enter guests in another thread, as `Runtime` does.

    Args:
        function: an export, or `instantiate`.
        args: its arguments.
        kwargs: its arguments.

    Raises:
        WasmtimeError, Trap: the guest failed by itself.
        RecursionError: calls are nested too deep.
        BaseException: what a host function raised.
    """
    _reserve(_FRAMES)
    call = Call(current().meter)
    token = _current.set(call)
    try:
        with interrupts.deferred(lambda interrupt: current().keep(interrupt)):
            result = function(*args, **kwargs)
    except BaseException as error:  # noqa: BLE001 - it is raised below, without a false context
        failure = error
    else:
        if call.raised is None:
            return result
        failure = call.raised
    finally:
        _current.reset(token)
    raise _own(failure) if call.raised is None else call.raised


_FRAMES = 64
"""How deep Python may call before a host function has begun, or after it has failed."""


def _reserve(frames: int) -> None:
    """Raises `RecursionError` here, where it can be raised, if there are not so many left."""
    if frames:
        _reserve(frames - 1)


def shielded(function: Callable[P, T], name: str | None = None) -> Callable[P, T]:
    """Returns `function` as a host function that raises nothing but `HostCallError`.

    The guest must have been entered through `call_guest`; otherwise the name of
    an exception's class is all that is left of it.

    Args:
        function: what it calls.
        name: what its calls are counted as; None where they are not.
    """

    @functools.wraps(function)
    def shield(*args: P.args, **kwargs: P.kwargs) -> T:
        call = current()
        try:
            if name is not None and call.meter is not None:
                call.meter.called(name)
            result = function(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001 - it is kept, and ends the run
            call.keep(error)
        else:
            # The function may call its guest and take an exception within for the guest's fault.
            if call.raised is None:
                return result
        raise HostCallError(call.message)

    return shield


class ShieldedLinker(Linker):
    """A linker for core modules whose host functions are `shielded`."""

    def define_func(
        self,
        module: str,
        name: str,
        ty: FuncType,
        func: Callable[..., Any],
        access_caller: bool = False,
    ) -> None:
        """Defines a host function, as `wasmtime.Linker` does."""
        counted = shielded(func, name.replace("_", "-"))
        super().define_func(module, name, ty, counted, access_caller)


def _own(failure: BaseException) -> BaseException:
    """Returns this call's own failure where wasmtime-py gave it another thread's."""
    if not isinstance(failure, HostCallError):
        return failure
    replaced = failure.__context__
    if isinstance(replaced, WasmtimeError):
        return replaced
    return WasmtimeError("the guest trapped; the reason was lost to another thread")
