"""Which pods of a namespace `dnsalias verify --all` asks."""

from typing import Any

from dnsalias_operator.shell.api.sidecars import running


def pod(name: str, owner: str = "", template: str = "", phase: str = "Running", **spec: Any) -> dict[str, Any]:  # noqa: ANN401
    """A pod with a sidecar, unless ``spec`` says otherwise."""
    kind, _, called = owner.partition("/")
    owners = [{"kind": kind, "name": called, "controller": True}] if owner else []
    labels = {"pod-template-hash": template} if template else {}
    return {
        "metadata": {"name": name, "labels": labels, "ownerReferences": owners},
        "spec": {"containers": [{"name": "app"}, {"name": "istio-proxy"}], **spec},
        "status": {"phase": phase},
    }


def test_a_rollout_is_one_workload() -> None:
    """Pods of two ReplicaSets of one Deployment have one owner; a StatefulSet keeps its name."""
    pods = [
        pod("a-1", "ReplicaSet/web-5d9c", "5d9c"),
        pod("a-2", "ReplicaSet/web-77ff", "77ff"),
        pod("b-0", "StatefulSet/b"),
    ]
    assert [one.owner for one in running(pods)] == ["ReplicaSet web", "ReplicaSet web", "StatefulSet b"]


def test_a_pod_that_nobody_made_is_a_workload_of_its_own() -> None:
    """By its name."""
    assert [(one.owner, one.pod) for one in running([pod("alone")])] == [("Pod alone", "alone")]


def test_only_running_pods_with_a_sidecar_are_asked() -> None:
    """Also where the sidecar is an init container that stays; none that is about to go."""
    leaving = pod("leaving")
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    native = pod("native", containers=[{"name": "app"}], initContainers=[{"name": "istio-proxy"}])
    pods = [native, pod("bare", containers=[{"name": "app"}]), pod("pending", phase="Pending"), leaving]
    assert [one.pod for one in running(pods)] == ["native"]
