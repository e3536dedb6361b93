"""A small synchronous client of the API server, for fixtures: one request, one connection, JSON both ways."""

import http.client
import json
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

REQUEST_SECONDS = 30
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"


class ApiError(Exception):
    """The API server refused a request.

    Attributes:
        status: the HTTP status code.
        reason: the reason of the ``Status`` object, such as "NotFound"; empty where there was none.
    """

    def __init__(self, method: str, path: str, status: int, body: str) -> None:
        try:
            answer = json.loads(body)
        except ValueError:
            answer = {}
        self.status = status
        self.reason = str(answer.get("reason", ""))
        super().__init__(f"{method} {path}: {status} {answer.get('message', body)}")


@dataclass(frozen=True)
class Api:
    """The API server as one user sees it.

    Attributes:
        url: "https://127.0.0.1:PORT".
        ca_file: certificate of its authority.
        token: bearer token of the user.
    """

    url: str
    ca_file: Path
    token: str

    def request(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Any:  # noqa: ANN401
        """Send a request and return the decoded answer: an object, or text where the server does not speak JSON.

        Args:
            method: the HTTP verb.
            path: path and query, such as "/api/v1/namespaces".
            body: anything JSON can say, or None.
            content_type: of the body; ``APPLY`` and ``MERGE`` for patches.

        Raises:
            ApiError: the server answered 400 or more.
            OSError: there is no server, or not yet.
        """
        where = urlsplit(self.url)
        context = ssl.create_default_context(cafile=str(self.ca_file))
        connection = http.client.HTTPSConnection(
            where.hostname or "", where.port, timeout=REQUEST_SECONDS, context=context
        )
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": content_type, "Accept": "application/json"}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        if response.status >= http.client.BAD_REQUEST:
            raise ApiError(method, path, response.status, text)
        return json.loads(text) if "json" in (response.getheader("Content-Type") or "") else text

    def get(self, path: str) -> Any:  # noqa: ANN401
        """GET an object or a list."""
        return self.request("GET", path)

    def create(self, path: str, body: dict[str, Any]) -> Any:  # noqa: ANN401
        """POST an object to a collection."""
        return self.request("POST", path, body)

    def apply(self, path: str, body: dict[str, Any], manager: str) -> Any:  # noqa: ANN401
        """Server-side apply an object, with force, as field manager ``manager``."""
        return self.request("PATCH", f"{path}?fieldManager={manager}&force=true", body, APPLY)

    def delete(self, path: str) -> Any:  # noqa: ANN401
        """DELETE an object; what depends on it is left to the garbage collector."""
        return self.request("DELETE", path)
