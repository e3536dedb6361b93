"""Where the cluster is: what the environment says of the way there."""

import os
from pathlib import Path

import pytest
import yaml

from dnsalias_operator.shell.api.access import context_name, environment_proxy, load_configuration
from dnsalias_operator.shell.api.client import Client
from dnsalias_operator.shell.api.errors import ClusterError, UnreachableError
from tests.shell.test_client import kubeconfig

PROXY = "http://127.0.0.1:9"
VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"HTTPS_PROXY": PROXY}, PROXY),
        ({"https_proxy": PROXY}, PROXY),
        ({"HTTP_PROXY": PROXY}, None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "other.example,.cluster.example"}, None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "other.example"}, PROXY),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "*"}, None),
    ],
)
def test_the_environment_names_a_proxy(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], expected: str | None
) -> None:
    """By the scheme of the API server, unless its host is excepted."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert environment_proxy("https://api.cluster.example:6443") == expected


async def test_requests_go_through_the_proxy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A proxy that is not there is in the way of a server that is not there either: it is the proxy that is told."""
    monkeypatch.setenv("HTTP_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", "")
    async with await Client.connect(str(kubeconfig(tmp_path, "http://192.0.2.1:6443", "t"))) as client:
        with pytest.raises(UnreachableError, match=r"connect to proxy|127\.0\.0\.1:9"):
            await client.request("GET", "api/v1")


async def test_the_password_of_a_proxy_is_in_no_url(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """URLs are shown in errors; the proxy gets it in a header of its own."""
    monkeypatch.setenv("HTTP_PROXY", "http://corp:pass%21@127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    configuration = await load_configuration(str(kubeconfig(tmp_path, "http://192.0.2.1:6443", "t")))
    assert configuration.proxy == "http://127.0.0.1:9"


async def test_a_proxy_may_be_a_host_and_a_port(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As in other programs; to go past it would look like a cluster that is down."""
    monkeypatch.setenv("HTTP_PROXY", "127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    configuration = await load_configuration(str(kubeconfig(tmp_path, "http://192.0.2.1:6443", "t")))
    assert configuration.proxy == "http://127.0.0.1:9"


@pytest.mark.parametrize(
    "proxy", ["http://corp:secret@127.0.0.1:nope", "http://[::1", "http://a%3Ab:secret@127.0.0.1:9"]
)
async def test_a_proxy_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, proxy: str) -> None:
    """Without its text, which may hold a password."""
    monkeypatch.setenv("HTTP_PROXY", proxy)
    monkeypatch.setenv("NO_PROXY", "")
    with pytest.raises(ClusterError, match="proxy of kubeconfig or HTTPS_PROXY is no URL") as told:
        await load_configuration(str(kubeconfig(tmp_path, "http://192.0.2.1:6443", "t")))
    assert "secret" not in str(told.value)


@pytest.mark.parametrize("command", ["false", "true", "no-such-plugin"])
async def test_a_plugin_that_fails_makes_nobody_anonymous(tmp_path: Path, command: str) -> None:
    """Without its credentials the API server would take us for nobody, and answer 403 for ever."""
    path = kubeconfig(tmp_path, "http://127.0.0.1:9", "t")
    body = yaml.safe_load(path.read_text())
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": command, "interactiveMode": "Never"}
    body["users"][0]["user"] = {"exec": plugin}
    path.write_text(yaml.safe_dump(body))
    with pytest.raises(ClusterError, match=f"its exec plugin {command} gave no credentials"):
        await load_configuration(str(path))


async def test_a_netrc_is_no_source_of_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What it says of the host would take the token's place, or be one credential too many."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    configuration = await load_configuration(str(kubeconfig(tmp_path, "http://127.0.0.1:9", "t")))
    assert configuration.client_session_kwargs["trust_env"] is False
    async with await Client.connect(str(kubeconfig(tmp_path, "http://127.0.0.1:9", "t"))) as client:
        with pytest.raises(UnreachableError):
            await client.request("GET", "api/v1")


async def test_without_a_kubeconfig_it_says_where_it_looked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The files of KUBECONFIG, or that of the home folder, as kubectl does."""
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    for named in ((tmp_path / "a", tmp_path / "b"), ()):
        monkeypatch.setenv("KUBECONFIG", os.pathsep.join(map(str, named)))
        monkeypatch.setenv("HOME", str(tmp_path))
        with pytest.raises(ClusterError) as told:
            await load_configuration()
        looked = ", ".join(map(str, named or (tmp_path / ".kube" / "config",)))
        assert str(told.value) == f"no kubeconfig found (looked at {looked}); give --kubeconfig FILE"


def test_the_current_context_has_a_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Of the kubeconfig that is used; what cannot be read, or has none, is unknown."""
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    path = kubeconfig(tmp_path, "https://127.0.0.1:1", "token")
    current = yaml.safe_load(path.read_text())["current-context"]
    assert context_name(str(path)) == current
    for content in ("", "[]", "a: [", "contexts: 5"):
        path.write_text(content)
        assert context_name(str(path)) == "unknown"
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    monkeypatch.delenv("KUBECONFIG", raising=False)
    assert context_name() == "in-cluster"
