"""The client against a scripted HTTP server on loopback: what it sends, and what it makes of the answers."""

import asyncio
import json
from collections.abc import AsyncIterator
from email.utils import formatdate
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientTimeout, web

from dnsalias_operator.shell.api.access import load_configuration
from dnsalias_operator.shell.api.client import Client
from dnsalias_operator.shell.api.errors import ApiError, ClusterError, FencedError, UnreachableError
from dnsalias_operator.shell.api.listing import list_objects

Answer = tuple[int, Any, dict[str, str]]


class Server:
    """Answers each request with the next scripted answer and keeps what came."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.requests: list[tuple[str, str, dict[str, str], Any]] = []
        self.url = ""
        self.hangs = False
        self.ended = asyncio.Event()

    def will(self, status: int, body: Any, **headers: str) -> None:  # noqa: ANN401
        """Script one answer."""
        self.answers.append((status, body, {k.replace("_", "-"): v for k, v in headers.items()}))

    async def handle(self, request: web.Request) -> web.Response:
        """Give the next answer."""
        if self.hangs:
            await self.ended.wait()
        body = await request.text()
        self.requests.append(
            (request.method, request.path_qs, dict(request.headers), json.loads(body) if body else None)
        )
        status, answer, headers = self.answers.pop(0)
        text = answer if isinstance(answer, str) else json.dumps(answer)
        return web.Response(status=status, text=text, headers=headers, content_type="application/json")


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A server on a free port."""
    scripted = Server()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", scripted.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    scripted.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield scripted
    scripted.ended.set()
    await runner.cleanup()


def kubeconfig(folder: Path, url: str, token: str) -> Path:
    """A kubeconfig with a token."""
    path = folder / "kubeconfig"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": {"token": token}}],
    }
    path.write_text(json.dumps(config))
    return path


@pytest.fixture
async def client(server: Server, tmp_path: Path) -> AsyncIterator[Client]:
    """A client of the scripted server."""
    async with await Client.connect(str(kubeconfig(tmp_path, server.url, "first"))) as connected:
        yield connected


def status(code: int, reason: str, message: str, **details: Any) -> dict[str, Any]:  # noqa: ANN401
    """A Status object."""
    return {"kind": "Status", "code": code, "reason": reason, "message": message, "details": details}


async def test_apply_is_sent_as_server_side_apply(server: Server, client: Client) -> None:
    """The content type, the query and the JSON body reach the server as they were given, with the token."""
    server.will(200, {"kind": "ServiceEntry"})
    query = {"fieldManager": "dnsalias-repair", "force": "false"}
    await client.request("PATCH", "apis/x/v1/y", query, {"a": [1]}, "application/apply-patch+yaml")
    ((verb, path, headers, body),) = server.requests
    assert (verb, path, body) == ("PATCH", "/apis/x/v1/y?fieldManager=dnsalias-repair&force=false", {"a": [1]})
    assert headers["Content-Type"] == "application/apply-patch+yaml"
    assert headers["Authorization"] == "Bearer first"


async def test_a_write_without_the_lease_is_not_sent(server: Server, tmp_path: Path) -> None:
    """Every verb but GET is asked of the fence; what may not be written does not reach the server."""
    path = str(kubeconfig(tmp_path, server.url, "first"))
    async with await Client.connect(path, fence=lambda: 0.0) as fenced:
        for verb in ("POST", "PUT", "PATCH", "DELETE"):
            with pytest.raises(FencedError, match="does not hold the Lease"):
                await fenced.request(verb, "api/v1/x", None, {})
        server.will(200, {"ok": True})
        assert await fenced.request("GET", "api/v1") == {"ok": True}
    assert [verb for verb, *_ in server.requests] == ["GET"]


async def test_a_write_is_given_up_when_the_lease_runs_out(server: Server, tmp_path: Path) -> None:
    """One that waits for its connection or its answer ends with the time that is left, not with the request's limit."""
    server.hangs = True
    path = str(kubeconfig(tmp_path, server.url, "first"))
    async with await Client.connect(path, fence=lambda: 0.05, request_seconds=300) as fenced:
        with pytest.raises(UnreachableError, match=r"no answer to POST /api/v1/x before the Lease runs out"):
            await fenced.request("POST", "api/v1/x", None, {})


