"""Where the cluster is: what the environment says of the way there."""

from pathlib import Path

import pytest

from dnsalias_operator.shell.access import environment_proxy, load_configuration
from dnsalias_operator.shell.client import Client
from dnsalias_operator.shell.errors import UnreachableError
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


async def test_a_netrc_is_no_source_of_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What it says of the host would take the token's place, or be one credential too many."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    configuration = await load_configuration(str(kubeconfig(tmp_path, "http://127.0.0.1:9", "t")))
    assert configuration.client_session_kwargs == {"trust_env": False}
    async with await Client.connect(str(kubeconfig(tmp_path, "http://127.0.0.1:9", "t"))) as client:
        with pytest.raises(UnreachableError):
            await client.request("GET", "api/v1")
