"""docs/quickstart.md: its commands work as they stand there, and print what it says they print."""

import re
from collections.abc import Iterator

import pytest

from tools.controlplane import build
from tools.controlplane.cluster import ControlPlane
from tools.quickstart.page import PAGE, rewritten, shape, steps
from tools.quickstart.session import Session


@pytest.fixture
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    """A shell on a cluster with Istio's CRDs and nothing of ours."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        build.ensure(*build.CONTROL_PLANE, "helm")
        crds = [build.istio_crds()]
    with ControlPlane.start(crds=crds) as plane, Session(plane) as one:
        yield one


@pytest.mark.cluster
def test_the_commands_work_and_print_what_the_page_says(session: Session) -> None:
    """Typed one after another, every command succeeds; addresses, ages and times apart its output is the page's."""
    page = steps(PAGE.read_text(encoding="utf-8"))
    assert len(page) >= 10
    for step in page:
        assert shape(session.run(step.command)) == shape(step.output), f"{step.command}: run `make quickstart`"


def test_the_page_is_of_one_run() -> None:
    """Where any output has another shape all are replaced, and where none has the page stays; prose always does."""
    text = "Type:\n\n```console\n$ a \\\n  b\nNAME  AGE\nx     5s\n$ c\n10.0.0.1\n```\n\n```\n$ not run\n```\n"
    said = {"a \\\n  b": "NAME   AGE\nxyz    7s", "c": "10.0.0.2"}
    told = rewritten(text, said.__getitem__)
    assert told == text.replace("NAME  AGE\nx     5s", "NAME   AGE\nxyz    7s").replace("10.0.0.1", "10.0.0.2")
    assert [step.command for step in steps(told)] == list(said)
    assert rewritten(told, {**said, "c": "10.0.0.3"}.__getitem__) == told


def test_each_service_has_one_address_throughout() -> None:
    """The page's clusterIPs are as many as the Services of its examples."""
    folders = (PAGE.parents[1] / "examples" / name for name in ("quickstart", "first-alias"))
    files = [path.read_text(encoding="utf-8") for folder in folders for path in folder.glob("*.yaml")]
    services = sum(text.count("kind: Service\n") for text in files)
    printed = "\n".join(step.output for step in steps(PAGE.read_text(encoding="utf-8")))
    addresses = set(re.findall(r"10\.96\.\d+\.\d+", printed))
    assert len(addresses) == services


def test_a_block_that_begins_with_output_is_refused() -> None:
    """Output that no command printed is an error of the page, not something to lose."""
    with pytest.raises(ValueError, match="begins with output"):
        steps("```console\nx\n$ a\n```\n")