async def test_what_does_not_answer_is_named_with_how_long(server: Server, tmp_path: Path) -> None:
    """Server, verb, path and the limit: not the name of an exception."""
    server.hangs = True
    async with await Client.connect(str(kubeconfig(tmp_path, server.url, "first"))) as client:
        client._timeout = ClientTimeout(total=0.05)
        with pytest.raises(UnreachableError, match=r"^http://127\.0\.0\.1:\d+: no answer to GET /api/v1/x in 0\.05 s$"):
            await client.request("GET", "api/v1/x")


async def test_after_new_credentials_the_lease_counts_again(server: Server, tmp_path: Path) -> None:
    """A second try after a 401 is a write like any other: where the Lease was lost meanwhile it is not sent."""
    path = str(kubeconfig(tmp_path, server.url, "first"))
    server.will(401, status(401, "Unauthorized", "Unauthorized"))
    async with await Client.connect(path, fence=lambda: 0.0 if server.requests else 9.0) as fenced:
        with pytest.raises(FencedError):
            await fenced.request("POST", "api/v1/x", None, {})
    assert len(server.requests) == 1


async def test_a_rotated_token_is_read_again_once(server: Server, client: Client, tmp_path: Path) -> None:
    """A 401 makes the client read its credentials anew and try once more, not for ever."""
    kubeconfig(tmp_path, server.url, "second")
    server.will(401, status(401, "Unauthorized", "Unauthorized"))
    server.will(200, {"ok": True})
    assert await client.request("GET", "api/v1") == {"ok": True}
    assert [r[2]["Authorization"] for r in server.requests] == ["Bearer first", "Bearer second"]
    for _ in range(2):
        server.will(401, status(401, "Unauthorized", "Unauthorized"))
    with pytest.raises(ApiError, match="check that the token"):
        await client.request("GET", "api/v1")
    assert server.answers == []


async def test_a_remembered_token_does_not_come_back(server: Server, tmp_path: Path) -> None:
    """In a pod the library puts the token that it remembers in before each request: a new one brings its own memory."""

    async def remembered(token: str) -> Any:  # noqa: ANN401 (the library has no types)
        configuration = await load_configuration(str(kubeconfig(tmp_path, server.url, token)))

        async def put(into: Any) -> None:  # noqa: ANN401
            into.api_key = {"BearerToken": f"Bearer {token}"}

        configuration.refresh_api_key_hook = put
        return configuration

    server.will(401, status(401, "Unauthorized", "Unauthorized"))
    server.will(200, {"ok": True})
    async with Client(await remembered("first"), reload=partial(remembered, "second")) as client:
        assert await client.request("GET", "api/v1") == {"ok": True}
    assert [r[2]["Authorization"] for r in server.requests] == ["Bearer first", "Bearer second"]


async def test_a_conflict_names_the_managers(server: Server, client: Client) -> None:
    """Who holds the fields is read from the causes of a server-side apply conflict."""
    causes = [
        {"reason": "FieldManagerConflict", "message": 'conflict with "dns-controller" using v1', "field": ".spec.x"},
        {"reason": "FieldManagerConflict", "message": 'conflict with "helm"', "field": ".spec.y"},
    ]
    server.will(409, status(409, "Conflict", "Apply failed with 2 conflicts", causes=causes))
    with pytest.raises(ApiError) as caught:
        await client.request("PATCH", "apis/x")
    assert caught.value.managers == ("dns-controller", "helm")


async def test_a_mere_version_conflict_names_nobody(server: Server, client: Client) -> None:
    """An object that changed meanwhile is no fight."""
    message = 'Operation cannot be fulfilled on x "y": the object has been modified'
    server.will(409, status(409, "Conflict", message))
    with pytest.raises(ApiError) as caught:
        await client.request("PATCH", "apis/x")
    assert caught.value.managers == ()


@pytest.mark.parametrize(
    ("header", "details", "seconds"), [("7", {}, 7), ("", {"retryAfterSeconds": 9}, 9), ("", {}, 0), ("soon", {}, 0)]
)
async def test_the_server_says_when_to_come_back(
    server: Server, client: Client, header: str, details: dict[str, Any], seconds: float
) -> None:
    """Retry-After is read from the header, else from the Status."""
    server.will(
        429, status(429, "TooManyRequests", "slow down", **details), **({"Retry_After": header} if header else {})
    )
    with pytest.raises(ApiError) as caught:
        await client.request("GET", "api/v1")
    assert caught.value.retry_after == seconds


