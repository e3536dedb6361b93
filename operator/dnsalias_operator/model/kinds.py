"""Every kind of object that is read, one row each: its API, its typed view, who reads it, and what is kept.

Whoever lists, watches, stores or checks objects asks this table. A further kind needs its row, its typed view, and the
rights to read it (manifests/base/rbac.yaml and manifests/people; tests/install/test_kinds.py compares them).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dnsalias_operator.model.authorizationpolicy import AuthorizationPolicy
from dnsalias_operator.model.destinationrule import DestinationRule
from dnsalias_operator.model.dnsalias import DnsAlias
from dnsalias_operator.model.gateway import Gateway
from dnsalias_operator.model.meta import Raw
from dnsalias_operator.model.names import (
    GROUP,
    ISTIO_GROUP,
    ISTIO_VERSIONS,
    KIND,
    PLURAL,
    SECURITY_GROUP,
    SHORT_NAME,
    VERSION,
)
from dnsalias_operator.model.namespace import Namespace
from dnsalias_operator.model.peerauthentication import PeerAuthentication
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.shape import CLUSTER_IP, LABELS, NUMBER, SELECTOR, TEXT, TEXT_OR_NUMBER, TEXTS, Shape
from dnsalias_operator.model.sidecar import Sidecar
from dnsalias_operator.model.virtualservice import VirtualService

Object = (
    Service
    | ServiceEntry
    | DnsAlias
    | Sidecar
    | Namespace
    | VirtualService
    | DestinationRule
    | PeerAuthentication
    | AuthorizationPolicy
    | Gateway
)

ALL = ("*",)
"""Every field, whatever its name."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What the operator's store keeps of an object besides its identity, labels and owners.

    ``spec`` and ``status`` name their fields that are kept (`ALL`: every one; none: not even an empty mapping).
    ``annotations``: all that people set, not just those that this operator reads. ``managers``: who owns the fields
    that are written or fought over.
    """

    spec: tuple[str, ...] = ALL
    status: tuple[str, ...] = ()
    annotations: bool = False
    managers: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """A row.

    Attributes:
        group: API group, "" for the core group.
        versions: those in which it may be served, the preferred one first.
        plural: its name in paths and in the names of CRDs.
        parse: makes the typed view; total over any mapping.
        watched: whether the operator watches it; the command line reads every kind.
        optional: it only sharpens a prediction: the command line goes without it where it may not be read.
        namespaced: whether its objects are in namespaces.
        kept: what the operator's store keeps, of a kind that is watched.
        shape: types of the fields of a spec that are read, to find what the API server would refuse in a file. Source:
            the CRDs of Istio's base chart and the OpenAPI document of Kubernetes. Of ours, `DnsAlias.parse` checks it.
        short: its short name on the command line, "" where it has none.
    """

    name: str
    group: str
    versions: tuple[str, ...]
    plural: str
    parse: Callable[[Raw], Object]
    watched: bool = False
    optional: bool = False
    namespaced: bool = True
    kept: Kept = Kept()
    shape: Shape = None
    short: str = ""

    @property
    def api_version(self) -> str:
        """The preferred ``apiVersion``."""
        return f"{self.group}/{self.versions[0]}" if self.group else self.versions[0]

    @property
    def resource(self) -> str:
        """``plural.group``, which is also the name of its CRD; of the core group the plural alone."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def words(self) -> tuple[str, ...]:
        """What people call it on a command line, in lower case."""
        return tuple(filter(None, (self.name.lower(), self.plural, self.short)))


