"""Shapes of repositories: how the YAML files beside this one are read, and how one becomes a folder.

A shape has `about`, one sentence; `files`, by path; and what `dnsalias lint` makes of it: `finds` (code, object and, in
brackets, the worlds), and `reports`, words of standard error. What is left out is empty, and the exit code follows from
the findings. A file is its text, or a list of documents in short: "KIND NAME [KEY=VALUE…]", see `document`.
"""

import os
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Shape:
    """One repository. ``links``, ``fifos`` and ``sockets`` are made beside ``files``; ``arguments`` go before -f."""

    name: str
    about: str
    files: Mapping[str, Any] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    fifos: Iterable[str] = ()
    sockets: Iterable[str] = ()
    arguments: tuple[str, ...] = ()
    reads: str = "."
    finds: tuple[str, ...] = ()
    reports: tuple[str, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)

    @property
    def exits(self) -> int:
        """1 if something is found, else 0; never 2."""
        return 1 if self.finds else 0

    def build(self, folder: Path) -> None:
        """Write all of it into ``folder``."""
        for path, content in self.files.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else text_of(content).encode())
        for path, target in self.links.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).symlink_to(target)
        for path in self.fifos:
            os.mkfifo(folder / path)
        for path in self.sockets:
            # The path of a socket can have only about a hundred characters, as many as a test's folder may have.
            here = Path.cwd()
            os.chdir(folder)
            try:
                with socket.socket(socket.AF_UNIX) as made:
                    made.bind(path)
            finally:
                os.chdir(here)


def text_of(content: object) -> str:
    """The text of a file: itself, or the documents that it lists."""
    return "---\n".join(map(document, content)) if isinstance(content, list) else str(content)


def document(words: str) -> str:
    """A manifest in namespace abc (or ns=…) from "KIND NAME": the kinds are those below.

    ``catchall`` is an entry that takes every connection to port 443, ``calm`` one that takes none, ``service`` and
    ``alias`` belong together by name, ``configmap`` and ``deployment`` are of kinds that are not read.
    """
    kind, name, *rest = words.split()
    given = {"ns": "abc", "port": "443", **dict(pair.split("=") for pair in rest)}
    head = f"kind: {{}}\nmetadata:\n  name: {name}\n  namespace: {given['ns']}\n"
    ports = f"  ports:\n  - number: {given['port']}\n    name: p\n    protocol: {{}}\n"
    entry = f"apiVersion: networking.istio.io/v1\n{head.format('ServiceEntry')}spec:\n  resolution: DNS\n"
    return {
        "catchall": f"{entry}  hosts: [{name}.hello]\n{ports.format('TCP')}",
        "calm": f"{entry}  location: MESH_EXTERNAL\n  hosts: [{name}.example]\n{ports.format('TLS')}",
        "service": f"apiVersion: v1\n{head.format('Service')}spec:\n  selector: {{app: {name}}}\n"
        "  ports:\n  - name: http\n    port: 80\n",
        "alias": f"apiVersion: dnsalias.io/v1alpha1\n{head.format('DnsAlias')}"
        f"spec:\n  host: {name}.hello\n  serviceRef: {{name: {name}}}\n",
        "configmap": f"apiVersion: v1\n{head.format('ConfigMap')}data: {{a: b}}\n",
        "deployment": f"apiVersion: apps/v1\n{head.format('Deployment')}spec: {{replicas: 2}}\n",
    }[kind]


def shapes() -> list[Shape]:
    """Every shape of the YAML files beside this module."""
    return [
        Shape(**{**row, "arguments": tuple(row.get("arguments", ())), "finds": tuple(row.get("finds", ()))})
        for path in sorted(FOLDER.glob("*.yaml"))
        for row in yaml.safe_load(path.read_text(encoding="utf-8"))
    ]
