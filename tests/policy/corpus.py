"""Reads hostile-hosts.yaml: hosts that must be refused, each with the first layer that does and its reason."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict

from dnsalias_operator.model.rules import Rules
from dnsalias_operator.settings import Settings
from tools import make

FILE = Path(__file__).with_name("hostile-hosts.yaml")
NAMESPACE = "default"

Layer = Literal["crd", "admission", "controller"]


class Group(BaseModel):
    """Hosts that are refused for one reason."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    about: str
    layer: Layer
    reason: str
    service: Literal["", "exists", "later", "headless"] = ""
    hosts: tuple[str, ...]


class Corpus(BaseModel):
    """The file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    settings: dict[str, Any]
    good: tuple[str, ...]
    groups: tuple[Group, ...]

    @property
    def rules(self) -> Rules:
        """What the core and the policy are told."""
        return Settings(**self.settings).rules


class Row(NamedTuple):
    """One host with its group."""

    host: str
    group: Group


@cache
def corpus() -> Corpus:
    """The file's content."""
    return Corpus.model_validate(yaml.load(FILE.read_text(encoding="utf-8"), yaml.CSafeLoader))


def rows(*layers: Layer) -> list[Row]:
    """The hosts that one of these layers is the first to refuse."""
    return [Row(host, group) for group in corpus().groups if group.layer in layers for host in group.hosts]


def service_named_by(host: str, *, headless: bool) -> dict[str, Any]:
    """The Service whose short name the host is, or whose pod's."""
    *_, name, namespace = host.split(".")
    ip = "None" if headless else "10.96.0.9"
    return make.service(name, ports=[make.port(80, "http")], ip=ip, namespace=namespace, selector={"app": name})


def alias(host: object) -> dict[str, Any]:
    """A DnsAlias with that host."""
    return make.alias("hostile", host, "api", namespace=NAMESPACE)


def ids(listed: list[Row]) -> Iterator[str]:
    """Names of the rows for pytest, ASCII only."""
    return (f"{row.group.reason}-{row.host[:60].encode('unicode_escape').decode()}" for row in listed)
