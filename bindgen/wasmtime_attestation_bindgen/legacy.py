"""The legacy ABI of a world: which core function stands for which WIT function.

One rule covers every world (DESIGN section 5): parameters are core values,
pointers and lengths, or JSON; results are core values or the address of
`[u32 little-endian length][UTF-8 JSON]`. Two overrides, for the package
`wasmtime:attestation` alone, keep what guests in the field parse.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

from wasmtime_attestation_bindgen import kinds
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.kinds import Kind, Primitive, Type
from wasmtime_attestation_bindgen.layout import CoreType, Flat, Layout
from wasmtime_attestation_bindgen.model import Form, Function, InterfaceRef, Resolve, WorldId
from wasmtime_attestation_bindgen.names import snake
from wasmtime_attestation_bindgen.source import Span
from wasmtime_attestation_bindgen.surface import Instance, surface

MODULE = "wasmtime_attestation"
"""The module that core modules import every function from."""

DISPLAY_NAMES = {
    "none": "None",
    "intel-tdx": "Intel TDX",
    "amd-sev": "AMD SEV",
    "amd-sev-snp": "AMD SEV-SNP",
    "nvidia-gpu": "NVIDIA GPU",
    "simulated": "Simulated",
}
"""How `wasmtime:attestation/types.tee-type` reads in JSON; other cases read as their label."""

ENVELOPE = ("success", "token", "evidence", "error", "timestamp", "tee_type", "error_code")
"""The members of the answer that stands for `result<attestation-result, error>`."""

MAX_ANSWER = 50_000
"""The most bytes of JSON in an answer; some guests in the field read no more."""

MAX_SAFE_INTEGER = 1 << 53
"""The largest integer that JSON has as a number; beyond it, it is a decimal string."""

_PACKAGE = ("wasmtime", "attestation")


class ParamForm(Enum):
    """How a parameter is passed."""

    DIRECT = auto()
    """As one core value."""
    TEXT = auto()
    """A string: the address and length of UTF-8; address 0 is an option's none."""
    BYTES = auto()
    """A `list<u8>`: its address and length; address 0 is an option's none."""
    JSON = auto()
    """Anything else: the address and length of JSON in UTF-8."""


class ResultForm(Enum):
    """How a result is returned."""

    NOTHING = auto()
    DIRECT = auto()
    """As one core value."""
    JSON = auto()
    """As the address of an answer; 0 is failure."""
    ENVELOPE = auto()
    """As JSON is, but for `result<attestation-result, error>`: see `ENVELOPE`."""


class LegacyParam(NamedTuple):
    """A parameter; `optional` says that a text or bytes may be none."""

    name: str
    type: Type
    form: ParamForm
    optional: bool
    core: Flat


class LegacyFunction(NamedTuple):
    """A function of the legacy ABI.

    Attributes:
        name: what it is imported as.
        module: the instance that the WIT function is of, such as
            `wasmtime:attestation/attestation@0.1.0`.
        function: the WIT function.
        params: its parameters.
        result: how its result is returned.
        core_results: the core results, at most one.
    """

    name: str
    module: str
    function: Function
    params: tuple[LegacyParam, ...]
    result: ResultForm
    core_results: Flat

    @property
    def core_params(self) -> Flat:
        """The core parameters."""
        return tuple(core for param in self.params for core in param.core)


def legacy_functions(resolve: Resolve, world_id: WorldId) -> tuple[LegacyFunction, ...]:
    """Returns the legacy ABI of a world, in the order of the WIT.

    Args:
        resolve: the model.
        world_id: the world.

    Raises:
        WitError: the world has something without a legacy form: an export, a
            resource, an option of an option, or two functions of the same name.
    """
    world = surface(resolve, world_id)
    for function in (function for instance in world.exports for function in instance.functions):
        raise WitError(
            f"`{world.world.name}` exports `{function.name}`, and exports have no legacy form",
            function.span,
            help="generate without `--legacy`, or for a world that only imports",
        )
    rule = _Rule(resolve)
    found: dict[str, LegacyFunction] = {}
    for instance in world.imports:
        for function in instance.functions:
            _add(found, rule.function(instance, function))
    return tuple(found.values())


def is_tee_type(resolve: Resolve, type_: Type) -> bool:
    """Whether a type is the enum whose cases have display names."""
    return _is_ours(resolve, type_, "tee-type")


