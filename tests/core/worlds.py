"""Random small worlds for property tests: Services, entries of others, and aliases that meet in few names and ports."""

from typing import Any

from hypothesis import strategies as st

from dnsalias_operator.model.kinds import KINDS, Object
from dnsalias_operator.model.names import SERVICE_ANNOTATION
from tools.make import MANAGED

NAMESPACES = ("abc", "data")
NAMES = ("api", "db", "web")
IPS = ("10.96.0.1", "10.96.0.2", "10.96.0.3", "10.96.0.4")
HOSTS = ("api.hello", "db.hello", "api.data", "web.hello", "pod.db.data")
PORTS = (80, 443, 3306)

stamps = st.sampled_from([None, "2026-01-01T00:00:00Z", "2026-01-01T00:00:05Z", "2026-01-01T00:00:09Z"])
exports = st.sampled_from([None, ["*"], ["."], ["data"], ["~"]])


@st.composite
def services(draw: st.DrawFn) -> dict[str, Any]:
    """A Service: with one or two ports, sometimes headless or ExternalName, sometimes with an exportTo."""
    ip = draw(st.sampled_from([*IPS, "None", ""]))
    ports = draw(st.lists(st.sampled_from(PORTS), min_size=1, max_size=2, unique=True))
    spec: dict[str, Any] = {
        "ports": [
            {"port": p, "name": f"{draw(st.sampled_from(['http', 'tcp', 'tls', 'foo']))}-{p}", "targetPort": 8000 + p}
            for p in ports
        ]
    }
    if ip:
        spec |= {"clusterIP": ip, "clusterIPs": [ip]}
    if draw(st.booleans()):
        spec["selector"] = {"app": draw(st.sampled_from(NAMES))}
    return _object(draw, "v1", "Service", spec, exports=draw(exports))


@st.composite
def entries(draw: st.DrawFn) -> dict[str, Any]:
    """Somebody else's ServiceEntry, most of them such as a dns-controller writes them."""
    spec: dict[str, Any] = {
        "hosts": [draw(st.sampled_from(HOSTS))],
        "ports": [
            {"number": p, "name": f"p{p}", "protocol": draw(st.sampled_from(["TCP", "HTTP", "TLS"]))}
            for p in draw(st.lists(st.sampled_from(PORTS), min_size=1, max_size=2, unique=True))
        ],
        "resolution": draw(st.sampled_from(["DNS", "DNS", "DNS", "STATIC", "NONE"])),
    }
    if draw(st.booleans()) and draw(st.booleans()):
        spec["addresses"] = [draw(st.sampled_from([*IPS, "240.9.9.9", "0.0.0.0"]))]  # noqa: S104 (test data)
    if draw(st.booleans()) and spec["resolution"] == "DNS":
        name, namespace = draw(st.sampled_from(NAMES)), draw(st.sampled_from(NAMESPACES))
        spec["endpoints"] = [{"address": f"{name}.{namespace}.svc.cluster.local"}]
    if (export_to := draw(exports)) is not None:
        spec["exportTo"] = export_to
    annotation = draw(st.sampled_from([None, None, "api", "data/db"]))
    return _object(
        draw,
        "networking.istio.io/v1",
        "ServiceEntry",
        spec,
        labels=MANAGED if draw(st.booleans()) else {},
        annotations={SERVICE_ANNOTATION: annotation} if annotation else {},
    )


@st.composite
def aliases(draw: st.DrawFn) -> dict[str, Any]:
    """A DnsAlias of some Service that may or may not exist."""
    spec: dict[str, Any] = {
        "host": draw(st.sampled_from(HOSTS)),
        "serviceRef": {"name": draw(st.sampled_from(NAMES))},
        "endpoints": draw(st.sampled_from(["Auto", "Workloads", "Service"])),
    }
    if (export_to := draw(exports)) is not None:
        spec["exportTo"] = export_to
    return _object(draw, "dnsalias.io/v1alpha1", "DnsAlias", spec)


@st.composite
def sidecars(draw: st.DrawFn) -> dict[str, Any]:
    """A Sidecar: of a namespace, of some of its pods, or of the root namespace for all."""
    hosts = st.lists(
        st.sampled_from(("./*", "*/*", "abc/*", "data/*", "*/*.hello", "~/db.hello")), min_size=1, max_size=2
    )
    spec: dict[str, Any] = {"egress": [{"hosts": draw(hosts)}]}
    if draw(st.booleans()):
        spec["workloadSelector"] = {"labels": {"app": draw(st.sampled_from(NAMES))}}
    found = _object(draw, "networking.istio.io/v1", "Sidecar", spec)
    found["metadata"]["namespace"] = draw(st.sampled_from((*NAMESPACES, "clients", "istio-system")))
    return found


@st.composite
def namespaces(draw: st.DrawFn) -> dict[str, Any]:
    """A Namespace, with a label that gives it hosts or without, sometimes in ambient mode."""
    meta: dict[str, Any] = {"name": draw(st.sampled_from(NAMESPACES)), "labels": {}}
    if draw(st.booleans()):
        meta["labels"]["team"] = draw(st.sampled_from(("pay", "other")))
    if draw(st.booleans()):
        meta["labels"]["istio.io/dataplane-mode"] = "ambient"
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}


def _object(
    draw: st.DrawFn,
    api_version: str,
    kind: str,
    spec: dict[str, Any],
    *,
    exports: list[str] | None = None,
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
) -> dict[str, Any]:
    namespace, name = draw(st.sampled_from(NAMESPACES)), draw(st.sampled_from(NAMES))
    meta: dict[str, Any] = {"name": name, "namespace": namespace, "uid": f"{kind}-{namespace}-{name}"}
    if (stamp := draw(stamps)) is not None:
        meta["creationTimestamp"] = stamp
    notes = dict(annotations or {})
    if exports is not None:
        notes["networking.istio.io/exportTo"] = ",".join(exports)
    if notes:
        meta["annotations"] = notes
    if labels:
        meta["labels"] = labels
    return {"apiVersion": api_version, "kind": kind, "metadata": meta, "spec": spec}


def parsed(raw: dict[str, Any]) -> Object:
    """The typed view of a raw object."""
    return KINDS[raw["kind"]].parse(raw)


@st.composite
def worlds(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Raw objects with distinct identities."""
    drawn = [
        *draw(st.lists(services(), max_size=4)),
        *draw(st.lists(entries(), max_size=4)),
        *draw(st.lists(aliases(), max_size=3)),
        *draw(st.lists(sidecars(), max_size=2)),
        *draw(st.lists(namespaces(), max_size=2)),
    ]
    return list({parsed(o).key: o for o in drawn}.values())
