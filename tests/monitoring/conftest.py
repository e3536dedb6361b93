"""One control plane and one Prometheus for these tests: what an operator counts is the whole cluster."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cluster.conftest import Objects
from tests.controlplane.fixtures import one_more
from tests.monitoring.prometheus import Prometheus
from tests.monitoring.tools import tool
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.waiting import eventually
from tools.running import identity
from tools.running.operator_process import Operator


@pytest.fixture(scope="session")
def prometheus_binary() -> Path:
    """Skips before anything is started."""
    return tool("prometheus")


@pytest.fixture(scope="session")
def plane(prometheus_binary: Path, request: pytest.FixtureRequest) -> Iterator[ControlPlane]:  # noqa: ARG001
    """A control plane with the CRDs and the operator's rights."""
    with one_more(request) as started:
        yield started


@pytest.fixture(scope="session")
def prometheus(plane: ControlPlane, prometheus_binary: Path) -> Iterator[Prometheus]:
    """A Prometheus that scrapes nobody yet."""
    with Prometheus(plane.supervisor, prometheus_binary) as started:
        yield started


Run = Callable[..., Operator]


def port(operator: Operator) -> int:
    """The port on which a running operator serves its metrics."""
    return int(next(line["port"] for line in operator.lines() if "port" in line))


@pytest.fixture(scope="module")
def run(plane: ControlPlane, prometheus: Prometheus, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Run an operator with these settings and have it scraped, and no other; all are ended after the module."""
    kubeconfig = identity.install(plane)
    with ExitStack() as running:

        def start(**settings: str) -> Operator:
            running.close()
            operator = Operator(plane, kubeconfig, tmp_path_factory.mktemp("operator"), settings)
            running.enter_context(operator)
            eventually(lambda: operator.page("/metrics")[0] == 200, "the operator serves its metrics")
            prometheus.scrape(port(operator))
            synced = f'dnsalias_synced{{instance="127.0.0.1:{port(operator)}"}} == 1'
            eventually(lambda: prometheus.query(synced), "the operator is scraped")
            return operator

        yield start
    prometheus.scrape()


@pytest.fixture(scope="module")
def space(plane: ControlPlane) -> Iterator[Objects]:
    """Objects of one namespace, deleted after the module."""
    name = "monitored"
    plane.api.create("/api/v1/namespaces", {"metadata": {"name": name}})
    yield Objects(plane, name)
    # At once, and not when the namespace's turn comes: another operator would count them.
    plane.kubectl("delete", "dnsaliases,serviceentries", "--all", "-n", name)
    plane.api.delete(f"/api/v1/namespaces/{name}")
