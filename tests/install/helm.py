"""The real Helm, built like the control plane: what people install the chart with."""

import json
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tools.controlplane import build
from tools.controlplane.cluster import KUBECTL_SECONDS, ControlPlane

CHART = Path(__file__).parents[2] / "chart"
RELEASE = "dnsalias-operator"
"""The name of a release whose objects have the names that manifests/ has."""
NAMESPACE = "dnsalias-system"
IN_NAMESPACE = ("-n", NAMESPACE)


class HelmError(AssertionError):
    """Helm refused; the message has what it said."""


class Helm:
    """Helm with the kubeconfig of one cluster, and everything that it keeps in a folder of its own."""

    def __init__(self, plane: ControlPlane, folder: Path) -> None:
        """Work on ``plane``; ``folder`` takes Helm's caches."""
        self.plane, self._folder = plane, folder

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        """Run Helm and return its standard output.

        Raises:
            HelmError: it failed.
        """
        kept = {f"HELM_{name}_HOME": str(self._folder / name.lower()) for name in ("CACHE", "CONFIG", "DATA")}
        result = subprocess.run(
            [build.ensure("helm")["helm"], *arguments],
            input=stdin,
            env=self.plane.environment() | kept,
            capture_output=True,
            text=True,
            check=False,
            timeout=KUBECTL_SECONDS,
        )
        if result.returncode != 0:
            raise HelmError(f"helm {' '.join(arguments)}: exit {result.returncode}\n{result.stdout}{result.stderr}")
        return result.stdout

    def clear(self) -> None:
        """Uninstall every release, and take away what overlays have installed, but for the CRD and the namespace.

        The end of a namespace takes a while.
        """
        for release in json.loads(self.run("list", "-A", "-o", "json")):
            self.run("uninstall", release["name"], "-n", release["namespace"])
        ours = ("-l", "app.kubernetes.io/part-of=dnsalias")
        owned = "deployments,services,serviceaccounts,roles,rolebindings,poddisruptionbudgets"
        self.plane.kubectl("delete", owned, *ours, *IN_NAMESPACE)
        self.plane.kubectl("delete", "clusterroles,clusterrolebindings", *ours)

    def rendered(
        self, values: dict[str, Any] | None = None, release: str = RELEASE, namespace: str = NAMESPACE
    ) -> list[dict[str, Any]]:
        """What the chart makes of ``values``."""
        text = self.run("template", release, str(CHART), "-n", namespace, "-f", "-", stdin=json.dumps(values or {}))
        return [obj for obj in yaml.safe_load_all(text) if obj]
