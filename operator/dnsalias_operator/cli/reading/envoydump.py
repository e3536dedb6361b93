"""A sidecar's configuration from JSON, as much of it as predictions are about, without ever holding the whole.

Taken are Envoy's own ``config_dump``, whole or of listeners alone, and what ``istioctl proxy-config listeners -o json``
prints. A dump may have 100 MB: it is read event by event, and only one listener or cluster at a time becomes a value.
"""

import codecs
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from dnsalias_operator.cli.reading.problems import MAX_DEPTH
from dnsalias_operator.core.advice.verify import Seen
from dnsalias_operator.core.istio.clusters.envoy import EnvoyCluster, cluster_of_envoy, endpoints_of, is_of_service
from dnsalias_operator.core.istio.listeners.envoy import ENTRANCE, rows_of
from dnsalias_operator.core.istio.protojson import field
from dnsalias_operator.core.istio.proxy import Proxy, ProxyKind, proxy_of
from dnsalias_operator.model.meta import Raw, mapping, text

if TYPE_CHECKING:
    from dnsalias_operator.core.istio.listeners import Row

TAKE = "kubectl exec POD -c istio-proxy -- pilot-agent request GET config_dump > dump.json"
_CHUNK = 1 << 20
_NODE = "configs.item.bootstrap.node"
_DYNAMIC = ("configs.item.dynamic_listeners.item", "configs.item")
"""Where listeners are in a dump of everything, and in one of listeners alone."""
_LISTENERS = frozenset(f"{where}.active_state.listener" for where in _DYNAMIC)
_REFUSED = frozenset(f"{where}.error_state" for where in _DYNAMIC)
_WARMING = frozenset(f"{where}.warming_state.listener" for where in _DYNAMIC)
_LISTED = "item"
"""An element of the list that istioctl prints."""
_CLUSTERS = frozenset(f"configs.item.dynamic_{state}_clusters.item.cluster" for state in ("active", "warming"))
_ENDPOINTS = "configs.item.dynamic_endpoint_configs.item.endpoint_config"
_CUT_OFF = "premature EOF"
_KEYS = ("private_key.inline_string", "private_key.inline_bytes", "privateKey.inlineString", "privateKey.inlineBytes")
_REDACTED = ("", "[redacted]", "W3JlZGFjdGVkXQ==")
"""What Envoy writes for a key, as text and as bytes in base64."""


class DumpError(Exception):
    """It is no sidecar's configuration; the message says what it is and what to do."""


def read_dump(stream: BinaryIO, *, clusters: bool = False) -> Seen:
    """Read it; ``clusters`` says whether those are asked for as well, which takes longer.

    Raises:
        DumpError: it is cut off, no JSON, another proxy's, or holds no listeners.
    """
    import ijson  # noqa: PLC0415 (start-up time)

    reader = _Reader(clusters=clusters)
    try:
        reader.read(ijson.parse(_Utf8(stream), buf_size=_CHUNK), ijson.ObjectBuilder)
    except (ijson.JSONError, UnicodeError) as error:
        raise DumpError(_no_json(str(error))) from None
    return reader.seen()


