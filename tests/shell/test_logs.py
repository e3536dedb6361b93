"""Log lines: one line each whatever is in them, and the fields of a decision beside the message."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from dnsalias_operator.model.names import Key
from dnsalias_operator.shell.reporting import logs


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """The test runner's own logging comes back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)


def test_json_lines_carry_message_and_fields() -> None:
    """A decision's kind, namespace, name and reason are fields of the line's object, empty ones are left out."""
    out = io.StringIO()
    logs.configure("json", "info", out)
    fields: dict[str, object] = {
        **logs.about(Key("ServiceEntry", "a", "b")),
        "reason": "LacksAddresses",
        "changed": [],
        "inferred": None,
    }
    logging.getLogger("x").info("it has no addresses", extra={"fields": fields})
    line = json.loads(out.getvalue())
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "logger": "x",
        "message": "it has no addresses",
        "kind": "ServiceEntry",
        "namespace": "a",
        "name": "b",
        "reason": "LacksAddresses",
    }


@pytest.mark.parametrize("form", ["json", "console"])
def test_every_record_is_one_line(form: str) -> None:
    """Line breaks in messages, fields and traces do not make a second line."""
    out = io.StringIO()
    logs.configure(form, "info", out)  # type: ignore[arg-type]
    log = logging.getLogger("x")
    try:
        raise ValueError("first\nsecond")  # noqa: TRY301 (a trace is what is wanted)
    except ValueError:
        log.exception("a bug\nwith a break", extra={"fields": {"error_text": "a\r\nb"}})
    log.warning("next")
    assert len(out.getvalue().splitlines()) == 2
    assert "ValueError" in out.getvalue()


@pytest.mark.parametrize("form", ["json", "console"])
def test_no_credentials_are_told(form: str) -> None:
    """Whatever a library puts into an error; the rest of the line is as it was."""
    out = io.StringIO()
    logs.configure(form, "info", out)  # type: ignore[arg-type]
    headers = {"Authorization": "Bearer eyJh.very-secret_token=="}
    error = OSError("503, url='http://corp:very-s@cret@proxy.example:3128', header 'Basic very/secret+word=='")
    logging.getLogger("x").warning("failed: %r", headers, extra={"fields": {"error": error}})
    (line,) = out.getvalue().splitlines()
    assert "secret" not in line.replace("s@cret", "secret")
    assert "'Authorization': 'Bearer …'}" in line
    assert "http://…@proxy.example:3128" in line


@pytest.mark.parametrize(
    "text",
    [
        "certificate verify failed: Basic Constraints of CA cert not marked critical",
        "401 Unauthorized: Bearer authentication required",
        "see https://a.example/path?q=a@b",
        "https://a.example\nuser@b.example",
    ],
)
def test_what_is_no_credential_is_told(text: str) -> None:
    """Word for word: somebody looks for it."""
    out = io.StringIO()
    logs.configure("json", "info", out)
    logging.getLogger("x").warning(text)
    assert json.loads(out.getvalue())["message"] == text


def test_fields_never_replace_the_message() -> None:
    """A field of the name of a part of the line is left out."""
    out = io.StringIO()
    logs.configure("json", "info", out)
    logging.getLogger("x").info("real", extra={"fields": {"message": "fake", "level": "fake"}})
    line = json.loads(out.getvalue())
    assert (line["message"], line["level"]) == ("real", "info")


def test_console_values_are_quoted_where_needed() -> None:
    """A value with a space can be told from the next field."""
    out = io.StringIO()
    logs.configure("console", "info", out)
    logging.getLogger("x").info("m", extra={"fields": {"object": "ServiceEntry a/b", "n": 3}})
    assert out.getvalue().rstrip().endswith('m  object="ServiceEntry a/b" n=3')


def test_libraries_are_quiet_unless_asked() -> None:
    """Kopf's own steps are no news at info level, and are there at debug level."""
    out = io.StringIO()
    logs.configure("console", "info", out)
    logging.getLogger("kopf.activities").info("Initial authentication")
    logging.getLogger("kopf._core.reactor.observation").warning("Unresolved resources cannot be served")
    logging.getLogger("kopf._cogs.clients.api").error("Request attempt #1/9 failed; will retry")
    assert out.getvalue() == ""
    logging.getLogger("kopf._core.reactor.queueing").error("Event processing has failed")
    assert "Event processing" in out.getvalue()
    logs.configure("console", "debug", out)
    logging.getLogger("kopf.activities").info("Initial authentication")
    assert "Initial authentication" in out.getvalue()


def test_the_trace_of_a_library_is_its_error() -> None:
    """What a library could not use is told in a line without its trace; a bug of ours keeps it, and so does debug."""
    for name, level, traced in (
        ("kopf.reactor", "info", False),
        ("dnsalias_operator.shell.app", "info", True),
        ("kopf.reactor", "debug", True),
    ):
        out = io.StringIO()
        logs.configure("json", level, out)
        try:
            raise ValueError("no such thing")  # noqa: TRY301 (a trace is what is wanted)
        except ValueError:
            logging.getLogger(name).exception("it failed")
        line = json.loads(out.getvalue())
        assert "no such thing" in line["error"]
        assert ("Traceback" in line["error"]) is traced, name
