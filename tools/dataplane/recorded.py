"""Recordings (see ``record``) as the model's types: worlds, and the rows that the Envoys of their clients held."""

import gzip
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from dnsalias_operator.core.istio.listeners import Client, Row
from dnsalias_operator.core.istio.meshconfig.effective import effective
from dnsalias_operator.core.istio.meshconfig.fields import read_meshconfig
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.meta import Raw
from dnsalias_operator.model.release import MEASURED
from dnsalias_operator.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class View:
    """A client of a recorded world and the rows that its Envoy held."""

    client: Client
    rows: tuple[Row, ...]

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Self:
        """Read one; KeyError or TypeError where it is none."""
        return cls(Client(raw["from"], raw.get("labels", {})), tuple(row_of(r) for r in raw["listeners"]))


@dataclass(frozen=True, slots=True)
class Recording:
    """A recorded world: its objects, and one client or more that looked at it."""

    seed: int
    objects: tuple[Raw, ...]
    views: tuple[View, ...]
    release: str = MEASURED
    dns_capture: bool = False
    how: str = ""
    mesh_config: Mapping[str, Any] = field(default_factory=dict)

    def snapshot(self) -> Snapshot:
        """The objects as the model reads them; kinds it does not know are left out."""
        return Snapshot(KINDS[o["kind"]].parse(o) for o in self.objects if o["kind"] in KINDS)


def load(path: Path) -> Recording:
    """Read a recording; OSError or ValueError where the file is none."""
    try:
        data = json.loads(gzip.decompress(path.read_bytes()))
        if not all(isinstance(obj, dict) and isinstance(obj.get("kind"), str) for obj in data["objects"]):
            raise ValueError("not a recording of listeners: an object has no kind")
        release, variant = _named_as(path.name, data.get("how", ""))
        return Recording(
            seed=data["seed"],
            objects=tuple(data["objects"]),
            views=tuple(View.of(raw) for raw in (data, *data.get("clients", ()))),
            release=release,
            dns_capture=variant == "dnscapture",
            how=data.get("how", ""),
            mesh_config=dict(data.get("meshConfig", {})),
        )
    except (EOFError, KeyError, TypeError, zlib.error) as error:
        raise ValueError(f"not a recording of listeners: {error!r}") from error


def mesh_of(recording: Recording, **given: Any) -> Mesh:  # noqa: ANN401 (fields of Mesh)
    """What the recorded mesh was told, where the recording says so, and what is given."""
    known = {"istio_version": recording.release, "dns_capture": recording.dns_capture}
    told = Mesh(**{**known, **{name: value for name, value in given.items() if value}})
    return effective(told, read_meshconfig(recording.mesh_config, "the recording"), recording.snapshot())


def row_of(raw: Mapping[str, Any]) -> Row:
    """A row as it is recorded; KeyError or TypeError where it is none."""
    return Row(
        bind=raw["bind"],
        port=raw["port"],
        default=raw["default"],
        sni=tuple(raw["sni"]),
        cidr=tuple(raw["cidr"]),
        http=raw["http"],
        cluster=raw["cluster"],
        route=raw["route"],
    )


def _named_as(name: str, how: str) -> tuple[str, str]:
    """Release and variant of a recording, from its file's name or from how it was made."""
    named = re.match(r"(1\.\d+(?:\.\d+)?(?:-rc\.\d+)?)-([a-z]+)", name)
    told = re.search(r"\b1\.\d+(?:\.[-\w.]*\w)?", how)
    release = named[1] if named else told[0] if told else MEASURED
    return release, named[2] if named else ""
