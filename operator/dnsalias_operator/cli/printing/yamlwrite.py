"""Plain values into YAML that kubectl reads back as the same values; the same input gives the same bytes."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import yaml
from yaml import ScalarNode

from dnsalias_operator.cli.reading.scalars import is_text

_UNLIMITED = 2**31 - 1
_BASIC_PLANE = 0xFFFF


class _Dumper(yaml.CSafeDumper):
    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 (PyYAML's signature)
        # Values may be shared between a change's before and after; *id001 in the output would confuse readers.
        return True


def _text(dumper: yaml.CSafeDumper, value: str) -> ScalarNode:
    # Half of a surrogate pair is invalid in every encoding; kubectl reads it as this character too.
    sound = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if not sound.replace("\n", "").isprintable():
        style: str | None = '"'
    else:
        style = "|" if "\n" in sound else None if is_text(sound) else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", sound, style=style)


def _mapping(dumper: yaml.CSafeDumper, value: Mapping[str, Any]) -> yaml.MappingNode:
    return dumper.represent_dict(dict(value))


_Dumper.add_representer(str, _text)
_Dumper.add_multi_representer(StrEnum, _text)
_Dumper.add_representer(MappingProxyType, _mapping)


def dump(value: object, *, sort_keys: bool = False) -> str:
    """``value`` as one YAML document without a marker; long lines are never folded.

    What is not printable (such as a change of writing direction) is escaped, in double quotes.
    """
    text = yaml.dump(
        value, Dumper=_Dumper, sort_keys=sort_keys, allow_unicode=True, default_flow_style=False, width=_UNLIMITED
    )
    return "".join(char if char.isprintable() or char == "\n" else _escaped(char) for char in str(text))


def _escaped(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) <= _BASIC_PLANE else f"\\U{ord(char):08x}"


def dump_all(values: Iterable[object]) -> Iterable[str]:
    """Each value as a document that begins with its ``---``."""
    return (f"---\n{dump(value)}" for value in values)
