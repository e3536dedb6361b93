"""What can go wrong between us and the API server, each with a message for people."""

import json
import re
from http import HTTPStatus
from typing import Self

from dnsalias_operator.model.meta import mapping, mappings, text

_HINTS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "the credentials are not accepted; check that the token or certificate is current",
    HTTPStatus.FORBIDDEN: "whoever asks lacks this right; for the operator it is in manifests/base/rbac.yaml",
}
_CONFLICT = re.compile(r'conflict(?:s)? with "([^"]+)"')


class ClusterError(Exception):
    """The cluster cannot be used; the message says why and what to do."""


class UnreachableError(ClusterError):
    """The API server gave no answer."""


class FencedError(ClusterError):
    """A write that was not sent: this process may not write, since it does not hold the Lease (any more)."""


class ApiError(ClusterError):
    """The API server refused a request.

    ``status`` is the HTTP code, ``reason`` the Status object's word, ``managers`` are the field managers that a
    server-side apply conflicted with, ``retry_after`` is in seconds (0: the server did not say), ``stale`` says that
    the object is not any more what the request was made for: one more look, and all may be well. ``name`` is the object
    that the answer is about, "" where it is about none.
    """

    def __init__(self, message: str, status: int, reason: str = "", retry_after: float = 0) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.retry_after = retry_after
        self.managers: tuple[str, ...] = ()
        self.name = ""
        self.stale = status in (HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND)

    def says_gone(self, name: str) -> bool:
        """Whether the object of that name does not exist.

        A 404 that names no object says nothing about any: while an API server starts, or a CRD is not served for a
        moment, every path of a kind is answered so.
        """
        return self.status == HTTPStatus.NOT_FOUND and self.name == name

    @classmethod
    def from_answer(cls, verb: str, path: str, status: int, data: bytes, retry_after: str = "") -> Self:
        """Read the Status object of an answer, or whatever a proxy put in its place."""
        try:
            answer = mapping(json.loads(data))
        except ValueError:
            answer = {"message": " ".join(data.decode(errors="replace").split())[:200]}
        message = text(answer.get("message")) or "no message"
        hint = _HINTS.get(status)
        details = mapping(answer.get("details"))
        error = cls(
            f"{verb} /{path}: {status} {message}" + (f"; {hint}" if hint else ""),
            status,
            text(answer.get("reason")),
            _seconds(retry_after) or _seconds(details.get("retryAfterSeconds")),
        )
        error.name = text(details.get("name"))
        causes = mappings(details.get("causes"))
        lines = (*(text(c.get("message")) for c in causes), message)
        error.managers = tuple(sorted({m for line in lines for m in _CONFLICT.findall(line)}))
        # A server-side apply with the uid of an object that was replaced meanwhile is refused as invalid, not as a
        # conflict (seen on 1.36).
        error.stale = error.stale or any(text(c.get("field")) == "metadata.uid" for c in causes)
        return error


def _seconds(value: object) -> float:
    try:
        return max(0.0, float(value)) if isinstance(value, str | int | float) else 0.0
    except ValueError:
        return 0.0
