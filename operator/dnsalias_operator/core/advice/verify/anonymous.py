"""A report of differences that names nobody: for an issue, from somebody who may not show their mesh."""

import hashlib
import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Any

from dnsalias_operator.core.advice.verify.claimed import Claimed
from dnsalias_operator.core.advice.verify.compare import PortDifference, Verdict
from dnsalias_operator.core.advice.verify.settings import Explanation
from dnsalias_operator.core.istio.listeners import Client, Row, sidecar_of
from dnsalias_operator.core.istio.listeners.rows import BLACKHOLE, PASSTHROUGH
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.sidecar import Sidecar
from dnsalias_operator.model.snapshot import Snapshot

KEPT = frozenset({"", "*", ".", "~", "outbound", "svc", "cluster", "local", "istio-system", PASSTHROUGH, BLACKHOLE})
"""Words that name nobody and whose meaning counts."""
_WORDS = re.compile(r"[^|,\s_()+]+")


class Anonymous:
    """Replaces names and addresses, each by the same one wherever it stands.

    Labels of a name are replaced one by one, so that names which share a suffix still do. Addresses keep which prefixes
    they share (each bit is turned by what stands before it), so that an address is within a CIDR as before. ``key`` are
    random bytes: without them nobody can turn it back.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._names: dict[str, str] = {}

    def text(self, value: str) -> str:
        """A name, an address, or several of them as in the name of a cluster or a route."""
        return _WORDS.sub(lambda match: self._word(match[0]), value)

    def key(self, key: Key) -> str:
        """An object: its kind stays."""
        return f"{key.kind} {self.text(key.namespace)}/{self.text(key.name)}"

    def address(self, value: str) -> str:
        """An IP address or CIDR; the unspecified one and loopback stay."""
        ip, slash, bits = value.partition("/")
        parsed = ipaddress.ip_address(ip)
        if parsed.is_unspecified or parsed.is_loopback:
            return value
        turned, width, number = 0, parsed.max_prefixlen, int(parsed)
        for at in range(width):
            before = f"{width}/{at}/{number >> (width - at)}".encode()
            flip = hashlib.sha256(self._key + before).digest()[0] & 1
            turned = turned << 1 | ((number >> (width - at - 1)) & 1) ^ flip
        made = ipaddress.ip_address(turned.to_bytes(width // 8, "big"))
        if not slash:
            return str(made)
        # Bits behind the prefix say nothing: they are as unset as they were.
        return str(ipaddress.ip_network(f"{made}/{bits}", strict=False)) if bits.isdigit() else f"{made}/n"

    def _word(self, word: str) -> str:
        if word in KEPT or word.isdigit():
            return word
        try:
            return self.address(word)
        except ValueError:
            pass
        host, colon, port = word.rpartition(":")
        if colon and port.isdigit():
            return f"{self._word(host)}:{port}"
        labels = word.split("/") if "/" in word else word.split(".")
        return ("/" if "/" in word else ".").join(self._label(label) for label in labels)

    def _label(self, label: str) -> str:
        if label in KEPT:
            return label
        if "." in label:
            return self._word(label)
        star = "*" if label.startswith("*") else ""
        return star + self._names.setdefault(label.removeprefix("*"), f"n{len(self._names) + 1}")


def report(
    world: Snapshot, client: Client, mesh: Mesh, verdict: Verdict, explanation: Explanation | None, hide: Anonymous
) -> dict[str, Any]:
    """What an issue needs of a sidecar's differences, and nothing else of it: the ports that differ, nobody's names."""
    sidecar = sidecar_of(world, client, mesh)
    return {
        "settings": {name: _hidden(value, hide) for name, value in _settings(mesh)},
        "client": {"namespace": hide.text(client.namespace), "sidecar": _sidecar(sidecar, hide) if sidecar else None},
        "ports": {"all": len(verdict.ports), "agree": verdict.agreed, "differ": len(verdict.differences)},
        "explanation": _explained(explanation, hide),
        "differences": [_difference(one, hide) for one in verdict.differences],
    }


def _difference(one: PortDifference, hide: Anonymous) -> dict[str, Any]:
    ages = sorted({c.created for c in one.claimed if c.created is not None})
    return {
        "port": one.port,
        "envoy": [_row(row, hide) for row in one.envoy],
        "predicted": [_row(row, hide) for row in one.predicted],
        "both": [_row(row, hide) for row in one.both],
        "claimedBy": [_claimed(c, ages, hide) for c in one.claimed],
        "unread": [hide.text(host) for host in one.unread],
    }


def _row(row: Row, hide: Anonymous) -> dict[str, Any]:
    return {
        "bind": hide.text(row.bind),
        "default": row.default,
        "sni": [hide.text(name) for name in row.sni],
        "cidr": [hide.text(cidr) for cidr in row.cidr],
        "http": row.http,
        "cluster": hide.text(row.cluster) if row.cluster else None,
        "route": hide.text(row.route) if row.route else None,
        "owner": hide.key(row.owner) if row.owner else None,
    }


def _claimed(one: Claimed, ages: list[int], hide: Anonymous) -> dict[str, Any]:
    """``age`` is its place among those of the port, 0 the oldest: when it was made is nobody's business."""
    return {
        "object": hide.key(one.key),
        "protocols": list(one.protocols),
        "hosts": _texts(one.hosts, hide),
        "addresses": _texts(one.addresses, hide),
        "autoAddresses": _texts(one.auto_addresses, hide),
        "resolution": one.resolution,
        "selects": one.selects,
        "endpoints": one.endpoints,
        "exportTo": _texts(one.export_to, hide),
        "given": one.given,
        "age": None if one.created is None else ages.index(one.created),
    }


def _sidecar(sidecar: Sidecar, hide: Anonymous) -> dict[str, Any]:
    return {
        "object": hide.key(sidecar.key),
        "selects": sidecar.workload_selector is not None,
        "outboundPolicy": sidecar.outbound_policy,
        "egress": [
            {
                "port": listener.port,
                "protocol": listener.protocol,
                "bind": hide.text(listener.bind),
                "captured": listener.captured,
                "hosts": _texts(listener.hosts, hide),
            }
            for listener in sidecar.egress
        ],
    }


def _explained(explanation: Explanation | None, hide: Anonymous) -> Mapping[str, Any] | None:
    if explanation is None:
        return None
    settings = {name: _hidden(value, hide) for name, value in explanation.settings.items()}
    return {"settings": settings, "agree": explanation.agreed, "of": explanation.ports}


def _settings(mesh: Mesh) -> Iterable[tuple[str, object]]:
    """All that is known of the mesh, but for where it was read: these are names."""
    return mesh.model_dump(exclude={"read_from"}).items()


def _hidden(value: object, hide: Anonymous) -> object:
    """A setting: numbers and switches stay, and so do releases and policies, which name nobody."""
    if isinstance(value, frozenset):
        return _texts(sorted(value), hide)
    if isinstance(value, tuple | list):
        return _texts(value, hide)
    if not isinstance(value, str) or value.isupper() or value[:1].isdigit():
        return value
    return hide.text(value)


def _texts(values: Iterable[str], hide: Anonymous) -> list[str]:
    return [hide.text(value) for value in values]
