"""Asking the sidecars of a cluster for their configuration, as `kubectl exec` does, and finding a few to ask."""

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, BinaryIO

from dnsalias_operator.model.meta import mapping, mappings, text
from dnsalias_operator.model.names import is_object_name
from dnsalias_operator.shell.api.client import Client
from dnsalias_operator.shell.api.errors import ApiError, ClusterError

__all__ = ["ApiError", "ClusterError", "Workload", "dump_sidecar", "one_pod_a_workload", "running"]

CONTAINER = "istio-proxy"
COMMAND = ("pilot-agent", "request", "GET", "config_dump?include_eds")
HASH_LABEL = "pod-template-hash"
_MOST_TOLD = 2000
_FAREWELL_SECONDS = 0.25
"""What TLS needs to say that it ends, after aiohttp has closed a connection (its page "Graceful Shutdown")."""
_STDOUT, _STDERR, _STATUS = 1, 2, 3
"""Channels of an exec. Source: remotecommand of k8s.io/apimachinery."""


@dataclass(frozen=True, slots=True, order=True)
class Workload:
    """A running pod with a sidecar, and what made it, such as ``ReplicaSet shop`` (without its hash)."""

    owner: str
    pod: str


def dump_sidecar(kubeconfig: str | None, context: str | None, namespace: str, pod: str, into: BinaryIO) -> None:
    """Write the configuration of a pod's sidecar.

    Raises:
        ClusterError: the cluster cannot be reached, refuses, or the command fails; the message says what to do.
    """
    asyncio.run(_dump(kubeconfig, context, namespace, pod, into))


def one_pod_a_workload(kubeconfig: str | None, context: str | None, namespace: str) -> list[Workload]:
    """One running pod with a sidecar of each workload of a namespace, sorted.

    Raises:
        ClusterError: the cluster cannot be reached, or refuses.
    """
    return asyncio.run(_sample(kubeconfig, context, namespace))


async def _dump(kubeconfig: str | None, context: str | None, namespace: str, pod: str, into: BinaryIO) -> None:
    query = [("container", CONTAINER), ("stdout", "true"), ("stderr", "true"), *(("command", c) for c in COMMAND)]
    path, errors, outcome = f"{_path(namespace, pod)}/exec", b"", b""
    async with await Client.connect(kubeconfig, context) as client:
        try:
            async for channel, data in client.stream(path, query):
                if channel == _STDOUT:
                    into.write(data)
                elif channel == _STDERR:
                    errors += data[:_MOST_TOLD]
                elif channel == _STATUS:
                    outcome += data
        except ApiError as error:
            raise _refused(error, namespace, pod) from error
    await asyncio.sleep(_FAREWELL_SECONDS)
    status = mapping(_json(outcome))
    if status.get("status") != "Success":
        said = text(status.get("message")) or errors.decode(errors="replace").strip() or "the answer broke off"
        raise ClusterError(f"pod {namespace}/{pod}: {' '.join(COMMAND)} in container {CONTAINER}: {said}")


async def _sample(kubeconfig: str | None, context: str | None, namespace: str) -> list[Workload]:
    found: dict[str, str] = {}
    async with await Client.connect(kubeconfig, context) as client:
        query = {"limit": "500"}
        while True:
            answer = await client.request("GET", _path(namespace), query)
            for one in running(mappings(answer.get("items"))):
                found.setdefault(one.owner, one.pod)
            if not (token := text(mapping(answer.get("metadata")).get("continue"))):
                return sorted(Workload(owner, name) for owner, name in found.items())
            query["continue"] = token


def running(pods: Iterable[Mapping[str, Any]]) -> Iterator[Workload]:
    """The pods that run with a sidecar, each with what made it."""
    return (Workload(_owner(pod), text(mapping(pod.get("metadata")).get("name"))) for pod in pods if _has_sidecar(pod))


def _refused(error: ApiError, namespace: str, pod: str) -> ClusterError:
    """The same in words: a connection that is not upgraded says no more than its status."""
    where = f"pod {namespace}/{pod}"
    if error.status == HTTPStatus.FORBIDDEN:
        return ClusterError(f"{where}: no right to run a command in it: get and create of pods/exec in {namespace}")
    if error.status == HTTPStatus.NOT_FOUND:
        return ClusterError(f"{where}: there is none, or it has no container {CONTAINER}: a pod without a sidecar?")
    if error.status == HTTPStatus.BAD_REQUEST:
        return ClusterError(f"{where}: it has no running container {CONTAINER}: a pod without a sidecar?")
    return ClusterError(f"{where}: {error}")


def _path(namespace: str, name: str = "") -> str:
    """Path of a namespace's pods, or of one."""
    for what, part in (("namespace", namespace), *((("pod", name),) if name else ())):
        if not is_object_name(part):
            raise ClusterError(f"no {what} can have the name {part[:253]!r}")
    return "/".join(["api/v1/namespaces", namespace, "pods", *filter(None, (name,))])


def _has_sidecar(pod: Mapping[str, Any]) -> bool:
    spec, status = mapping(pod.get("spec")), mapping(pod.get("status"))
    containers = (*mappings(spec.get("containers")), *mappings(spec.get("initContainers")))
    leaving = mapping(pod.get("metadata")).get("deletionTimestamp")
    return status.get("phase") == "Running" and not leaving and any(c.get("name") == CONTAINER for c in containers)


def _owner(pod: Mapping[str, Any]) -> str:
    """What made the pod; of a Deployment its ReplicaSet without the hash, so that a rollout counts once."""
    meta = mapping(pod.get("metadata"))
    owner = next(_controllers(meta), None)
    if owner is None:
        return f"Pod {text(meta.get('name'))}"
    template = text(mapping(meta.get("labels")).get(HASH_LABEL))
    return f"{text(owner.get('kind'))} {text(owner.get('name')).removesuffix(f'-{template}' if template else '')}"


def _controllers(meta: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    return (owner for owner in mappings(meta.get("ownerReferences")) if owner.get("controller") is True)


def _json(data: bytes) -> object:
    try:
        return json.loads(data)
    except ValueError:
        return None
