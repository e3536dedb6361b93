"""Log lines: one line each, JSON or plain, with the fields of a decision beside the message.

log.info("repaired: it has no addresses", extra={"fields": {**about(entry.key), "reason": "LacksAddresses"}})
"""

import json
import logging
import re
import sys
import time
from collections.abc import Mapping
from typing import Any, Literal, TextIO

from dnsalias_operator.model.names import Key

FIELDS = "fields"
_LONGEST = 4096
"""Characters of a message or field that are logged; a trace is never cut."""
_SECRET = re.compile(r"""(?<=['"]Bearer )[^'"]+|(?<=['"]Basic )[^'"]+|(?<=://)[^/\s?#'"]+(?=@)""")
"""What a library may put into the text of an error: a header with credentials, a URL with a password."""
_QUIET = {
    **dict.fromkeys(("aiohttp", "asyncio", "kubernetes", "client"), logging.WARNING),
    "kopf": logging.ERROR,
    "kopf._cogs.clients": logging.CRITICAL,
}
"""Libraries, and from which level on they are heard: ours log what came of their steps.

Of each request of a watch that failed Kopf says an error and tries again; `Handlers` says that a watch ended, `Resync`
what cannot be listed.
"""


def configure(form: Literal["json", "console"], level: str, stream: TextIO | None = None) -> None:
    """Send every log line of this process to ``stream`` (default: standard error) in that form."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else ConsoleFormatter())
    if level != "debug":
        handler.addFilter(_in_a_line)
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name, heard in _QUIET.items():
        logging.getLogger(name).setLevel(logging.DEBUG if level == "debug" else heard)
    logging.captureWarnings(capture=True)


def _in_a_line(record: logging.LogRecord) -> bool:
    """A library's trace says nothing to the people who run this: the error itself does. Ours is of a bug, and stays."""
    if record.exc_info and record.exc_info[1] is not None and not record.name.startswith(__package__.partition(".")[0]):
        error = record.exc_info[1]
        setattr(record, FIELDS, {**fields_of(record), "error": f"{type(error).__name__}: {error}"})
        record.exc_info = record.exc_text = None
    return True


def about(key: Key) -> dict[str, str]:
    """The fields that name an object, each by itself to search for; a kind without namespaces has none."""
    return {"kind": key.kind, "namespace": key.namespace, "name": key.name}


def fields_of(record: logging.LogRecord) -> Mapping[str, Any]:
    """The fields that were given beside the message."""
    found = getattr(record, FIELDS, None)
    return found if isinstance(found, Mapping) else {}


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (RFC 3339, UTC), level, logger, message, then the fields; error with its trace."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _told(record.getMessage()),
        }
        line.update({k: _told(v) for k, v in fields_of(record).items() if k not in line and not _empty(v)})
        if record.exc_info:
            line["error"] = _SECRET.sub("…", self.formatException(record.exc_info))
        return _one_line(json.dumps(line, default=str, ensure_ascii=False))


class ConsoleFormatter(logging.Formatter):
    """Plain text for a terminal: time, level, message, fields as key=value; line breaks are escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        fields = " ".join(f"{k}={_plain(_told(v))}" for k, v in fields_of(record).items() if not _empty(v))
        text = f"{_time(record)} {record.levelname:<7} {_told(record.getMessage())}" + (f"  {fields}" if fields else "")
        if record.exc_info:
            text += f"  error={_SECRET.sub('…', self.formatException(record.exc_info))!r}"
        return _one_line(text)


def _told(value: Any) -> Any:  # noqa: ANN401 (whatever is logged)
    """``value`` as people may read it: without credentials, and a long text cut, such as the hosts of an object."""
    if isinstance(value, BaseException):
        value = str(value)
    if not isinstance(value, str):
        return value
    text = _SECRET.sub("…", value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _one_line(text: str) -> str:
    """``text`` with everything escaped that ends a line, moves a cursor or is no character: other people wrote it."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    """As JSON writes it: what is beyond 16 bits as a pair of surrogates."""
    return json.dumps(char)[1:-1]


def _empty(value: object) -> bool:
    return value is None or value in ("", (), [])


def _time(record: logging.LogRecord) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z"


def _plain(value: object) -> str:
    text = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return json.dumps(text, ensure_ascii=False) if not text or set(text) & set(' "=') else text
