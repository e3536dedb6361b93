"""An alias is a name that pods can resolve: by CoreDNS with what `dnsalias coredns` prints, and by DNS capture."""

import ipaddress
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from textwrap import dedent
from typing import Any

import pytest

from tools import make
from tools.controlplane.hand import project_crds
from tools.controlplane.waiting import eventually
from tools.dataplane import pods
from tools.dataplane.mesh import Mesh
from tools.dataplane.pods import Pod
from tools.running import identity
from tools.running.operator_process import COMMAND, Operator

pytestmark = [pytest.mark.cluster, pytest.mark.dataplane]

HOME = "names"
"""The namespace of the Services; pods ask from it and from two others."""
ELSEWHERE = "names-elsewhere"
DUAL = {"ipFamilyPolicy": "RequireDualStack"}
SPECS: dict[str, dict[str, Any]] = {
    "api": {**DUAL, "ports": [{"name": "tcp", "port": 443}]},
    "web": {"ports": [{"name": "http", "port": 80}]},
    "moving": {**DUAL, "ports": [{"name": "tcp", "port": 444}]},
    "pods": {"clusterIP": "None", "ports": [{"name": "http", "port": 80}]},
}
"""The Services: dual-stack, of one family, one that is deleted and made again, headless."""
HOSTS = {
    "api": "service-api.hello",
    "web": "a.web.with.so.many.dots.example",
    "moving": "moving.hello",
    "pods": "pods.hello",
}
"""The aliases. One has more dots than ``ndots``, so a pod asks for it as it is before it tries its search domains."""
LOOKUP = dedent("""\
    import json, socket, sys

    # no such name, or none with an address of that family; all else is a failure to answer
    NOTHING = {socket.EAI_NONAME: "", socket.EAI_NODATA: ""}

    def ask(name, family):
        try:
            found = socket.getaddrinfo(name, 80, family, socket.SOCK_STREAM, 0, socket.AI_CANONNAME)
        except socket.gaierror as error:
            return [NOTHING.get(error.errno, "error"), []]
        return [found[0][3], sorted({one[4][0] for one in found})]

    print(json.dumps([[*ask(name, socket.AF_INET), *ask(name, socket.AF_INET6)] for name in sys.argv[1:]]))
    """)


@dataclass(frozen=True)
class Answer:
    """What a pod's resolver says of a name.

    Attributes:
        name: that the addresses belong to, as the answer says, "" where there is none.
        v4: its IPv4 addresses.
        v6: its IPv6 addresses.
    """

    name: str
    v4: tuple[str, ...] = ()
    v6: tuple[str, ...] = ()


@dataclass(frozen=True)
class Names:
    """Services with aliases, the operator, CoreDNS with the snippet, and pods that ask.

    Attributes:
        mesh: that all is in.
        operator: running.
        snippet: in CoreDNS.
        asking: pods without a sidecar, in two namespaces.
        captured: one whose sidecar answers its lookups.
    """

    mesh: Mesh
    operator: Operator
    snippet: str
    asking: tuple[Pod, ...]
    captured: Pod

    def addresses(self, service: str) -> Answer:
        """What its alias should resolve to: the clusterIPs that the Service has now."""
        ips = self.mesh.plane.api.get(f"/api/v1/namespaces/{HOME}/services/{service}")["spec"]["clusterIPs"]
        four = tuple(ip for ip in ips if ipaddress.ip_address(ip).version == 4)
        return Answer(HOSTS[service], four, tuple(ip for ip in ips if ip not in four))

    def make_again(self, service: str) -> tuple[Answer, Answer]:
        """Delete the Service and create it again; what its alias resolved to, and what it should from now on."""
        before = self.addresses(service)
        self.mesh.plane.api.delete(f"/api/v1/namespaces/{HOME}/services/{service}")
        create_service(self.mesh, service)
        return before, self.addresses(service)


def create_service(mesh: Mesh, name: str) -> None:
    """One of ``SPECS``."""
    body = make.service(name, **{"selector": {"app": "names"}, **SPECS[name]})
    mesh.plane.api.create(f"/api/v1/namespaces/{HOME}/services", body)


def answers(pod: Pod, *names: str) -> list[Answer | None]:
    """What the pod's own resolver makes of the names, with its search domains; None where it failed."""
    rows = json.loads(pod.exec([sys.executable, "-I", "-c", LOOKUP, *names]))
    return [
        None if "error" in (name4, name6) else Answer(name4 or name6, tuple(v4), tuple(v6))
        for name4, v4, name6, v6 in rows
    ]


def look_up(pod: Pod, *names: str) -> list[Answer]:
    """What the pod's own resolver makes of the names, and it must make something of each."""
    found = dict(zip(names, answers(pod, *names), strict=True))
    assert None not in found.values(), f"the resolver failed: {found}"
    return [answer for answer in found.values() if answer is not None]


