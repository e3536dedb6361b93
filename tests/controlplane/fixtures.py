"""The pytest plugin: one control plane a run, one namespace a test, and no silent skips where it counts."""

import os
import secrets
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress

import pytest

from tools.controlplane import build
from tools.controlplane.api import ApiError
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.hand import project_crds
from tools.reliability.figures import form

DISTURBING = (
    "/apis/dnsalias.io/v1alpha1/namespaces/{}/dnsaliases",
    "/apis/networking.istio.io/v1/namespaces/{}/serviceentries",
    "/apis/networking.istio.io/v1/namespaces/{}/sidecars",
    "/api/v1/namespaces/{}/services",
)
"""Collections of what an operator of another test would see, aliases first."""


@pytest.fixture(scope="session")
def control_plane(request: pytest.FixtureRequest) -> Iterator[ControlPlane]:
    """A control plane with Istio's CRDs and this project's, shared by the run: keep to a namespace of your own.

    What is missing is built first, with progress on the terminal. No Go or a failed build is an error, not a skip.
    """
    with one_more(request) as plane:
        yield plane


@contextmanager
def one_more(request: pytest.FixtureRequest) -> Iterator[ControlPlane]:
    """A control plane like `control_plane`, for tests whose objects are cluster-wide or would disturb others."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        build.ensure(*build.CONTROL_PLANE)
        crds = [build.istio_crds(), *project_crds()]
    with ControlPlane.start(crds=crds) as plane:
        yield plane


@pytest.fixture
def namespace(control_plane: ControlPlane) -> Iterator[str]:
    """The name of a fresh namespace, deleted after the test together with what is in it.

    A namespace takes a while to go. What other tests could still meet, a host that is held, say, goes at once.
    """
    name = f"t-{secrets.token_hex(4)}"
    control_plane.api.create("/api/v1/namespaces", {"metadata": {"name": name}})
    yield name
    for collection in DISTURBING:
        with suppress(ApiError):  # a kind that this control plane does not have
            control_plane.api.delete(collection.format(name))
    control_plane.api.delete(f"/api/v1/namespaces/{name}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One more try for what asks a dozen real processes on a busy machine; pytest counts each one as a rerun.

    Not in the long forms: what is lost once in a hundred times is what they are there for.
    """
    for item in items:
        if item.get_closest_marker("cluster") and form() == "short":
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI, a skipped test of cluster or browser has failed: green must mean that the real thing was asked."""
    report = yield
    real = next((name for name in ("cluster", "browser") if item.get_closest_marker(name)), "")
    if report.skipped and not hasattr(report, "wasxfail") and in_ci() and real:
        report.outcome = "failed"
        report.longrepr = f"Skipped, which CI does not accept of a {real} test: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """In CI, a module that skips itself as a whole has failed: nobody can see what was in it."""
    report = yield
    if report.skipped and in_ci():
        report.outcome = "failed"
        report.longrepr = f"Skipped as a whole, which CI does not accept: {report.longrepr}"
    return report


def in_ci() -> bool:
    """Whether this is a run that counts: the environment says CI."""
    return os.environ.get("CI", "").lower() not in {"", "0", "false"}
