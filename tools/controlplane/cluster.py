"""``ControlPlane``: a real Kubernetes API with its controllers, on loopback, gone when its user is gone."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from tools.controlplane import ControlPlaneError, build, components, credentials
from tools.controlplane.api import Api, ApiError
from tools.controlplane.audit import NOISE, POLICY, START, AuditLog, Mark, Request
from tools.controlplane.components import Files, Ports
from tools.controlplane.processes import Supervisor
from tools.controlplane.waiting import eventually

READY_SECONDS = 60.0
POLL_SECONDS = 0.05
ATTEMPTS = 4
KUBECTL_SECONDS = 120
LOG_TAIL_LINES = 15
PORT_TAKEN = "address already in use"


class StartError(ControlPlaneError):
    """The control plane did not come up: which part, and the end of its log."""


class PortTakenError(StartError):
    """Somebody else got one of our ports between choosing and binding it."""


class KubectlError(ControlPlaneError):
    """kubectl failed; the message has its arguments and what it said."""


def free_ports() -> Ports:
    """Three ports that were free a moment ago."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(3)]
        for one in sockets:
            one.bind((components.HOST, 0))
        return Ports(*(one.getsockname()[1] for one in sockets))


class ControlPlane:
    """A running control plane; made by ``start``, a context manager that stops it.

    Attributes:
        url: of the API server, "https://127.0.0.1:PORT".
        ca_file: PEM file that clients trust.
        admin_token: bearer token of the user "admin" in system:masters.
        kubeconfig: path of the admin's kubeconfig.
        api: a small client, as admin.
        audit: the API server's log of mutating requests.
        folder: everything it keeps; removed when it stops.
        supervisor: owns its processes; more can be started beside them (``supervisor.spawn``).
        binaries: paths of etcd, kube-apiserver, kube-controller-manager and kubectl.
    """

    def __init__(self, supervisor: Supervisor, binaries: dict[str, Path], ports: Ports) -> None:
        """Write the files of a control plane that is not running yet; use ``start`` instead."""
        self.supervisor = supervisor
        self.binaries = binaries
        self.folder = supervisor.folder
        self.url = f"https://{components.HOST}:{ports.api}"
        self.admin_token = credentials.new_token()
        self._ports = ports
        self._files = Files(self.folder)
        self._controller_token = credentials.new_token()
        self._files.tokens.write_text(
            credentials.token_file(
                {credentials.ADMIN: self.admin_token, credentials.CONTROLLER_MANAGER: self._controller_token}
            )
        )
        self._files.service_account_key.write_text(credentials.service_account_key())
        self._files.audit_policy.write_text(POLICY)
        self.ca_file = self._files.ca
        self.audit = AuditLog(self._files.audit_log)
        self.api = Api(self.url, self.ca_file, self.admin_token)
        self.kubeconfig = self.folder / "admin.kubeconfig"

    @classmethod
    def start(
        cls,
        *,
        crds: Sequence[Path] = (),
        folder: Path | None = None,
        choose_ports: Callable[[], Ports] = free_ports,
    ) -> Self:
        """Start a control plane and return once it serves, has ``crds`` established and runs its controllers.

        The binaries are built first where they are missing, which takes minutes and shows progress.

        Args:
            crds: files or folders of CustomResourceDefinitions, installed before the controllers start: the garbage
                collector looks for new kinds at its start and then only every 30 s.
            folder: where to keep everything; a new temporary folder unless given. It is removed at the end.
            choose_ports: gives the ports to try; asked again when one turns out to be taken.

        Raises:
            StartError: a part did not come up, with the end of its log.
            build.BuildError: a binary is missing and could not be built.
        """
        binaries = build.ensure(*build.CONTROL_PLANE)
        for attempt in range(ATTEMPTS):
            supervisor = Supervisor(folder)
            try:
                plane = cls(supervisor, binaries, choose_ports())
                plane._bring_up(crds)
            except PortTakenError:
                supervisor.stop()
                if attempt == ATTEMPTS - 1:
                    raise
            except BaseException:
                supervisor.stop()
                raise
            else:
                return plane
        raise AssertionError("unreachable: the last attempt returns or raises")

    def stop(self) -> None:
        """Kill all of it and remove its folder. A second call does nothing."""
        self.supervisor.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def kubectl(self, *arguments: str, stdin: str | None = None, kubeconfig: Path | None = None) -> str:
        """Run kubectl, as admin unless another kubeconfig is given, and return its standard output.

        Raises:
            KubectlError: it failed.
        """
        command = [str(self.binaries["kubectl"]), *arguments]
        result = subprocess.run(
            command,
            env=self.environment(kubeconfig),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=KUBECTL_SECONDS,
        )
        if result.returncode != 0:
            raise KubectlError(f"kubectl {' '.join(arguments)}: exit {result.returncode}\n{result.stderr.strip()}")
        return result.stdout

    def environment(self, kubeconfig: Path | None = None) -> dict[str, str]:
        """Our environment with a kubeconfig of this cluster, and kubectl's cache kept in its folder, not in HOME."""
        ours = {"KUBECONFIG": str(kubeconfig or self.kubeconfig), "KUBECACHEDIR": str(self.folder / "kubectl-cache")}
        return {**os.environ, **ours, "KUBERC": "off"}

    def install_crds(self, paths: Iterable[Path]) -> None:
        """Server-side apply CustomResourceDefinitions and wait until the API server serves them.

        Raises:
            KubectlError: one is refused.
            TimeoutError: one is not Established within a minute.
        """
        files = [argument for path in paths for argument in ("-f", str(path))]
        if not files:
            return
        made = self.kubectl("apply", "--server-side", "--force-conflicts", "-o", "name", *files)
        for name in made.split():
            self.established(name.partition("/")[2])

    def crd(self, name: str) -> dict[str, Any]:
        """The CustomResourceDefinition of that name (``dnsaliases.dnsalias.io``), as it stands in the cluster."""
        return dict(self.api.get(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"))

    def established(self, name: str) -> None:
        """Wait until the API server serves a CustomResourceDefinition; `kubectl wait` fails at one that is too new.

        Raises:
            TimeoutError: it does not within a minute.
        """
        eventually(
            lambda: any(
                (condition["type"], condition["status"]) == ("Established", "True")
                for condition in self.crd(name).get("status", {}).get("conditions") or ()
            ),
            f"the CRD {name} is Established",
        )

    def write_kubeconfig(self, user: str, token: str, namespace: str = "default") -> Path:
        """Write a kubeconfig for a token into the cluster's folder and return its path."""
        path = self.folder / f"{quote(user, safe='')}.kubeconfig"
        return credentials.write_kubeconfig(
            path, url=self.url, ca_file=self.ca_file, user=user, token=token, namespace=namespace
        )

    def service_account_token(self, namespace: str, name: str) -> str:
        """A new token of an existing ServiceAccount, valid for a day: the long forms take hours."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": 86400},
        }
        return str(self.api.create(path, request)["status"]["token"])

    def mutating_requests(
        self, user: str | None = None, since: Mark = START, ignoring: Collection[str] = NOISE
    ) -> list[Request]:
        """See ``AuditLog.mutating``; ``mark`` gives ``since``."""
        return self.audit.mutating(user, since, ignoring)

    def mark(self) -> Mark:
        """A place in the audit log, now."""
        return self.audit.mark()

    def _bring_up(self, crds: Sequence[Path]) -> None:
        """Start etcd and the API server together (it waits for etcd), then CRDs, then the controllers."""
        self.supervisor.spawn("etcd", components.etcd(self.binaries["etcd"], self._files, self._ports))
        self.supervisor.spawn(
            "kube-apiserver", components.apiserver(self.binaries["kube-apiserver"], self._files, self._ports)
        )
        self._wait_for("/readyz")
        credentials.write_kubeconfig(
            self.kubeconfig, url=self.url, ca_file=self.ca_file, user=credentials.ADMIN, token=self.admin_token
        )
        self.install_crds(crds)
        controller = self.write_kubeconfig(credentials.CONTROLLER_MANAGER, self._controller_token)
        self.supervisor.spawn(
            "kube-controller-manager",
            components.controller_manager(self.binaries["kube-controller-manager"], controller),
        )
        self._wait_for("/api/v1/namespaces/default/serviceaccounts/default")  # the controllers' first work

    def _wait_for(self, path: str) -> None:
        """Until ``path`` can be read, as long as everything we started lives."""
        deadline = time.monotonic() + READY_SECONDS
        last = "no answer"
        while time.monotonic() < deadline:
            self._fail_if_dead()
            try:
                self.api.get(path)
            except (OSError, ApiError) as error:
                last = str(error)
            else:
                return
            time.sleep(POLL_SECONDS)
        raise StartError(f"The control plane was not ready within {READY_SECONDS:.0f} s: {last}\n{self._tail()}")

    def _fail_if_dead(self) -> None:
        dead = {name: code for name, code in self.supervisor.status().items() if code is not None}
        if not dead:
            return
        kind = PortTakenError if any(PORT_TAKEN in self.supervisor.log(name) for name in dead) else StartError
        raise kind(f"{', '.join(f'{name} ended with {code}' for name, code in dead.items())}\n{self._tail()}")

    def _tail(self) -> str:
        """The end of every log, for an error message: the folder is about to go."""
        parts = []
        for name in self.supervisor.pids:
            lines = self.supervisor.log(name).splitlines()[-LOG_TAIL_LINES:]
            parts.append("\n".join([f"--- {name}", *lines]))
        return "\n".join(parts)
