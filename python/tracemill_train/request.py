"""Reads a request file into a typed record. Every wrong or missing key is refused by name; unknown keys too."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from pathlib import Path
from typing import Any, TypeVar

from .refusal import Refusal

Record = TypeVar("Record")


def read_json(path: Path) -> Any:
    """Reads a JSON file. Raises: `Refusal` BAD_REQUEST where it is missing or no JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Refusal("BAD_REQUEST", "The request cannot be read.", got=str(error), where=str(path)) from error


def parse(record: type[Record], value: Any, where: str = "request") -> Record:
    """Builds the dataclass `record` from a JSON object.

    Shapes: fields may be str, int, float, bool, Path, lists of these, `X | None`, or another dataclass; the JSON keys
    are the field names in camelCase.
    Raises: `Refusal` BAD_REQUEST with the key's path where a key is missing, unknown or of the wrong type.
    """
    if not isinstance(value, dict):
        raise _wrong(where, "an object", value)
    hints = typing.get_type_hints(record)
    fields = {camel_case(field.name): field for field in dataclasses.fields(typing.cast(Any, record))}
    for key in value:
        if key not in fields:
            raise Refusal("BAD_REQUEST", f'Unknown key "{key}".', expected=", ".join(fields), where=where)
    values: dict[str, Any] = {}
    for key, field in fields.items():
        if key in value:
            values[field.name] = _convert(hints[field.name], value[key], f"{where}.{key}")
        elif field.default is dataclasses.MISSING:
            raise Refusal("BAD_REQUEST", f'The key "{key}" is missing.', where=where)
    return record(**values)


def camel_case(name: str) -> str:
    """Returns a field's JSON key: `learning_rate` -> `learningRate`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _convert(hint: Any, value: Any, where: str) -> Any:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        if value is None:
            return None
        hint = next(choice for choice in typing.get_args(hint) if choice is not type(None))
    if dataclasses.is_dataclass(hint):
        return parse(typing.cast(Any, hint), value, where)
    if typing.get_origin(hint) is list:
        if not isinstance(value, list):
            raise _wrong(where, "a list", value)
        (member,) = typing.get_args(hint)
        return [_convert(member, entry, f"{where}[{index}]") for index, entry in enumerate(value)]
    if hint is Path and isinstance(value, str):
        return Path(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise _wrong(where, hint.__name__, value)
    return value


def _wrong(where: str, expected: str, value: Any) -> Refusal:
    return Refusal("BAD_REQUEST", "A value has the wrong type.", expected=expected, got=repr(value)[:80], where=where)