async def test_a_proxy_that_answers_in_html_is_told_in_one_line(server: Server, client: Client) -> None:
    """An answer that is no Status still gives a message; one that is no JSON at all is no answer."""
    server.will(503, "<html>\n<b>upstream</b>\n</html>")
    with pytest.raises(ApiError, match="<html> <b>upstream</b> </html>") as caught:
        await client.request("GET", "api/v1")
    assert "\n" not in str(caught.value)
    server.will(200, "<html>log in</html>")
    with pytest.raises(UnreachableError, match="not JSON"):
        await client.request("GET", "api/v1")


async def test_the_servers_clock_is_never_ahead_of_it(server: Server, client: Client) -> None:
    """The Date header has whole seconds, so it is a lower bound; a fresher one raises the estimate, never lowers it."""
    for at in (2_000_000_000, 1_999_999_990):
        server.will(200, {}, Date=formatdate(at, usegmt=True))
        await client.request("GET", "api/v1")
        assert 2_000_000_000 <= client.now() < 2_000_000_060


async def test_pages_are_followed_to_the_end(server: Server, client: Client) -> None:
    """The continue token is sent back until there is none."""
    server.will(200, {"items": [{"a": 1}], "metadata": {"resourceVersion": "5", "continue": "t&k"}})
    server.will(200, {"items": None, "metadata": {"resourceVersion": "5"}})
    pages = [page async for page in client.pages("Service", "shop", 1)]
    assert pages == [([{"a": 1}], "5"), ([], "5")]
    assert [r[1] for r in server.requests] == [
        "/api/v1/namespaces/shop/services?limit=1",
        "/api/v1/namespaces/shop/services?limit=1&continue=t%26k",
    ]


ISTIO = ("serviceentries", "sidecars", "virtualservices", "destinationrules")


async def test_the_newest_served_version_of_serviceentry_is_used(server: Server, client: Client) -> None:
    """An old Istio that serves v1beta1 and v1alpha3 alone is spoken to in v1beta1."""
    server.will(200, {"versions": [{"version": "v1alpha3"}, {"version": "v1beta1"}]})
    server.will(200, {"resources": [{"name": name} for name in ISTIO]})
    server.will(404, status(404, "NotFound", "…"))
    assert await client.missing_kinds() == ("dnsaliases.dnsalias.io",)
    assert client.path("ServiceEntry", "a", "b") == "apis/networking.istio.io/v1beta1/namespaces/a/serviceentries/b"
    assert client.api_version("ServiceEntry") == "networking.istio.io/v1beta1"


async def test_no_answer_is_told_with_the_server(tmp_path: Path) -> None:
    """A server that is not there is named."""
    config = kubeconfig(tmp_path, "http://127.0.0.1:9", "t")
    async with await Client.connect(str(config)) as client:
        with pytest.raises(UnreachableError, match=r"http://127\.0\.0\.1:9"):
            await client.request("GET", "api/v1")


def test_a_kubeconfig_that_is_not_there_is_told(tmp_path: Path) -> None:
    """The path is named, and that it does not exist."""
    with pytest.raises(ClusterError, match="none: no such file"):
        list_objects(str(tmp_path / "none"), None, None, mesh=("istio-system", ""))


def test_a_context_that_is_not_there_is_told(tmp_path: Path) -> None:
    """A wrong --context gives a message, not a trace."""
    with pytest.raises(ClusterError, match="other"):
        list_objects(str(kubeconfig(tmp_path, "http://127.0.0.1:9", "t")), "other", None, mesh=("istio-system", ""))


async def test_a_404_that_names_no_object_says_nothing_about_any(server: Server, client: Client) -> None:
    """Of the object it names an answer says that it is gone; a path that is not served for a moment says nothing."""
    gone = status(404, "NotFound", 'serviceentries "web" not found', name="web", kind="serviceentries")
    for answer, says in (
        (gone, True),
        (status(404, "NotFound", "no such resource"), False),
        ("404 page not found", False),
    ):
        server.will(404, answer)
        with pytest.raises(ApiError) as caught:
            await client.request("DELETE", "apis/x/serviceentries/web")
        assert caught.value.says_gone("web") is says
        assert not caught.value.says_gone("other")


@pytest.mark.parametrize(("namespace", "name"), [("a/../b", "web"), ("abc", "web/status"), ("abc", ".."), ("//", "")])
async def test_a_name_never_leads_to_another_path(client: Client, namespace: str, name: str) -> None:
    """What is no name of an object is refused before anything is sent: annotations and options can hold anything."""
    with pytest.raises(ClusterError, match="can have the name"):
        client.path("Service", namespace, name)
