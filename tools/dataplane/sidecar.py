"""A sidecar in a pod's namespace: redirection, identity, pilot-agent and the Envoy that it starts.

All of it is Istio's own: ``pilot-agent istio-iptables`` makes the rules that the injected init container makes, and
``pilot-agent proxy sidecar`` runs as the user that those rules except.
"""

import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from tools.dataplane.spaces import HOME, Space
from tools.dataplane.web import until_serving

USER = 1337
STATUS_PORT = 15020
ADMIN = "http://127.0.0.1:15000"
READY = f"http://127.0.0.1:{STATUS_PORT}/healthz/ready"
BOOTSTRAP = "envoy_bootstrap.json"
FILES = ("pilot-agent", "envoy", BOOTSTRAP)
"""What must be in the pod's ``HOME/bin``."""
TOKEN = "var/run/secrets/tokens/istio-token"  # noqa: S105
ROOT_CERTIFICATE = "var/run/secrets/istio/root-cert.pem"
LABELS = "etc/istio/pod/labels"
NOT_CAPTURED = "15090,15021,15020"


@dataclass(frozen=True)
class Workload:
    """What a sidecar is told about its pod.

    Attributes:
        namespace: of the pod.
        name: of the pod.
        address: of the pod.
        service_account: whose identity it gets.
        labels: of the pod.
        token: of the service account, for the audience istio-ca.
        root_certificate: PEM that istiod's own certificate is checked against.
        discovery: address and port of istiod.
        dns_capture: whether the agent answers the pod's DNS lookups.
        environment: more variables of pilot-agent, such as ``ISTIO_META_*``.
    """

    namespace: str
    name: str
    address: str
    service_account: str
    labels: Mapping[str, str]
    token: str
    root_certificate: str
    discovery: str
    dns_capture: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)


def start_sidecar(space: Space, workload: Workload) -> None:
    """Redirect the pod's traffic and start its agent and Envoy; ``until_ready`` waits for them."""
    _write_files(space, workload)
    rules = ["-p", "15001", "-z", "15006", "-u", str(USER), "-m", "REDIRECT", "-i", "*", "-b", "*", "-d", NOT_CAPTURED]
    dns = ["--redirect-dns"] if workload.dns_capture else []
    space.run([HOME / "bin" / "pilot-agent", "istio-iptables", *rules, *dns])
    space.spawn("agent", [HOME / "bin" / "pilot-agent", "proxy", "sidecar", *_flags(workload)], _env(workload), USER)


def until_ready(space: Space) -> None:
    """Wait until Envoy has its configuration and serves."""
    until_serving(space, READY)


def until_started(space: Space) -> None:
    """Wait until Envoy runs and answers questions about itself, ready or not."""
    until_serving(space, f"{ADMIN}/server_info")


def _flags(workload: Workload) -> list[str]:
    return [f"--domain={workload.namespace}.svc.cluster.local", "--proxyLogLevel=warning", "--concurrency=1"]


def _env(workload: Workload) -> dict[str, str]:
    proxy_config = {
        "binaryPath": str(HOME / "bin" / "envoy"),
        "proxyBootstrapTemplatePath": str(HOME / "bin" / BOOTSTRAP),
        "discoveryAddress": workload.discovery,
        "statusPort": STATUS_PORT,
        "terminationDrainDuration": "1s",
    }
    return {
        "PATH": os.environ["PATH"],
        "PROXY_CONFIG": json.dumps(proxy_config),
        "CA_ADDR": workload.discovery,
        "ISTIOD_SAN": "istiod.istio-system.svc",
        "POD_NAME": workload.name,
        "POD_NAMESPACE": workload.namespace,
        "INSTANCE_IP": workload.address,
        "SERVICE_ACCOUNT": workload.service_account,
        "TRUST_DOMAIN": "cluster.local",
        "ISTIO_META_CLUSTER_ID": "Kubernetes",
        "ISTIO_META_MESH_ID": "cluster.local",
        "ISTIO_META_WORKLOAD_NAME": workload.name,
        "ISTIO_META_INTERCEPTION_MODE": "REDIRECT",
        "ISTIO_META_DNS_CAPTURE": str(workload.dns_capture).lower(),
        **workload.environment,
    }


def _write_files(space: Space, workload: Workload) -> None:
    """The files that a pod's volumes hold, where pilot-agent looks for them: below the folder it is started in."""
    files = {
        TOKEN: workload.token,
        ROOT_CERTIFICATE: workload.root_certificate,
        LABELS: "".join(f'{key}="{value}"\n' for key, value in sorted(workload.labels.items())),
    }
    folders = ["etc/istio/proxy", *sorted({name.rpartition("/")[0] for name in files})]
    writes = [f"printf %s {shlex.quote(content)} > {name}" for name, content in files.items()]
    space.sh("\n".join([f"mkdir -p {' '.join(folders)}", *writes, f"chown -R {USER}:{USER} etc var"]))
