"""Log lines: one line each, JSON or plain, with the fields of a decision beside the message.

log.info("repaired", extra={"fields": {"object": "ServiceEntry a/b", "reason": "LacksAddresses"}})
"""

import json
import logging
import sys
import time
from collections.abc import Mapping
from typing import Any, Literal, TextIO

FIELDS = "fields"
_QUIET = ("kopf", "aiohttp", "asyncio", "kubernetes", "client")
"""Libraries that tell of their own steps at info level; ours tell what came of them."""


def configure(form: Literal["json", "console"], level: str, stream: TextIO | None = None) -> None:
    """Send every log line of this process to ``stream`` (default: standard error) in that form."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else ConsoleFormatter())
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.DEBUG if level == "debug" else logging.WARNING)
    logging.captureWarnings(capture=True)


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
            "message": record.getMessage(),
        }
        line.update({k: v for k, v in fields_of(record).items() if k not in line and not _empty(v)})
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


class ConsoleFormatter(logging.Formatter):
    """Plain text for a terminal: time, level, message, fields as key=value; line breaks are escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        fields = " ".join(f"{k}={_plain(v)}" for k, v in fields_of(record).items() if not _empty(v))
        text = f"{_time(record)} {record.levelname:<7} {record.getMessage()}" + (f"  {fields}" if fields else "")
        if record.exc_info:
            text += f"  error={self.formatException(record.exc_info)!r}"
        return text.replace("\r", "\\r").replace("\n", "\\n")


def _empty(value: object) -> bool:
    return value is None or value in ("", (), [])


def _time(record: logging.LogRecord) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z"


def _plain(value: object) -> str:
    text = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return json.dumps(text, ensure_ascii=False) if not text or set(text) & set(' "=') else text
