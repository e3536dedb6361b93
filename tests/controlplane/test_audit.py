"""Reading an audit log."""

import json
import threading
from pathlib import Path
from typing import Any

from tools.controlplane.audit import AuditLog


def line(stage: str, audit_id: str, **more: Any) -> str:  # noqa: ANN401
    """One line of the log, as the API server writes it at level Metadata."""
    event = {
        "kind": "Event",
        "stage": stage,
        "auditID": audit_id,
        "verb": "create",
        "requestURI": "/api/v1/namespaces/a/services?dryRun=All",
        "user": {"username": "alice"},
        "objectRef": {"resource": "services", "namespace": "a", "apiVersion": "v1"},
    }
    return json.dumps(event | more) + "\n"


def test_only_requests_received_after_the_mark_count(tmp_path: Path) -> None:
    """A request that was under way at the mark belongs to the time before it, though its answer came later."""
    log = AuditLog(tmp_path / "log")
    log.path.write_text(line("RequestReceived", "old"))
    mark = log.mark()
    with log.path.open("a") as file:
        file.write(line("ResponseComplete", "old", responseStatus={"code": 201}))
        file.write(line("RequestReceived", "new"))
        file.write(line("ResponseComplete", "new", responseStatus={"code": 409}))
    assert [request.code for request in log.mutating(since=mark)] == [409]
    assert [request.code for request in log.mutating()] == [201, 409]


def test_a_request_under_way_is_waited_for(tmp_path: Path) -> None:
    """A request without an answer yet, and a line half written, are not lost: the reader waits for the answer."""
    log = AuditLog(tmp_path / "log")
    answer = line("ResponseComplete", "1", responseStatus={"code": 201})
    log.path.write_text(line("RequestReceived", "1") + answer[:20])

    def finish() -> None:
        with log.path.open("a") as file:
            file.write(answer[20:])

    timer = threading.Timer(0.1, finish)
    timer.start()
    assert [request.code for request in log.mutating()] == [201]
    timer.join()


def test_users_and_noise_are_told_apart(tmp_path: Path) -> None:
    """Filters go by the user a request was made as, impersonated or not, and by resource."""
    log = AuditLog(tmp_path / "log")
    as_bob: dict[str, Any] = {"impersonatedUser": {"username": "bob"}}
    lease: dict[str, Any] = {"objectRef": {"resource": "leases", "apiGroup": "coordination.k8s.io"}}
    log.path.write_text(
        "".join(line(stage, "1", **as_bob) + line(stage, "2") + line(stage, "3", **lease) for stage in STAGES)
    )
    assert [request.user for request in log.mutating()] == ["bob", "alice"]
    assert [request.resource for request in log.mutating("alice", ignoring=())] == ["services", "leases"]
    assert all(request.dry_run for request in log.mutating())


def test_a_log_that_does_not_exist_yet_is_empty(tmp_path: Path) -> None:
    """Before the first mutating request there is no file: no requests, and a mark at its beginning."""
    log = AuditLog(tmp_path / "none")
    assert log.mark() == 0
    assert log.mutating() == []


STAGES = ("RequestReceived", "ResponseComplete")
