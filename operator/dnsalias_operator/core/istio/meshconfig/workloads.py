"""Workloads that say themselves whether they capture DNS: the annotation proxy.istio.io/config, or a ProxyConfig.

Source: EffectiveProxyConfig and toMeshConfigProxyConfig in pilot/pkg/model/proxy_config.go at 1.31.
"""

from collections.abc import Mapping
from typing import Any

import yaml

from dnsalias_operator.core.istio.meshconfig.fields import CAPTURE, truth
from dnsalias_operator.core.istio.meshconfig.found import NOTHING, Found
from dnsalias_operator.model.meta import Raw, mapping, text

ANNOTATION = "proxy.istio.io/config"
PROXY_CONFIG = "ProxyConfig"
WORKLOADS: Mapping[str, tuple[str, ...]] = {
    "Pod": (),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    **dict.fromkeys(
        ("DaemonSet", "Deployment", "Job", "ReplicaSet", "ReplicationController", "StatefulSet"), ("spec", "template")
    ),
}
"""Kinds of which pods are made, and where the pod's metadata is."""
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_capture(raw: Raw) -> Found:
    """What a workload or a ProxyConfig says of the DNS capture of its pods; `NOTHING` where it says nothing."""
    kind, meta = text(raw.get("kind")), mapping(raw.get("metadata"))
    where = f"{kind} {'/'.join(filter(None, (text(meta.get('namespace')), text(meta.get('name')))))}"
    if kind == PROXY_CONFIG:
        given = mapping(mapping(raw.get("spec")).get("environmentVariables")).get(CAPTURE)
        return _captures(given, f"{where}: environmentVariables")
    if kind not in WORKLOADS:
        return NOTHING
    pod: Mapping[str, Any] = raw
    for step in WORKLOADS[kind]:
        pod = mapping(pod.get(step))
    annotation = text(mapping(mapping(pod.get("metadata")).get("annotations")).get(ANNOTATION))
    if CAPTURE not in annotation:
        return NOTHING
    try:
        config = yaml.load(annotation, Loader=_LOADER)  # noqa: S506 (a safe loader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return Found(faults=(f"{where}: annotation {ANNOTATION} is not YAML; it is not used",))
    given = mapping(mapping(config).get("proxyMetadata")).get(CAPTURE)
    return _captures(given, f"{where}: annotation {ANNOTATION}")


def _captures(given: object, where: str) -> Found:
    told = truth(given)
    return NOTHING if told is None else Found(captures=((told, where),))
