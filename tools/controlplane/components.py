"""The command lines of etcd, kube-apiserver and kube-controller-manager: loopback only, quick to start, disposable."""

from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
SERVICE_CIDRS = "10.96.0.0/16,fd00:10:96::/112"
"""Where clusterIPs come from. A Service gets IPv4 alone unless its ipFamilyPolicy asks for both."""
CONTROLLERS = (
    "serviceaccount-controller,garbage-collector-controller,namespace-controller,endpointslice-controller,"
    "validatingadmissionpolicy-status-controller"
)


@dataclass(frozen=True)
class Ports:
    """The three loopback ports of a control plane."""

    etcd: int
    etcd_peer: int
    api: int


@dataclass(frozen=True)
class Files:
    """Where things are in the control plane's folder."""

    folder: Path

    @property
    def certificates(self) -> Path:
        """Where the API server writes the serving certificate that it makes for itself."""
        return self.folder / "certificates"

    @property
    def ca(self) -> Path:
        """The serving certificate with its authority: what clients trust."""
        return self.certificates / "apiserver.crt"

    @property
    def service_account_key(self) -> Path:
        """Private key that signs service account tokens."""
        return self.folder / "service-account.key"

    @property
    def tokens(self) -> Path:
        """Static token file."""
        return self.folder / "tokens.csv"

    @property
    def audit_policy(self) -> Path:
        """What the API server is told to log."""
        return self.folder / "audit-policy.yaml"

    @property
    def audit_log(self) -> Path:
        """What it logged."""
        return self.folder / "audit.jsonl"


def etcd(binary: Path, files: Files, ports: Ports) -> list[str]:
    """One member; no fsync, since nobody wants the data after a crash; short election, since it has no rival."""
    clients, peers = f"http://{HOST}:{ports.etcd}", f"http://{HOST}:{ports.etcd_peer}"
    return [
        str(binary),
        f"--data-dir={files.folder / 'etcd'}",
        "--unsafe-no-fsync",
        "--heartbeat-interval=20",
        "--election-timeout=100",
        f"--listen-client-urls={clients}",
        f"--advertise-client-urls={clients}",
        f"--listen-peer-urls={peers}",
        f"--initial-advertise-peer-urls={peers}",
        f"--initial-cluster=default={peers}",
        "--log-level=warn",
    ]


def apiserver(binary: Path, files: Files, ports: Ports) -> list[str]:
    """RBAC, static tokens, audit log. It makes its own serving certificate, and publishes no endpoints of itself."""
    return [
        str(binary),
        f"--etcd-servers=http://{HOST}:{ports.etcd}",
        f"--bind-address={HOST}",
        f"--advertise-address={HOST}",
        f"--secure-port={ports.api}",
        f"--cert-dir={files.certificates}",
        "--endpoint-reconciler-type=none",
        f"--service-cluster-ip-range={SERVICE_CIDRS}",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={files.service_account_key}",
        f"--service-account-signing-key-file={files.service_account_key}",
        f"--token-auth-file={files.tokens}",
        "--authorization-mode=RBAC",
        f"--audit-policy-file={files.audit_policy}",
        f"--audit-log-path={files.audit_log}",
        "--audit-log-mode=blocking",
        "--profiling=false",
    ]


def controller_manager(binary: Path, kubeconfig: Path) -> list[str]:
    """Only the controllers whose work tests look at."""
    return [
        str(binary),
        f"--kubeconfig={kubeconfig}",
        f"--controllers={CONTROLLERS}",
        "--leader-elect=false",
        "--secure-port=0",
    ]
