"""istiod on the node: its configuration, and what stock Envoy forces on it."""

import json
import os
from collections.abc import Mapping
from typing import Any

from tools.dataplane.node import KUBECONFIG, Node
from tools.dataplane.spaces import HOME
from tools.dataplane.web import until_serving

NAMESPACE = "istio-system"

MESH_CONFIG: Mapping[str, Any] = {
    "rootNamespace": NAMESPACE,
    "trustDomain": "cluster.local",
    "enablePrometheusMerge": False,
}

NO_ALPN_FILTER: dict[str, Any] = {
    "apiVersion": "networking.istio.io/v1alpha3",
    "kind": "EnvoyFilter",
    "metadata": {"name": "stock-envoy", "namespace": NAMESPACE},
    "spec": {
        "configPatches": [
            {
                "applyTo": "HTTP_FILTER",
                "match": {
                    "context": "ANY",
                    "listener": {
                        "filterChain": {
                            "filter": {
                                "name": "envoy.filters.network.http_connection_manager",
                                "subFilter": {"name": "istio.alpn"},
                            }
                        }
                    },
                },
                "patch": {"operation": "REMOVE"},
            }
        ]
    },
}
"""Removes an HTTP filter that only Istio's own build of Envoy has. Listeners' sockets, matches and clusters stay."""


def discovery(node: Node) -> str:
    """Where the istiod of a node serves proxies."""
    return f"{node.address}:15012"


class Istiod:
    """istiod, running on the node."""

    def __init__(self, node: Node, mesh_config: Mapping[str, Any], environment: Mapping[str, str]) -> None:
        """Start it and wait until it is ready.

        Args:
            node: where; its kubeconfig is istiod's.
            mesh_config: fields of MeshConfig over ``MESH_CONFIG``.
            environment: variables of istiod's over those it needs.
        """
        self._node = node
        self.configure(mesh_config)
        node.write("networks", "networks: {}\n")
        self._environment = {
            "PATH": os.environ["PATH"],
            "PILOT_ENABLE_METADATA_EXCHANGE": "false",  # another filter that stock Envoy lacks
            "POD_NAME": "istiod",
            "POD_NAMESPACE": NAMESPACE,
            **environment,
        }
        self._start()

    def configure(self, mesh_config: Mapping[str, Any]) -> None:
        """Write these fields of MeshConfig over ``MESH_CONFIG``; istiod, where it runs, reads the file again."""
        at_home = {"defaultConfig": {"discoveryAddress": discovery(self._node)}}
        self._node.write("mesh", json.dumps({**MESH_CONFIG, **at_home, **mesh_config}))

    def restart(self) -> None:
        """Kill it and start it again: what it knows then is what the API server holds."""
        self._node.space.kill("istiod")
        self._start()

    def _start(self) -> None:
        files = [f"--kubeconfig={KUBECONFIG}", f"--meshConfig={HOME}/mesh", f"--networksConfig={HOME}/networks"]
        # It writes a status for every entry that gets an address; at the usual rate hundreds take long.
        rates = ["--kubernetesApiQPS=2000", "--kubernetesApiBurst=4000"]
        command = [str(HOME / "bin" / "pilot-discovery"), "discovery", *files, *rates]
        self._node.space.spawn("istiod", command, self._environment)
        until_serving(self._node.space, f"http://{self._node.address}:8080/ready")
