"""Models by name, so that two can be compared whatever order their items have."""

from __future__ import annotations

from typing import Any, TypeAlias

from wasmtime_attestation_bindgen import model_json
from wasmtime_attestation_bindgen.model import Resolve

Json: TypeAlias = Any


def described(model: Resolve) -> Json:
    """Returns everything that the main package says, without any index."""
    return _Description(model_json.to_json(model)).package(model.main)


class _Description:
    def __init__(self, model: Json) -> None:
        self._model = model

    def package(self, id_: int) -> Json:
        package = self._model["packages"][id_]
        return {
            **package,
            "interfaces": {name: self._interface(i) for name, i in package["interfaces"].items()},
            "worlds": {name: self._world(i) for name, i in package["worlds"].items()},
        }

    def _interface(self, id_: int) -> Json:
        interface = self._model["interfaces"][id_]
        functions = interface["functions"].items()
        return {
            **interface,
            "types": {name: self._definition(t) for name, t in interface["types"].items()},
            "functions": {name: self._types_in(function) for name, function in functions},
            "package": self._model["packages"][interface["package"]]["name"],
        }

    def _world(self, id_: int) -> Json:
        world = self._model["worlds"][id_]
        sides = {
            side: {self._key(key): self._item(item) for key, item in world[side].items()}
            for side in ("imports", "exports")
        }
        return {**world, **sides, "package": None}

    def _key(self, key: str) -> str:
        number = key.removeprefix("interface-")
        return self._name(int(number)) if number.isdecimal() and number != key else key

    def _name(self, interface: int) -> str:
        found = self._model["interfaces"][interface]
        return f"{self._model['packages'][found['package']]['name']}/{found['name']}"

    def _item(self, item: Json) -> Json:
        if "function" in item:
            return self._types_in(item["function"])
        if "type" in item:
            return self._definition(item["type"])
        id_ = item["interface"]["id"]
        inline = self._model["interfaces"][id_]["name"] is None
        what = self._interface(id_) if inline else self._name(id_)
        return {**item["interface"], "id": what}

    def _definition(self, id_: int) -> Json:
        definition = self._model["types"][id_]
        return {**definition, "kind": self._types_in(definition["kind"]), "owner": None}

    def _type(self, type_: int) -> Json:
        definition = self._model["types"][type_]
        if definition["name"] is None:
            return self._types_in(definition["kind"])
        owner = definition["owner"] or {}
        place = self._name(owner["interface"]) if "interface" in owner else "the world"
        return f"{definition['name']} of {place}"

    def _types_in(self, value: Json) -> Json:
        """Returns JSON in which every number, each a type, is replaced by what it stands for."""
        if isinstance(value, int):
            return self._type(value)
        if isinstance(value, list):
            return [self._types_in(each) for each in value]
        if not isinstance(value, dict):
            return value
        if "fixed-length-list" in value:
            element, length = value["fixed-length-list"]
            return {"fixed-length-list": [self._types_in(element), f"{length}"]}
        return {key: self._types_in(each) for key, each in value.items()}
