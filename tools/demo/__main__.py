"""The incident on a real API server: what lint says, the operator watching, the operator repairing, and a restart."""

import argparse
import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import yaml
from rich.console import Console

from tools.controlplane import ControlPlaneError, build
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.hand import project_crds
from tools.controlplane.waiting import eventually
from tools.demo import incident
from tools.running import identity
from tools.running.operator_process import COMMAND, Operator

DNSALIAS = COMMAND[0]
UNFIXED = "dnsalias_unfixed_serviceentries{"
SHOWN = (UNFIXED, "dnsalias_unfixed_serviceentry_info{", 'dnsalias_findings{code="DA001"')

out = Console(highlight=False, soft_wrap=True)


def main(arguments: list[str] | None = None) -> int:
    """Tell the story; 0 where everything came out as it should, 1 where not (with what was wrong)."""
    parser = argparse.ArgumentParser(prog="python -m tools.demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the cluster up at the end, until Enter or Ctrl-C")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    step("A real etcd, kube-apiserver and kube-controller-manager on loopback; Istio's CRDs and ours; our RBAC")
    with ControlPlane.start(crds=[build.istio_crds(), *project_crds()]) as plane:
        kubeconfig = identity.install(plane)
        wrong = _story(plane, kubeconfig)
        out.print(f"\n[bold]{'WRONG' if wrong else 'As it should be'}[/] after {time.monotonic() - started:.0f} s")
        for line in wrong:
            out.print(f"  [red]{line}[/]")
        if options.keep:
            _keep(plane)
    return 1 if wrong else 0


def _keep(plane: ControlPlane) -> None:
    """Say how to look around in the cluster, which no operator watches any more, and wait."""
    out.print("\nThe cluster stays until you press Enter, with what the operator left in it. In another shell:")
    out.print(
        f"  export KUBECONFIG={plane.kubeconfig}\n  {plane.binaries['kubectl']} get serviceentries -A", markup=False
    )
    with contextlib.suppress(KeyboardInterrupt, EOFError):
        input()


def _story(plane: ControlPlane, kubeconfig: Path) -> list[str]:
    wrong: list[str] = []
    step("The incident: a dns-controller gave Services more names, by ServiceEntries without addresses and endpoints")
    incident.create(plane)
    _objects(plane)
    wrong += _analyze(plane)
    step("What dnsalias says of them")
    found = _command([DNSALIAS, "lint"], plane)
    wrong += [
        f"lint does not report {name}" for name in ("traefik-cutom-name", "mysql-cutom-name") if name not in found
    ]
    if "DA001" not in found:
        wrong.append("lint reports no catch-all")
    step("Where a connection to port 443 goes, from any pod of namespace default: before")
    _command([DNSALIAS, "listeners", "--from", "default", "--port", "443"], plane)

    step("The operator, told to observe: it leaves entries of others alone, and the metric that pages counts them")
    with _operator(plane, kubeconfig, "observe") as operator:
        eventually(lambda: sum(_series(operator, UNFIXED).values()) == 4, "four entries are unfixed")
        operator.idle()
        _metrics(operator)
        operator.stop()

    step("The operator, told to patch (the default)")
    with _operator(plane, kubeconfig, "patch") as operator:
        eventually(lambda: sum(_series(operator, UNFIXED).values()) == 1, "one entry is left unfixed")
        eventually(lambda: _alias_ready(plane), "the alias is ready")
        operator.idle()
        _decisions(operator)
        step("After")
        _objects(plane)
        _command([DNSALIAS, "listeners", "--from", "default", "--port", "443"], plane)
        _metrics(operator)
        wrong += _left(operator)
        operator.stop()

    step("The operator again, on what it has converged: how much does it write?")
    mark = plane.mark()
    with _operator(plane, kubeconfig, "patch") as operator:
        operator.idle()
        operator.stop()
    writes = plane.mutating_requests(since=mark)
    out.print(f"mutating requests counted at the API server (Lease and Events apart): {len(writes)}")
    return wrong + [f"a restart wrote {request}" for request in writes]


