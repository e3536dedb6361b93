"""The values of the Helm chart: the one source of chart/values.yaml, chart/values.schema.json and their table.

`python -m tools.chart.files` (make chart) writes those. Each setting of the operator is a value, with its
bounds, default and meaning from `Settings`.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from dnsalias_operator.model.names import DOMAIN_PATTERN, LABEL_PATTERN
from dnsalias_operator.settings import Settings

MODE = "observe"
"""The chart's default of ``foreign_entries``, with which the documents tell people to start."""


PLACE = re.compile(r"\[[^\]]*\]\((#[^)]*)\)")
"""A link to a heading of the same page."""


class _Values(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)


class Image(_Values):
    """Where the image is."""

    repository: str = Field("dnsalias-operator", min_length=1, description="The image, with its registry.")
    tag: str = Field("", description="A tag, or a digest (sha256:…). Empty: the chart's appVersion.")
    digest: str = Field(
        "",
        pattern="^$|^sha256:[0-9a-f]{64}$",
        description="The digest of the image, which then decides; the tag is left out.",
    )
    pull_policy: Literal["Always", "IfNotPresent", "Never"] = Field(
        "IfNotPresent", description="When the image is pulled."
    )


class ServiceAccount(_Values):
    """The ServiceAccount of the operator."""

    create: bool = Field(
        True,
        description="Whether the ServiceAccount is part of the release. false: name an existing one.",
    )
    name: str = Field(
        "",
        max_length=253,
        pattern=f"^$|{DOMAIN_PATTERN}",
        description="Its name. Empty: as the other objects.",
    )
    annotations: dict[str, str] = Field({}, description="Its annotations, if it is part of the release.")


class DisruptionBudget(_Values):
    """How many Pods a drain may evict at a time."""

    enabled: bool = Field(True, description="Whether there is a PodDisruptionBudget; only with more than one replica.")
    max_unavailable: Annotated[int, Field(ge=0)] | Annotated[str, Field(pattern="^[0-9]+%$")] = Field(
        1, description="As in a PodDisruptionBudget: a number, or a share such as 50%. With 0 no node can be drained."
    )


class NetworkPolicy(_Values):
    """What may connect to the Pods, and what they may connect to. If enabled, nothing else is allowed."""

    enabled: bool = Field(False, description="Whether there is a NetworkPolicy.")
    metrics_from: list[dict[str, Any]] = Field(
        [],
        description="Peers, as in a NetworkPolicy, that may reach the metrics port: Prometheus. Probes of the kubelet "
        "come from the node, which network plugins allow. Empty: everybody.",
    )
    api_server_to: list[dict[str, Any]] = Field(
        [],
        description="Peers, as in a NetworkPolicy, that are the API server, such as [{ipBlock: {cidr: 192.0.2.1/32}}]. "
        "Most network plugins match its own address, not the clusterIP of Service kubernetes. Empty: any address.",
    )
    api_server_ports: list[Annotated[int, Field(ge=1, le=65535)]] = Field(
        [443, 6443],
        min_length=1,
        description="Ports of the API server: that of its Service, and those of its endpoints.",
    )
    dns: bool = Field(
        True,
        description="Whether DNS queries are allowed, to any address. Needed only if the API server is called by name.",
    )


class Crds(_Values):
    """The CustomResourceDefinition."""

    install: bool = Field(
        True,
        description="Whether the CRD is part of the release: upgraded with it, and kept when it is uninstalled. false: "
        "apply manifests/crd yourself.",
    )


class MeshRole(_Values):
    """The rights to read which mesh it is."""

    create: Literal["auto", "yes", "no"] = Field(
        "auto",
        description="Whether the Role for that is installed in the mesh's root namespace. auto: if that namespace "
        "exists, and settings.namespace is not set.",
    )
    revisions: tuple[str, ...] = Field(
        (), description="Other revisions of istiod whose objects may be read, beside settings.istio_revision."
    )
    config_maps: tuple[str, ...] = Field(
        (), description="Other ConfigMaps there that may be read: the one that istiod's SHARED_MESH_CONFIG names."
    )


class Monitoring(_Values):
    """For clusters with the Prometheus operator."""

    enabled: bool = Field(
        False, description="Whether alerts and scraping are installed. Needs the Prometheus operator's CRDs."
    )
    runbook_base_url: str = Field(
        "",
        pattern=r"^(https?://\S+)?$",
        description="URL of this repository for readers, such as https://git.example.com/dnsalias-operator/blob/main; "
        "it becomes the base of every alert's runbook_url. Empty: runbook_url is the path docs/runbook.md#….",
    )
    interval: str = Field(
        "30s", pattern=r"^([0-9]+(ms|[smhdwy]))+$", description="How often metrics are scraped, such as 1m."
    )
    labels: dict[str, str] = Field(
        {}, description="Labels by which your Prometheus selects rules and monitors, such as {release: prometheus}."
    )


