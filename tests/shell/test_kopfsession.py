"""Kopf's sessions, over real HTTP on loopback: what is heard of its requests, and whose credentials are the same."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml
from aiohttp import ClientHttpProxyError, encode_basic_auth, web

from dnsalias_operator.model.names import KIND
from dnsalias_operator.settings import Settings
from dnsalias_operator.shell.api.client import Client
from dnsalias_operator.shell.api.errors import ClusterError, UnreachableError
from dnsalias_operator.shell.watching.kopfsession import Session, Sessions


@dataclass
class Place:
    """An API server that answers everything with ``status``, and the sessions of a Kopf that knows it."""

    url: str
    settings: Settings
    status: int = 200
    heard: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    sessions: Sessions = field(init=False)

    def __post_init__(self) -> None:
        self.sessions = Sessions(self.settings, self.heard.append)

    async def get(self, *paths: str) -> list[str]:
        """What is heard when Kopf asks for these."""
        self.heard.clear()
        session = await self.sessions.login()
        for path in paths:
            async with session.aiohttp_session.get(f"{self.url}{path}") as answer:
                assert answer.status == self.status
        return self.heard

    def write(self, token: str, **cluster: str) -> None:
        """The kubeconfig."""
        entry = {"name": "one", "cluster": {"server": self.url, **cluster}}
        user = {"name": "one", "user": {"token": token}}
        context = {"name": "one", "context": {"cluster": "one", "user": "one"}}
        body = {"clusters": [entry], "users": [user], "contexts": [context], "current-context": "one"}
        Path(self.settings.kubeconfig).write_text(yaml.safe_dump(body))


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    """It, and a kubeconfig; all sessions are closed afterwards, used or not."""

    async def answer(request: web.BaseRequest) -> web.Response:
        here.headers.append(request.headers)
        return web.json_response({}, status=here.status)

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    here = Place(f"http://127.0.0.1:{runner.addresses[0][1]}", Settings(kubeconfig=str(tmp_path / "kubeconfig")))
    here.write("secret")
    yield here
    await here.sessions.close()
    await runner.cleanup()


async def test_a_list_is_heard_by_its_kind(place: Place) -> None:
    """In the cluster, or in one namespace."""
    root = "/apis/dnsalias.io/v1alpha1"
    assert await place.get("/api/v1/services?limit=500", f"{root}/namespaces/abc/dnsaliases") == ["Service", KIND]


async def test_it_is_known_which_kinds_were_asked_for(place: Place) -> None:
    """Whatever came of it; and nothing else is one."""
    place.status = 503
    await place.get("/apis", "/api/v1", "/api/v1/services?limit=500", "/api/v1/namespaces/abc/pods?watch=true")
    assert place.sessions.asked == {"Service"}


async def test_a_proxy_gets_its_password(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kopf's requests go through it as ours do."""
    monkeypatch.setenv("HTTP_PROXY", place.url.replace("http://", "http://corp:pass%21@"))
    monkeypatch.setenv("NO_PROXY", "")
    place.url = "http://192.0.2.1:6443"
    place.write("token")
    await place.get("/api/v1/services")
    async with await Client.connect(place.settings.kubeconfig) as client:
        await client.request("GET", "api/v1/services")
    for headers in place.headers:
        assert headers["Proxy-Authorization"] == encode_basic_auth("corp", "pass!")
        assert headers["Authorization"] == "Bearer token"
    assert len(place.headers) == 2


async def test_a_proxy_gets_no_token(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for a way to the API server, and knows the one who asks by nothing but its own credentials."""
    monkeypatch.setenv("HTTPS_PROXY", place.url.replace("http://", "http://corp:pass%21@"))
    monkeypatch.setenv("NO_PROXY", "")
    place.url, place.status = "https://192.0.2.1:6443", 503
    place.write("token")
    with pytest.raises(ClientHttpProxyError):
        await place.get("/api/v1/services")
    async with await Client.connect(place.settings.kubeconfig) as client:
        with pytest.raises(UnreachableError):
            await client.request("GET", "api/v1/services")
    assert len(place.headers) == 2
    for headers in place.headers:
        assert headers["Proxy-Authorization"] == encode_basic_auth("corp", "pass!")
        assert "token" not in str(headers)


async def test_nothing_else_is_heard(place: Place) -> None:
    """Watches, further pages, objects, discovery."""
    assert not await place.get("/api/v1/services?watch=true", "/api/v1/services?limit=500&continue=x")
    assert not await place.get("/api/v1/services/web", "/apis/networking.istio.io/v1", "/version")


async def test_a_list_that_was_refused_is_none(place: Place) -> None:
    """Nothing was listed."""
    place.status = 500
    assert not await place.get("/api/v1/services?limit=500")


async def test_sessions_are_equal_where_their_credentials_are(place: Place) -> None:
    """Kopf knows by that which ones were refused; and no token is shown where a session is printed."""
    one, two = await place.sessions.login(), await place.sessions.login()
    assert isinstance(one, Session)
    assert one == two
    place.write("rotated")
    assert await place.sessions.login() != one
    assert "secret" not in repr(one)
    assert one.aiohttp_session.headers["Authorization"] == "Bearer secret"


async def test_credentials_that_cannot_be_used_are_an_error_of_the_cluster(place: Place, tmp_path: Path) -> None:
    """Such as a certificate that is not there: it is tried again."""
    place.write("secret", server="https://127.0.0.1:9", **{"certificate-authority": str(tmp_path / "none.pem")})
    with pytest.raises(ClusterError):
        await place.sessions.login()
