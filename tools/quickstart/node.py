"""Stands in for the nodes that the test control plane lacks: runs the operator as its installed Deployment says.

The environment is the Deployment's, the rights are those of its ServiceAccount; image, probes, scheduling and a second
replica are left out. When the operator is ready the Deployment's status says so, as its controller would have it.
"""

from pathlib import Path
from typing import Any

from dnsalias_operator.settings import ENV_PREFIX
from tools.controlplane.api import ApiError
from tools.controlplane.cluster import ControlPlane
from tools.running.operator_process import Operator

NAMESPACE, NAME = "dnsalias-system", "dnsalias-operator"
DEPLOYMENT = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{NAME}"


class Node:
    """Has at most one operator running: the one that the Deployment asks for now."""

    def __init__(self, plane: ControlPlane) -> None:
        """Nothing runs yet."""
        self._plane = plane
        self._operator: Operator | None = None
        self._generation = 0
        self._told = False

    def step(self) -> None:
        """Look at the Deployment, and do the next thing that it asks for. Never waits for long."""
        deployment = self._deployment()
        generation = deployment["metadata"]["generation"] if deployment else 0
        if generation != self._generation:
            self.stop()
            self._generation = generation
            if deployment:
                self._operator = operator(self._plane, deployment, self._plane.folder)
                self._operator.start()
        elif deployment and self._operator and not self._told and self._operator.page("/readyz")[0] == 200:
            self._tell_ready(deployment["spec"]["replicas"])

    def stop(self) -> None:
        """Stop the operator as the kubelet does, with SIGTERM: the old one is gone before a new one starts."""
        if self._operator is not None:
            self._operator.stop()
        self._operator, self._generation, self._told = None, 0, False

    def _deployment(self) -> dict[str, Any] | None:
        try:
            return dict(self._plane.api.get(DEPLOYMENT))
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def _tell_ready(self, replicas: int) -> None:
        counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), replicas)
        status = {"observedGeneration": self._generation, **counts}
        self._plane.api.request("PATCH", f"{DEPLOYMENT}/status", {"status": status}, "application/merge-patch+json")
        self._told = True


def operator(plane: ControlPlane, deployment: dict[str, Any], folder: Path) -> Operator:
    """The operator as a Deployment would start it: its environment, the rights of its ServiceAccount."""
    pod = deployment["spec"]["template"]["spec"]
    told = {e["name"].removeprefix(ENV_PREFIX).lower(): e["value"] for e in pod["containers"][0]["env"]}
    account, namespace = pod["serviceAccountName"], deployment["metadata"]["namespace"]
    # A Pod finds out where it is, and has its Lease there.
    told = {"leader_election": "true", "lease_namespace": namespace, **told}
    token = plane.service_account_token(namespace, account)
    kubeconfig = plane.write_kubeconfig(f"system:serviceaccount:{namespace}:{account}", token)
    return Operator(plane, kubeconfig, folder, told)