class Values(_Values):
    """All of them, except ``settings``, which comes from the operator."""

    image: Image = Field(Image(), description="Where the image is.")
    image_pull_secrets: list[dict[str, str]] = Field([], description="As in a Pod: [{name: my-registry}].")
    name_override: str = Field(
        "",
        max_length=63,
        pattern=f"^$|{LABEL_PATTERN}",
        description="In the place of the chart's name: in names of objects, and in the label app.kubernetes.io/name. "
        "Not to be changed in the life of a release.",
    )
    fullname_override: str = Field(
        "",
        max_length=63,
        pattern=f"^$|{LABEL_PATTERN}",
        description="Name of the objects. Empty: by the release's name.",
    )
    replicas: int = Field(2, ge=0, description="How many Pods: one writes, the others are standbys.")
    resources: dict[str, Any] = Field(
        {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
        description="Requests and limits of the container. There is no CPU limit, because throttling delays repairs.",
    )
    extra_env: list[dict[str, Any]] = Field(
        [],
        description="Environment of the container, as in a Pod: [{name: HTTPS_PROXY, value: …}]. Not for the "
        "operator's settings, which stand in settings.",
    )
    common_labels: dict[str, str] = Field({}, description="Labels of every object, besides the chart's own.")
    pod_annotations: dict[str, str] = Field({}, description="Annotations of the Pod.")
    pod_labels: dict[str, str] = Field({}, description="Labels of the Pod, besides the chart's own.")
    node_selector: dict[str, str] = Field({}, description="As in a Pod.")
    tolerations: list[dict[str, Any]] = Field([], description="As in a Pod.")
    affinity: dict[str, Any] = Field({}, description="As in a Pod.")
    topology_spread_constraints: list[dict[str, Any]] = Field(
        [{"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}],
        description="As in a Pod; one without a labelSelector applies to the Pods of this release.",
    )
    priority_class_name: str = Field("", description="As in a Pod.")
    pod_security_context: dict[str, Any] = Field(
        {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "runAsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        description="securityContext of the Pod; null values are left out. If the cluster chooses the user, as "
        "OpenShift does, set runAsUser and runAsGroup to null.",
    )
    security_context: dict[str, Any] = Field(
        {},
        description="securityContext of the container, added to its own: no privileges, no capabilities, a file system "
        "that cannot be written.",
    )
    service_account: ServiceAccount = Field(ServiceAccount(), description="The ServiceAccount of the operator.")
    pod_disruption_budget: DisruptionBudget = Field(
        DisruptionBudget(), description="How many Pods a drain may evict at a time."
    )
    network_policy: NetworkPolicy = Field(
        NetworkPolicy(),
        description="What may connect to the Pods, and what they may connect to; if enabled, nothing else is allowed.",
    )
    crds: Crds = Field(Crds(), description="The CustomResourceDefinition.")
    mesh_role: MeshRole = Field(MeshRole(), description="The rights to read which mesh it is.")
    monitoring: Monitoring = Field(Monitoring(), description="For clusters with the Prometheus operator.")


CALLED = {
    "replicaCount": "replicas",
    "serviceMonitor": "monitoring.enabled, monitoring.interval and monitoring.labels",
    "prometheusRule": "monitoring.enabled",
    "metrics": "monitoring.enabled, and settings.http_port",
    "podDisruptionBudgets": "podDisruptionBudget",
    "pdb": "podDisruptionBudget",
    "rbac": "serviceAccount, meshRole and settings.namespace",
    "env": "extraEnv, or settings.NAME for a setting",
    "installCRDs": "crds.install",
    "logLevel": "settings.log_level",
}
"""Names that other charts have for what this one calls otherwise."""


def schema() -> dict[str, Any]:
    """JSON Schema of the values: Helm refuses what does not fit before anything reaches the cluster."""
    own = _plain(Values.model_json_schema(by_alias=True))
    del own["description"]
    own["properties"]["settings"] = _settings()
    _require(own)
    # The others have their own defaults; this one's is another than the chart's.
    own["properties"]["settings"]["required"] = ["foreign_entries"]
    # Helm adds this one where the chart is a dependency of another.
    own["properties"]["global"] = {"type": "object", "description": "Values shared among charts; not read here."}
    # Helm says of a value that has to be another one which one that is: so the error names what is meant.
    own["properties"] |= {name: {"const": f"this chart calls it {called}"} for name, called in CALLED.items()}
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Values of dnsalias-operator", **own}


def _require(node: dict[str, Any]) -> None:
    """Helm takes null for "without this value" before it looks at the schema; here are those that are needed."""
    node["required"] = [name for name, field in node["properties"].items() if _needed(field)]
    for field in node["properties"].values():
        if "properties" in field:
            _require(field)


def _needed(field: dict[str, Any]) -> bool:
    """Not what may be empty as well: a template makes nothing of null then."""
    of_any_shape = field.get("type") in ("object", "array") and not field.keys() & {"properties", "minItems"}
    return field.get("default") != "" and not of_any_shape


def _settings() -> dict[str, Any]:
    fields = _plain(Settings.model_json_schema())["properties"]
    for name, field in fields.items():
        # An empty environment variable counts as one that is not set: it would be the default, silently.
        if Settings.model_fields[name].default in ("", ()):
            continue
        if field["type"] in ("string", "array") and "enum" not in field:
            field["minLength" if field["type"] == "string" else "minItems"] = 1
    for field in fields.values():
        # Written for docs/settings.md: here is no heading to go to.
        field["description"] = PLACE.sub(r"docs/settings.md\1", field["description"])
    # Not 0, any free one: probes, Service and scraping need to know it.
    fields["http_port"] |= {"minimum": 1, "description": "Port of /metrics, /healthz and /readyz."}
    return {
        "type": "object",
        "description": "Settings of the operator, by the names in docs/settings.md.",
        "additionalProperties": False,
        "properties": fields,
    }


def _plain(node: Any) -> Any:  # noqa: ANN401 (any JSON)
    """The schema without titles and references, which Helm's messages would show."""
    return _inlined(node, node.get("$defs", {}))


def _inlined(node: Any, defs: dict[str, Any]) -> Any:  # noqa: ANN401 (any JSON)
    if isinstance(node, list):
        return [_inlined(item, defs) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        node = {**defs[node["$ref"].rpartition("/")[2]], **{k: v for k, v in node.items() if k != "$ref"}}
    kept = {k: v for k, v in node.items() if k != "$defs" and not (k == "title" and isinstance(v, str))}
    return {key: _inlined(value, defs) for key, value in kept.items()}