def is_attestation(resolve: Resolve, result: Type | None) -> bool:
    """Whether a result is `result<attestation-result, error>`, which the envelope stands for."""
    kind = None if result is None else Layout(resolve).kind(result)
    if not isinstance(kind, kinds.Result) or kind.ok is None or kind.error is None:
        return False
    return _is_ours(resolve, kind.ok, "attestation-result") and _is_ours(
        resolve, kind.error, "error"
    )


def _add(found: dict[str, LegacyFunction], function: LegacyFunction) -> None:
    other = found.get(function.name)
    if other is not None:
        raise WitError(
            f"`{other.module}` and `{function.module}` both have a function that the legacy ABI "
            f"calls `{function.name}`",
            function.function.span,
            help="rename one, or generate without `--legacy`",
        )
    found[function.name] = function


class _Rule:
    """The rule, for one model."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._layout = Layout(resolve)

    def function(self, instance: Instance, function: Function) -> LegacyFunction:
        """Returns the legacy form of a function."""
        name = f"`{function.name}` of `{instance.module}`"
        if function.kind.form is not Form.FREESTANDING:
            raise _without_form(f"{name} is a resource's", function.span)
        for type_ in _mentioned(function):
            self._check(type_, name, function.span)
        result, core = self._result(function.result)
        params = tuple(self._param(param.name, param.type) for param in function.params)
        return LegacyFunction(snake(function.name), instance.module, function, params, result, core)

    def _param(self, name: str, type_: Type) -> LegacyParam:
        kind = self._layout.kind(type_)
        optional = isinstance(kind, kinds.Option)
        content = self._layout.kind(kind.type) if isinstance(kind, kinds.Option) else kind
        pointer = (CoreType.I32, CoreType.I32)
        if content is Primitive.STRING:
            return LegacyParam(name, type_, ParamForm.TEXT, optional, pointer)
        if self._is_octets(content):
            return LegacyParam(name, type_, ParamForm.BYTES, optional, pointer)
        if isinstance(kind, kinds.Enum) or (
            isinstance(kind, Primitive) and kind is not Primitive.CHAR
        ):
            core = self._layout.flat(type_)
            return LegacyParam(name, type_, ParamForm.DIRECT, optional=False, core=core)
        return LegacyParam(name, type_, ParamForm.JSON, optional=False, core=pointer)

    def _result(self, type_: Type | None) -> tuple[ResultForm, Flat]:
        if type_ is None:
            return ResultForm.NOTHING, ()
        if self._layout.kind(type_) in _INTEGERS:
            return ResultForm.DIRECT, self._layout.flat(type_)
        attestation = is_attestation(self._resolve, type_)
        return ResultForm.ENVELOPE if attestation else ResultForm.JSON, (CoreType.I32,)

    def _is_octets(self, kind: Primitive | Kind) -> bool:
        return isinstance(kind, kinds.List) and self._layout.kind(kind.element) is Primitive.U8

    def _check(self, type_: Type, name: str, span: Span | None) -> None:
        kind = self._layout.kind(type_)
        match kind:
            case kinds.Own() | kinds.Borrow():
                raise _without_form(f"{name} mentions a resource", span)
            case kinds.Option(inner) if isinstance(self._layout.kind(inner), kinds.Option):
                raise _without_form(
                    f"{name} mentions an option of an option, both of whose nones are null", span
                )
            case Primitive():
                pass
            case _:
                for inner in kinds.references(kind):
                    self._check(inner, name, span)


_INTEGERS = frozenset(
    {
        Primitive.BOOL,
        Primitive.U8,
        Primitive.U16,
        Primitive.U32,
        Primitive.U64,
        Primitive.S8,
        Primitive.S16,
        Primitive.S32,
        Primitive.S64,
    }
)


def _is_ours(resolve: Resolve, type_: Type, name: str) -> bool:
    while not isinstance(type_, Primitive):
        definition = resolve.types[type_]
        if isinstance(definition.kind, kinds.Alias):
            type_ = definition.kind.type
            continue
        if definition.name != name or not isinstance(definition.owner, InterfaceRef):
            return False
        interface = resolve.interfaces[definition.owner.id]
        package = resolve.packages[interface.package].name
        return interface.name == "types" and (package.namespace, package.name) == _PACKAGE
    return False


def _mentioned(function: Function) -> Iterator[Type]:
    yield from (param.type for param in function.params)
    if function.result is not None:
        yield function.result


def _without_form(what: str, span: Span | None) -> WitError:
    return WitError(f"{what}, which has no legacy form", span, help="generate without `--legacy`")