class _Reader:
    def __init__(self, *, clusters: bool) -> None:
        self._wanted = {_NODE, _LISTED, *_LISTENERS, *_REFUSED, *_WARMING} | (
            {*_CLUSTERS, _ENDPOINTS} if clusters else set()
        )
        self._with_clusters = clusters
        self._keys: set[str] = set()
        self._proxy: Proxy | None = None
        self._rows: list[Row] = []
        self._refused: list[str] = []
        self._clusters: dict[str, EnvoyCluster] = {}
        self._endpoints: dict[str, Raw] = {}
        self._told = self._secret = self._other_list = False

    def read(self, events: Iterator[tuple[str, str, Any]], new_builder: Any) -> None:  # noqa: ANN401 (a class of ijson)
        """Take what is wanted out of the events."""
        builder, within, depth = None, "", 0
        for prefix, event, value in events:
            if event in ("start_map", "start_array"):
                depth += 1
                if depth > MAX_DEPTH:
                    raise DumpError(f"nested more than {MAX_DEPTH} levels deep; no configuration of an Envoy is")
                if builder is None and event == "start_map" and prefix in self._wanted:
                    builder, within = new_builder(), prefix
            elif event in ("end_map", "end_array"):
                depth -= 1
            elif event == "string" and prefix.endswith(_KEYS):
                self._secret = self._secret or value not in _REDACTED
            elif event == "map_key" and not prefix:
                self._keys.add(value)
            if builder is not None:
                builder.event(event, value)
                if event == "end_map" and prefix == within:
                    self._take(prefix, builder.value)
                    builder = None

    def _take(self, prefix: str, value: Raw) -> None:
        if prefix == _NODE:
            self._proxy = proxy_of(value)
            self.fail_if_other()
        elif prefix in _LISTENERS or prefix == _LISTED:
            self._other_list = self._other_list or "address" not in value
            self._told = self._told or text(value.get("name")) == ENTRANCE
            self._rows += rows_of(value)
        elif prefix in _REFUSED:
            name = text(mapping(field(value, "failed_configuration")).get("name"))
            self._refused.append(f"Envoy refuses listener {name}: {text(value.get('details'))}")
        elif prefix in _WARMING:
            self._refused.append(f"Envoy has not taken listener {text(value.get('name'))} yet")
        elif prefix == _ENDPOINTS:
            self._endpoints[text(field(value, "cluster_name"))] = value
        elif is_of_service(text(value.get("name"))):
            cluster = cluster_of_envoy(value)
            self._clusters[cluster.name] = cluster

    def seen(self) -> Seen:
        """What was read.

        Raises:
            DumpError: that is no sidecar's configuration.
        """
        self.fail_if_other()
        if self._keys and "configs" not in self._keys:
            raise DumpError(f"{_other_document(self._keys)}")
        if self._other_list:
            raise DumpError("a list of something else than listeners: istioctl proxy-config listeners POD -o json")
        if not self._told and self._proxy is None:
            raise DumpError(
                f"no configuration of a whole sidecar: its listener {ENTRANCE} is not in it. A gateway has none, and a "
                f"list that is limited to a port leaves it out. Take all of it: {TAKE}"
            )
        if not self._told and not self._rows:
            raise DumpError("it holds no listeners: has istiod ever sent this sidecar any? istioctl proxy-status")
        clusters = {name: self._with_endpoints(cluster) for name, cluster in self._clusters.items()}
        known = self._with_clusters and bool(self._clusters)
        return Seen(
            self._proxy, tuple(self._rows), tuple(sorted(set(self._refused))), clusters if known else None, self._secret
        )

    def fail_if_other(self) -> None:
        """Stop as soon as it is clear that it is another proxy's."""
        proxy = self._proxy
        if proxy is None or proxy.kind is ProxyKind.SIDECAR:
            return
        if proxy.kind is ProxyKind.OTHER:
            raise DumpError(f"an Envoy that Istio did not configure (its node is {proxy.node_id!r}): take a sidecar's")
        what = "a gateway" if proxy.kind is ProxyKind.GATEWAY else "a waypoint"
        raise DumpError(
            f"the Envoy of {what} ({proxy}): predictions are about sidecars, so take the dump of a pod with one"
        )

    def _with_endpoints(self, cluster: EnvoyCluster) -> EnvoyCluster:
        own = self._endpoints.get(cluster.name)
        return cluster if own is None else EnvoyCluster(cluster.name, cluster.tls, endpoints_of(own))


def _no_json(said: str) -> str:
    """Why the reader of JSON stopped; its own words quote the file, where keys may stand."""
    if _CUT_OFF in said:
        return f"it is empty, or ends in the middle of the JSON: cut off? Take it again: {TAKE}"
    reason = re.search(r"(?:lexical|parse) error: ([^\n\\]+)", said)
    return f"no JSON ({reason[1] if reason else 'no text'}), and so no configuration of an Envoy. Take one: {TAKE}"


def _other_document(keys: set[str]) -> str:
    if {"apiVersion", "kind"} <= keys:
        return f"Kubernetes objects: those go to -f, and here goes a sidecar's configuration: {TAKE}"
    if {"workloads", "services"} <= keys:
        return (
            "a ztunnel's configuration: pods in ambient mode have no listeners of their own; take a pod with a sidecar"
        )
    return f"JSON, and no configuration of an Envoy ({', '.join(sorted(keys)[:5])}). Take one: {TAKE}"


class _Utf8:
    """The stream as JSON's reader takes it: PowerShell writes UTF-16, and marks UTF-8."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        first = stream.read(_CHUNK)
        utf16 = first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        self._decoder = codecs.getincrementaldecoder("utf-16")() if utf16 else None
        self._first = first.removeprefix(codecs.BOM_UTF8)

    def read(self, size: int) -> bytes:
        if size == 0:
            return b""  # asked to know whether these are bytes
        data, self._first = self._first or self._stream.read(size), b""
        return self._decoder.decode(data, final=not data).encode() if self._decoder else data
