"""The node: one network namespace that pods are wired to, with kube-proxy, CoreDNS and istiod in it.

As on a real node, a pod's packets to a clusterIP are routed to the node, and there **kube-proxy itself** (its iptables
mode, built from k8s.io/kubernetes) sends them to an endpoint; no rule of ours stands in for it. Every pod is reached
over a pair of interfaces of its own, so answers come back through the node too and nothing has to be bridged.
"""

import itertools
import shlex
import sys
from pathlib import Path

import yaml

from tools.controlplane.api import MERGE
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.waiting import eventually
from tools.dataplane.spaces import HOME, Space
from tools.dataplane.web import until_serving

NODE = "node-1"
NETWORK = 244
"""Of the node's and its pods' addresses the second number; two nodes that are linked need different ones."""
ADDRESS = f"10.{NETWORK}.0.1"
GATEWAY = "169.254.1.1"
GATEWAY6 = "fe80::1"
"""Next hops of every pod. All of the node's interfaces have them, and nobody else ever sees them."""
KUBECONFIG = HOME / "kubeconfig"
BINARIES = ("kube-proxy", "coredns", "pilot-discovery")
TUNNEL = Path(__file__).with_name("tunnel.py")

_COREFILE = """\
.:53 {
    errors
    EXTRA
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        kubeconfig KUBECONFIG
        ttl 1
    }
    forward . 127.0.0.1:5353
    ready ADDRESS:8181
}
.:5353 {
    template ANY ANY {
        rcode NXDOMAIN
    }
}
"""
"""The cluster's names from the API server. All others do not exist, and that is said at once: a name that nobody
answers for holds up a starting Envoy. Plugins answer in an order of CoreDNS's own, hence the second server."""


class Node:
    """The node, running.

    Attributes:
        space: its namespaces.
        network: the second number of its addresses, and of its pods'.
    """

    def __init__(self, plane: ControlPlane, binaries: dict[str, Path], network: int = NETWORK) -> None:
        """Make the namespaces, reach the API server from there, and start kube-proxy and CoreDNS."""
        self._plane, self.network = plane, network
        self._numbers = itertools.count(2)
        files = {name: binaries[name] for name in BINARIES}
        self.space = Space.start(plane.supervisor, "node", files, f"nameserver {self.address}\n")
        self.space.sh(f"ip address add {self.address}/32 dev lo")
        self.space.sh("echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding")
        self.write(KUBECONFIG.name, plane.kubeconfig.read_text())
        self.reach(plane, "tunnel")
        self._register()
        self._start_kube_proxy()
        self._start_coredns("")
        until_serving(self.space, f"http://{self.address}:10256/healthz")
        until_serving(self.space, f"http://{self.address}:8181/ready")

    @property
    def address(self) -> str:
        """The node's own."""
        return f"10.{self.network}.0.1"

    @property
    def _pods(self) -> str:
        return f"10.{self.network}.1."

    def reach(self, plane: ControlPlane, name: str) -> None:
        """Make an API server reachable on the node at the address that it has outside, until the control plane ends."""
        supervisor, part = self._plane.supervisor, self.space.part(name)
        port = plane.url.rpartition(":")[2]
        supervisor.spawn(part, [sys.executable, "-I", TUNNEL, f"/proc/{self.space.pid}/ns/net", port])
        eventually(lambda: "ready" in supervisor.log(part), "the tunnel to the API server")

    def link(self, other: "Node") -> None:
        """Route the pods of two nodes to each other, as between clusters of one network."""
        self.space.connect(f"ip link add between type veth peer name between netns {other.space.pid}")
        here, far = "169.254.2.1", "169.254.2.2"
        for node, there, end, hop in ((self, other, here, far), (other, self, far, here)):
            node.space.connect(f"""
                ip address add {end}/30 dev between
                ip link set between up
                ip route add 10.{there.network}.0.0/16 via {hop} src {node.address}
            """)

    def write(self, name: str, content: str) -> Path:
        """Put a file into the node's own folder, which nobody sees from outside, and return its path in there."""
        self.space.sh(f"cat > {shlex.quote(name)}", stdin=content)
        return HOME / name

    def attach(self, pod: Space, address: str | None = None, *, dual_stack: bool = False) -> list[str]:
        """Wire a pod's namespace to the node and return its addresses.

        Args:
            pod: new, not wired yet.
            address: of IPv4; the next free one unless given.
            dual_stack: whether it gets an IPv6 address too; without, its interface has none at all.
        """
        number = next(self._numbers)
        ip, link = address or f"{self._pods}{number}", f"pod{number}"
        self.space.connect(f"""
            ip link add {link} type veth peer name eth0 netns {pod.pid}
            ip address add {GATEWAY}/32 dev {link}
            ip link set {link} up
            ip route add {ip}/32 dev {link} src {self.address}
        """)
        pod.sh(f"""
            echo 1 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6
            ip address add {ip}/32 dev eth0
            ip link set eth0 up
            ip route add {GATEWAY}/32 dev eth0
            ip route add default via {GATEWAY}
        """)
        if not dual_stack:
            return [ip]
        ip6 = f"fd00:10:{self.network}::{number:x}"
        self.space.connect(f"ip address add {GATEWAY6}/64 dev {link} nodad; ip route add {ip6}/128 dev {link}")
        pod.sh(f"""
            echo 0 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6
            ip address add {ip6}/128 dev eth0 nodad
            ip route add default via {GATEWAY6} dev eth0
        """)
        return [ip, ip6]

    def resolve(self, extra: str = "") -> None:
        """Start CoreDNS anew with these lines of configuration before the cluster's own names."""
        self.space.kill("coredns")
        self._start_coredns(extra)
        until_serving(self.space, f"http://{self.address}:8181/ready")

    def stop(self) -> None:
        """End all that runs on the node, and forget it in the API server."""
        self.space.stop()
        self._plane.supervisor.kill(self.space.part("tunnel"))
        self._plane.api.delete(f"/api/v1/nodes/{NODE}")

    def _register(self) -> None:
        """The Node object: pods are bound to it, kube-proxy reads its address, EndpointSlices name it."""
        api, path = self._plane.api, f"/api/v1/nodes/{NODE}"
        api.create("/api/v1/nodes", {"metadata": {"name": NODE}})
        address = {"type": "InternalIP", "address": self.address}
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": ""}
        api.request("PATCH", f"{path}/status", {"status": {"addresses": [address], "conditions": [ready]}}, MERGE)

    def _start_kube_proxy(self) -> None:
        """In iptables mode. What it would set for the whole machine (conntrack's sizes) it is told to leave alone."""
        config = {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "iptables",
            "hostnameOverride": NODE,
            "bindAddress": self.address,
            "clusterCIDR": f"{self._pods}0/24",
            "healthzBindAddress": f"{self.address}:10256",
            "metricsBindAddress": f"{self.address}:10249",
            "clientConnection": {"kubeconfig": str(KUBECONFIG)},
            "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
            "iptables": {"minSyncPeriod": "0.1s", "syncPeriod": "30s"},
        }
        path = self.write("kube-proxy.yaml", yaml.safe_dump(config))
        self.space.spawn("kube-proxy", [HOME / "bin" / "kube-proxy", "--config", path])

    def _start_coredns(self, extra: str) -> None:
        lines = {"ADDRESS": self.address, "KUBECONFIG": str(KUBECONFIG), "EXTRA": extra}
        text = _COREFILE
        for word, value in lines.items():
            text = text.replace(word, value)
        self.space.spawn("coredns", [HOME / "bin" / "coredns", "-conf", self.write("Corefile", text)])