_ROWS = (
    Kind(
        "Service",
        "",
        ("v1",),
        "services",
        Service.parse,
        watched=True,
        kept=Kept(spec=("type", "clusterIP", "clusterIPs", "ports", "selector", "externalName")),
        shape={
            "type": TEXT,
            "clusterIP": CLUSTER_IP,
            "clusterIPs": [CLUSTER_IP],
            "externalName": TEXT,
            "selector": LABELS,
            "ports": [{"name": TEXT, "port": NUMBER, "protocol": TEXT, "targetPort": TEXT_OR_NUMBER}],
        },
    ),
    Kind(
        "ServiceEntry",
        ISTIO_GROUP,
        ISTIO_VERSIONS,
        "serviceentries",
        ServiceEntry.parse,
        watched=True,
        kept=Kept(status=("addresses",), annotations=True, managers=True),
        shape={
            "hosts": TEXTS,
            "addresses": TEXTS,
            "exportTo": TEXTS,
            "location": TEXT,
            "resolution": TEXT,
            "ports": [{"number": NUMBER, "name": TEXT, "protocol": TEXT, "targetPort": NUMBER}],
            "endpoints": [{"address": TEXT, "labels": LABELS, "ports": {"*": NUMBER}, "serviceAccount": TEXT}],
            "workloadSelector": SELECTOR,
        },
        short="se",
    ),
    Kind(
        KIND,
        GROUP,
        (VERSION,),
        PLURAL,
        DnsAlias.parse,
        watched=True,
        kept=Kept(status=ALL, annotations=True),
        short=SHORT_NAME,
    ),
    Kind(
        "Sidecar",
        ISTIO_GROUP,
        ISTIO_VERSIONS,
        "sidecars",
        Sidecar.parse,
        watched=True,
        optional=True,
        kept=Kept(spec=("workloadSelector", "egress", "outboundTrafficPolicy")),
        shape={
            "workloadSelector": SELECTOR,
            "egress": [{"hosts": TEXTS, "bind": TEXT, "captureMode": TEXT, "port": {"number": NUMBER}}],
        },
    ),
    Kind("Namespace", "", ("v1",), "namespaces", Namespace.parse, watched=True, namespaced=False, kept=Kept(spec=())),
    Kind(
        "VirtualService",
        ISTIO_GROUP,
        ISTIO_VERSIONS,
        "virtualservices",
        VirtualService.parse,
        watched=True,
        optional=True,
        # All of it: ours is compared with what it should be, and routes of others are written for aliases as well.
        kept=Kept(managers=True),
        shape={"hosts": TEXTS, "gateways": TEXTS, "exportTo": TEXTS},
    ),
    Kind(
        "DestinationRule",
        ISTIO_GROUP,
        ISTIO_VERSIONS,
        "destinationrules",
        DestinationRule.parse,
        watched=True,
        optional=True,
        kept=Kept(spec=("host", "exportTo", "workloadSelector", "trafficPolicy")),
        shape={"host": TEXT, "exportTo": TEXTS, "trafficPolicy": {}},
    ),
    Kind(
        "PeerAuthentication",
        SECURITY_GROUP,
        ("v1", "v1beta1"),
        "peerauthentications",
        PeerAuthentication.parse,
        optional=True,
        shape={"mtls": {"mode": TEXT}, "selector": {"matchLabels": LABELS}},
    ),
    Kind(
        "AuthorizationPolicy",
        SECURITY_GROUP,
        ("v1", "v1beta1"),
        "authorizationpolicies",
        AuthorizationPolicy.parse,
        optional=True,
        shape={
            "action": TEXT,
            "selector": {"matchLabels": LABELS},
            "targetRefs": [{"group": TEXT, "kind": TEXT, "name": TEXT}],
            "rules": [{"to": [{"operation": {"hosts": TEXTS, "notHosts": TEXTS}}]}],
        },
    ),
    Kind(
        "Gateway",
        ISTIO_GROUP,
        ISTIO_VERSIONS,
        "gateways",
        Gateway.parse,
        optional=True,
        shape={
            "selector": LABELS,
            "servers": [{"port": {"number": NUMBER}, "hosts": TEXTS, "tls": {"mode": TEXT}}],
        },
    ),
)

KINDS: Mapping[str, Kind] = {row.name: row for row in _ROWS}
"""By kind, in the order in which they are listed."""

_BY_GROUP = {(row.group, row.name): row for row in _ROWS}


def kind_of(group: str, name: str) -> Kind | None:
    """The kind of that API group, or None where it is not read: another group's Service (Knative's, say) is not."""
    return _BY_GROUP.get((group, name))


def watched(*, one_namespace: bool) -> list[Kind]:
    """What an operator watches; one that is confined to ``one_namespace`` reads nothing outside of it."""
    return [kind for kind in _ROWS if kind.watched and (kind.namespaced or not one_namespace)]
