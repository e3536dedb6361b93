"""A real data plane: istiod, sidecars of pilot-agent and Envoy, CoreDNS and kube-proxy.

They stand beside the real control plane of ``tools/controlplane``; ``mesh`` is the way in. A node and its pods are
kernel namespaces without a name (``spaces``), so whatever ends their holders, SIGKILL too, ends all that was in them:
processes, interfaces, addresses, routes, rules and mounts. Nothing is ever made in the machine's own network.
"""

from tools.controlplane import ControlPlaneError


class DataPlaneError(ControlPlaneError):
    """A part of the data plane did not come up or a command in a pod failed: which, and what it said."""
