"""Kubernetes and Istio objects as JSON, made in one place: for tests, programs and benchmarks.

Every builder gives a new object, the smallest that an API server takes. Its fields can be set by their own names:
``meta`` has fields of the metadata (labels, annotations, uid, creationTimestamp), all further keyword arguments are
fields of the spec. Either replaces what the builder would put there. Without ``namespace`` the object has none, as in
a request whose path has it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from dnsalias_operator.model.names import GROUP, KIND, VERSION
from dnsalias_operator.model.rules import Rules

Raw = dict[str, Any]
Fields = Mapping[str, object]

MANAGER = "dns-controller"
"""The field manager of `foreign` entries."""
MANAGED = {"app.kubernetes.io/managed-by": MANAGER}
"""The labels of `foreign` entries: those are in the operator's care."""
NETWORKING = "networking.istio.io/v1"


def rules(**given: Any) -> Rules:  # noqa: ANN401 (fields of any type)
    """The rules of an operator that was told to repair other people's entries, which it does not by itself."""
    return Rules(**{"foreign_entries": "patch", **given})


def manifest(
    api_version: str, kind: str, name: str, spec: object, *, namespace: str = "", meta: Fields | None = None
) -> Raw:
    """An object of any kind; ``spec`` is any JSON, for objects that no schema would take too."""
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **(meta or {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}


def listed(made: Raw) -> Raw:
    """The object as an item of a LIST: without apiVersion and kind."""
    return {field: value for field, value in made.items() if field not in ("apiVersion", "kind")}


def port(number: int, name: str = "tcp", **more: object) -> Raw:
    """A port of a Service."""
    return {"name": name, "port": number, **more}


def entry_port(number: object, protocol: object = "TCP", name: str = "p", **more: object) -> Raw:
    """A port of a ServiceEntry; without a protocol where that is None."""
    return {"name": name, "number": number, **({} if protocol is None else {"protocol": protocol}), **more}


def service(
    name: str,
    *,
    ports: Iterable[Raw] | None = None,
    ip: str = "",
    namespace: str = "",
    meta: Fields | None = None,
    **spec: object,
) -> Raw:
    """A Service of one TCP port, 443, or of ``ports``; ``ip`` is its only clusterIP."""
    given = {"ports": [port(443)] if ports is None else list(ports)}
    ips = {"clusterIP": ip, "clusterIPs": [ip]} if ip else {}
    return manifest("v1", "Service", name, {**given, **ips, **spec}, namespace=namespace, meta=meta)


def alias(
    name: str, host: object, service: str, *, namespace: str = "", meta: Fields | None = None, **spec: object
) -> Raw:
    """A DnsAlias of the Service of that name."""
    given = {"host": host, "serviceRef": {"name": service}}
    return manifest(f"{GROUP}/{VERSION}", KIND, name, {**given, **spec}, namespace=namespace, meta=meta)


def entry(
    name: str,
    *hosts: str,
    ports: Iterable[Raw] | None = None,
    resolution: str = "DNS",
    namespace: str = "",
    meta: Fields | None = None,
    **spec: object,
) -> Raw:
    """A ServiceEntry of one TCP port, 443, or of ``ports``: without addresses, so it takes every connection there."""
    given = {"ports": [entry_port(443)] if ports is None else list(ports), "resolution": resolution}
    return manifest(
        NETWORKING, "ServiceEntry", name, {"hosts": list(hosts), **given, **spec}, namespace=namespace, meta=meta
    )


def foreign(
    name: str,
    *hosts: str,
    ports: Iterable[Raw] | None = None,
    namespace: str = "",
    meta: Fields | None = None,
    **spec: object,
) -> Raw:
    """A ServiceEntry as a dns-controller writes it that leaves out addresses and endpoints; see ``entry``."""
    made = entry(name, *hosts, ports=ports, namespace=namespace, meta={"labels": dict(MANAGED), **(meta or {})})
    made["spec"] |= {"location": "MESH_INTERNAL", **spec}
    return made


def sidecar(name: str, *hosts: str, namespace: str = "", meta: Fields | None = None, **spec: object) -> Raw:
    """A Sidecar that imports those hosts, such as "abc/*", on every port."""
    given = {"egress": [{"hosts": list(hosts)}]}
    return manifest(NETWORKING, "Sidecar", name, {**given, **spec}, namespace=namespace, meta=meta)