def coredns(mesh: Mesh) -> str:
    """What the command prints for the namespace of these Services: others of this mesh come and go."""
    command = [COMMAND[0], "coredns", "--kubeconfig", str(mesh.plane.kubeconfig), "-n", HOME]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def names(mesh: Mesh, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Names]:
    """Everything, set up once; nobody's name resolves before the snippet is there."""
    plane = mesh.plane
    plane.install_crds(project_crds())
    aliases = f"/apis/dnsalias.io/v1alpha1/namespaces/{HOME}/dnsaliases"
    with ExitStack() as stack:
        pods.ensure_namespace(plane, HOME)
        for name, host in HOSTS.items():
            create_service(mesh, name)
            stack.callback(plane.api.delete, f"/api/v1/namespaces/{HOME}/services/{name}")
            plane.api.create(aliases, make.alias(name, host, name))
            stack.callback(plane.api.delete, f"{aliases}/{name}")
        folder = tmp_path_factory.mktemp("operator")
        operator = stack.enter_context(Operator(plane, identity.install(plane), folder)).idle()
        at_home = mesh.pod(HOME, "asker", labels={"app": "names"}, sidecar=False)
        asking = (stack.enter_context(at_home), stack.enter_context(mesh.pod(ELSEWHERE, "asker", sidecar=False)))
        captured = stack.enter_context(mesh.pod(ELSEWHERE, "captured", dns_capture=True))
        assert look_up(asking[0], *HOSTS.values()) == [Answer("")] * len(HOSTS)
        snippet = coredns(mesh)
        stack.callback(mesh.node.resolve)
        mesh.node.resolve(f"import {mesh.node.write('aliases.corefile', snippet)}")
        yield Names(mesh, operator, snippet, asking, captured)
        assert operator.bugs() == []


@pytest.mark.parametrize("service", ["api", "web"])
def test_coredns_answers_for_an_alias_in_every_namespace(names: Names, service: str) -> None:
    """Of few dots and of many, with search domains, absolute, in capitals: the Service's addresses of each family."""
    host, right = HOSTS[service], names.addresses(service)
    for pod in names.asking:
        short, absolute, capitals = look_up(pod, host, f"{host}.", host.upper())
        assert (short, absolute) == (right, right)
        assert (capitals.v4, capitals.v6) == (right.v4, right.v6)
    assert bool(right.v6) == (service == "api")


def test_an_alias_of_a_headless_service_leads_to_its_pods(names: Names) -> None:
    """There is no clusterIP to answer with; a rewritten name has the ready pods, as the Service's own name has."""
    pod = names.asking[0]
    right = Answer(HOSTS["pods"], (pod.ip,))
    # CoreDNS answers SERVFAIL for a Service of which it has not heard yet.
    eventually(lambda: answers(pod, HOSTS["pods"]) == [right], lambda: f"{right}, not {answers(pod, HOSTS['pods'])}")


def test_nothing_but_the_alias_changes_in_the_resolver(names: Names) -> None:
    """The Service's own names go on resolving, and a name below or beside an alias does not exist."""
    pod, right = names.asking[0], names.addresses("api")
    own = f"api.{HOME}.svc.cluster.local"
    assert look_up(pod, "api", own) == [Answer(own, right.v4, right.v6)] * 2
    assert look_up(pod, f"x.{HOSTS['api']}", f"x{HOSTS['api']}", "hello") == [Answer("")] * 3


def test_a_new_cluster_ip_needs_no_new_snippet(names: Names) -> None:
    """The Service is deleted and made again: the same lines, in the same CoreDNS, give its new addresses."""
    before, after = names.make_again("moving")
    assert not {*before.v4, *before.v6} & {*after.v4, *after.v6}
    for pod in names.asking:
        eventually(lambda: answers(pod, HOSTS["moving"]) == [after], "the new addresses")  # noqa: B023
    assert coredns(names.mesh) == names.snippet


def test_dns_capture_follows_a_new_cluster_ip(names: Names) -> None:
    """The Service is deleted and made again: the operator's new entry tells the agents its new addresses."""
    name = f"{HOSTS['moving']}."
    before, after = names.make_again("moving")
    assert not {*before.v4, *before.v6} & {*after.v4, *after.v6}

    def answer() -> Answer:
        return look_up(names.captured, name)[0]

    eventually(lambda: (answer().v4, answer().v6) == (after.v4, after.v6), "the agent has the new addresses")


def test_dns_capture_answers_for_an_alias_without_addresses(names: Names) -> None:
    """An alias of HTTP ports has no addresses of its own; the agent answers with the one that istiod allocates."""
    eventually(lambda: look_up(names.captured, HOSTS["web"])[0].v4, "the agent knows the alias")
    answer = look_up(names.captured, HOSTS["web"])[0]
    entry = names.mesh.plane.api.get(f"/apis/networking.istio.io/v1/namespaces/{HOME}/serviceentries/web")
    assert "addresses" not in entry["spec"]
    assert set(answer.v4) | set(answer.v6) <= {one["value"] for one in entry["status"]["addresses"]}


def test_dns_capture_answers_for_an_alias(names: Names) -> None:
    """The agent in the pod knows the alias from its entry: the Service's addresses, with and without search domains."""
    host, right = HOSTS["api"], names.addresses("api")
    eventually(lambda: look_up(names.captured, f"{host}.")[0].v4 == right.v4, "the agent knows the alias")
    for answer in look_up(names.captured, host, f"{host}."):
        assert (answer.v4, answer.v6) == (right.v4, right.v6)
