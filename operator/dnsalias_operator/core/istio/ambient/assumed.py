"""Pods that are not known, as far as Services and entries say that there are some.

Pods are not read: whatever selects pods is taken to have one, which takes HBONE where its namespace is in ambient mode.
"""

from collections.abc import Iterator
from dataclasses import replace

from dnsalias_operator.core.istio.ambient.clients import in_ambient_mode
from dnsalias_operator.core.istio.ambient.workloads import REDIRECTION, Pod
from dnsalias_operator.model.lookups import Claimant
from dnsalias_operator.model.meta import ObjectMeta
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.snapshot import Snapshot

NOWHERE = "0.0.0.0"  # noqa: S104 (no socket: the address of a pod that is not known)
"""The address of an assumed pod: nobody dials it."""


def assumed_pods(world: Snapshot) -> tuple[Pod, ...]:
    """A pod for each selector of a namespace's Services and entries; its name is the selector.

    It has a container port of every name that a Service of the namespace asks for.
    """
    found: dict[tuple[str, str], Pod] = {}
    for obj in _selecting(world):
        selector = (obj.selector if isinstance(obj, Service) else obj.workload_selector) or {}
        namespace = obj.meta.namespace
        name = ",".join(f"{label}={value}" for label, value in sorted(selector.items()))
        annotations = {REDIRECTION: "enabled"} if in_ambient_mode(world, namespace) else {}
        meta = ObjectMeta(namespace, name, labels=selector, annotations=annotations)
        pod = found.get((namespace, name), Pod(meta, (NOWHERE,), {}))
        if isinstance(obj, Service):
            named = {p.target_port: p.port for p in obj.ports if isinstance(p.target_port, str)}
            pod = replace(pod, ports={**named, **pod.ports})
        found[namespace, name] = pod
    return tuple(found[key] for key in sorted(found))


def _selecting(world: Snapshot) -> Iterator[Claimant]:
    yield from (service for service in world.services() if service.selector)
    yield from (entry for entry in world.entries() if entry.workload_selector)