def _analyze(plane: ControlPlane) -> list[str]:
    wrong = []
    analyze = [str(build.ensure("istioctl")["istioctl"]), "analyze", "--use-kube=false", "-A"]
    step("What Istio's own lint says of those entries in files: it warns of TCP ports without addresses")
    # istioctl knows no DnsAlias.
    files = [str(path) for path in sorted(incident.FOLDER.glob("*.yaml")) if "alias" not in path.name]
    if _command([*analyze, *files]).count("IST0134") != 4:
        wrong.append("istioctl analyze does not warn of the four TCP ports without addresses any more")
    step("The same in a mesh: istiod allocates addresses by default, and sidecars without DNS capture do not use them")
    entries = plane.folder / "as-istiod-leaves-them.yaml"
    entries.write_text(yaml.safe_dump_all(incident.allocated()))
    if "No validation issues found" not in _command([*analyze, str(entries)]):
        wrong.append("istioctl analyze is not silent about allocated entries any more")
    return wrong


def _operator(plane: ControlPlane, kubeconfig: Path, mode: str) -> Operator:
    # As it is installed: with leader election. One that is told to stop gives the Lease back to the next.
    return Operator(plane, kubeconfig, plane.folder, {"foreign_entries": mode, "leader_election": "true"})


def _decisions(operator: Operator) -> None:
    for line in operator.lines():
        if "written" in line:
            what = f"{line['written']} {line['kind']} {line['namespace']}/{line['name']} ({line['reason']})"
            out.print(f"{what}: {line['message'].partition(': ')[2]}", markup=False)


def _left(operator: Operator) -> list[str]:
    left = " ".join(_series(operator, UNFIXED))
    out.print(
        "One entry is left unfixed on purpose: shop/checkout-cutom-name is older than its recreated Service. With the\n"
        "Service's clusterIP it would take the Service's connections; so it got an address of its own that nobody\n"
        "routes to. Delete it and let the dns-controller write it again (younger), or declare a DnsAlias."
    )
    return [] if 'reason="WouldShadowService"' in left else [f"what is left unfixed has another reason: {left}"]


def _objects(plane: ControlPlane) -> None:
    columns = (
        "NAMESPACE:.metadata.namespace,NAME:.metadata.name,HOSTS:.spec.hosts,ADDRESSES:.spec.addresses,"
        "ENDPOINTS:.spec.endpoints[*].address,PROTOCOL:.spec.ports[*].protocol"
    )
    out.print("$ kubectl get dnsaliases,serviceentries -A", style="bold")
    out.print(plane.kubectl("get", "dnsaliases", "-A"), markup=False)
    out.print(plane.kubectl("get", "serviceentries", "-A", "-o", f"custom-columns={columns}"), markup=False)


def _series(operator: Operator, prefix: str) -> dict[str, float]:
    """The series that begin so and are not zero."""
    lines = [line.rpartition(" ") for line in operator.page("/metrics")[1].splitlines() if line.startswith(prefix)]
    return {name: float(value) for name, _, value in lines if float(value)}


def _metrics(operator: Operator) -> None:
    for prefix in SHOWN:
        for name, value in sorted(_series(operator, prefix).items()):
            out.print(f"{name} {value:g}", markup=False)


def _alias_ready(plane: ControlPlane) -> bool:
    status = '{.status.conditions[?(@.type=="Ready")].status}'
    return plane.kubectl("get", "dna", "-n", "abc", "service-api", "-o", f"jsonpath={status}") == "True"


def _command(command: list[str], plane: ControlPlane | None = None) -> str:
    environment = plane.environment() if plane else dict(os.environ)
    shown = [Path(command[0]).name, *(os.path.relpath(a) if a.startswith("/") else a for a in command[1:])]
    out.print(f"$ {' '.join(shown)}", style="bold", markup=False)
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    text = (result.stdout + result.stderr).rstrip()
    out.print(text + "\n", markup=False)
    return text


def step(text: str) -> None:
    """A heading."""
    out.print(f"\n[bold cyan]== {text}[/]")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ControlPlaneError, AssertionError) as error:
        sys.exit(f"demo: {error}")
