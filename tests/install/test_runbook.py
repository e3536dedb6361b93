"""The commands of docs/runbook.md that stop repairs, typed on a real API server, however the operator was installed.

What is asked of each: the Pods get the mode, and keep their image. With another image new ones never start, and those
that they were to replace go on writing.
"""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dnsalias_operator.settings import ENV_PREFIX, load_settings
from tests.controlplane.fixtures import one_more
from tests.install.helm import CHART, IN_NAMESPACE, RELEASE, Helm
from tests.install.markdown import sections
from tests.install.test_examples import REPOSITORY, overlays
from tools.controlplane import build
from tools.controlplane.cluster import ControlPlane
from tools.quickstart.node import DEPLOYMENT
from tools.running import identity

DOCS = REPOSITORY / "docs"
SECTION = "To stop repairs, or all writes"
IMAGE = "REGISTRY/dnsalias-operator:0.1.0"
OTHERS_IMAGE = re.compile(r"apply (?:--server-side )?-k manifests/(?:base|overlays/(?!ours\b))")


@pytest.fixture(scope="module")
def plane(request: pytest.FixtureRequest) -> Iterator[ControlPlane]:
    """A control plane of its own: the commands name the operator's namespace."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        build.ensure("helm")
    with one_more(request) as started:
        yield started


def commands() -> list[list[str]]:
    """Every command in the runbook's section, in words."""
    section = sections((DOCS / "runbook.md").read_text(encoding="utf-8"), 2)[SECTION]
    blocks = re.findall(r"^```\n(.*?)^```", section, flags=re.MULTILINE | re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines()]


class Installation:
    """The operator in patch mode, by one of the ways to install it, with an image that has a registry."""

    def __init__(self, way: str, plane: ControlPlane, folder: Path) -> None:
        """Install it."""
        self.way, self.plane, self.folder = way, plane, folder
        self.helm = Helm(plane, folder)
        if way == "helm":
            values = ("--set", f"image.repository={IMAGE.partition(':')[0]}", "--set", "settings.foreign_entries=patch")
            crd = ("--set", "crds.install=false")
            self.helm.run("install", RELEASE, str(CHART), *IN_NAMESPACE, "--create-namespace", *values, *crd)
            return
        for name in ("manifests", "crds"):
            shutil.copytree(REPOSITORY / name, folder / name)
        (folder / "manifests" / "overlays" / "ours").mkdir()
        self.lasting("patch")

    def at_once(self, mode: str) -> None:
        """The command for an emergency."""
        (command,) = (c for c in commands() if "set" in c and "env" in c)
        self.plane.kubectl(*(word.replace("observe", mode) for word in command[1:]))

    def lasting(self, mode: str) -> None:
        """The change at the source: a value of the chart, or the base of the user's overlay."""
        if self.way == "helm":
            (command,) = (c for c in commands() if c[0] == "helm")
            where = {"chart": str(CHART)}
            self.helm.run(*(where.get(word, word).replace("observe", mode) for word in command[1:]))
            return
        (ours,) = overlays("docs/install.md")
        file = self.folder / "manifests" / "overlays" / "ours" / "kustomization.yaml"
        assert "../observe" in ours
        file.write_text(ours.replace("../observe", f"../{mode}"), encoding="utf-8")
        (command,) = (c for c in commands() if c[1:3] == ["apply", "-k"])
        how = ("--server-side",) if self.way == "server-side" else ()
        self.plane.kubectl(*command[1:3], str(self.folder / command[3]), *how)

    def state(self) -> tuple[str, str]:
        """The image of the Pods, and what the operator in them makes of its environment."""
        (container,) = self.plane.api.get(DEPLOYMENT)["spec"]["template"]["spec"]["containers"]
        # A flag would win over the environment.
        assert not {"args", "command"} & container.keys()
        told = {e["name"].removeprefix(ENV_PREFIX).lower(): e["value"] for e in container["env"]}
        return container["image"], load_settings(told).foreign_entries


@pytest.fixture(params=["helm", "client-side", "server-side"])
def installed(request: pytest.FixtureRequest, plane: ControlPlane, tmp_path: Path) -> Iterator[Installation]:
    """By Helm, and by kustomize in both ways in which kubectl applies."""
    one = Installation(request.param, plane, tmp_path)
    yield one
    one.helm.clear()


@pytest.mark.cluster
def test_repairs_are_stopped_and_started_without_touching_the_image(installed: Installation) -> None:
    """The command for an emergency, then the change that lasts, and both again with `patch`: no step is refused."""
    assert installed.state() == (IMAGE, "patch")
    for mode in ("observe", "patch"):
        installed.at_once(mode)
        assert installed.state() == (IMAGE, mode)
        installed.lasting(mode)
        assert installed.state() == (IMAGE, mode)


@pytest.mark.cluster
def test_a_shell_gets_the_settings_of_the_operator(installed: Installation) -> None:
    """What is not a default is among them, in all its lines, and the command takes them."""
    head = (DOCS / "runbook.md").read_text(encoding="utf-8").partition("\n## ")[0]
    (command,) = re.findall(r"^while .*?(?=\n```)", head, flags=re.MULTILINE | re.DOTALL)
    installed.at_once("observe")
    rules = "- {suffixes: [hello], namespaces: [a]}\n- {suffixes: [b.hello], namespaces: [b]}"
    where = ("-n", identity.NAMESPACE, "deploy/dnsalias-operator")
    installed.plane.kubectl("set", "env", *where, f"DNSALIAS_HOST_RULES={rules}")
    tools = installed.folder / "tools"
    tools.mkdir()
    (tools / "kubectl").symlink_to(installed.plane.binaries["kubectl"])
    environment = installed.plane.environment() | {"PATH": f"{tools}:{Path(sys.executable).parent}:/usr/bin:/bin"}
    script = f"{command}\nprintenv DNSALIAS_HOST_RULES\ndnsalias plan"
    told = subprocess.run(["bash", "-euc", script], env=environment, check=True, capture_output=True, text=True).stdout
    assert "foreign_entries observe" in told
    assert told.startswith(rules)


@pytest.mark.cluster
def test_all_writes_are_stopped_and_an_upgrade_is_no_conflict(installed: Installation) -> None:
    """Scaled to nothing and back to what was installed, the next upgrade is accepted."""
    (command,) = (c for c in commands() if "scale" in c)
    installed.plane.kubectl(*command[1:])
    assert installed.plane.api.get(DEPLOYMENT)["spec"]["replicas"] == 0
    installed.plane.kubectl(*(word.replace("=0", "=2") for word in command[1:]))
    installed.lasting("patch")
    assert installed.plane.api.get(DEPLOYMENT)["spec"]["replicas"] == 2
    assert installed.state() == (IMAGE, "patch")


@pytest.mark.cluster
def test_an_overlay_of_the_repository_brings_another_image(plane: ControlPlane) -> None:
    """Why no page may tell people to apply one over their own: its image has no registry."""
    (deployment,) = (o for o in identity.build(plane, "overlays/observe") if o["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert "/" not in container["image"]


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_no_page_tells_to_apply_an_overlay_of_the_repository(page: Path) -> None:
    """Such a command replaces the image that people run by one that their cluster does not have."""
    assert OTHERS_IMAGE.findall(page.read_text(encoding="utf-8")) == []


def test_the_other_pages_say_what_the_runbook_says() -> None:
    """What an on-call finds first, docs/revert.md, has the same command."""
    (command,) = (c for c in commands() if "set" in c and "env" in c)
    assert shlex.join(command) in (DOCS / "revert.md").read_text(encoding="utf-8")
