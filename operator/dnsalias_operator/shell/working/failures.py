"""Writes that fail without being refused: when it is time to say so, and in which words."""

import re
from dataclasses import replace

from dnsalias_operator.core.reasons import Reason, Why
from dnsalias_operator.model.names import Key
from dnsalias_operator.shell.working.verdicts import Stop


class Failures:
    """Remembers of each key the failure that its last attempt ended in."""

    def __init__(self) -> None:
        self._last: dict[Key, Why] = {}

    def ended(self, key: Key, stop: Stop | None) -> Stop | None:
        """How the work on ``key`` ended, as it is to be reported; ``stop`` is None where nothing is left to write.

        A first failure is not reported. One conflict with another writer, or one moment without an API server, is over
        half a second later, at the next try. A condition that turns False and back for that helps nobody, and costs two
        writes for each alias just when the API server is in trouble. What fails twice in a row is reported.

        It keeps its words as long as only numbers in them differ. The port of a connection, say, would make another
        message of every attempt, and so another status to write.
        """
        if stop is None:
            self._last.pop(key, None)
            return None
        if stop.why is None or stop.why.reason is not Reason.WRITE_FAILED:
            return stop
        last = self._last.get(key)
        why = last if last is not None and _words(last) == _words(stop.why) else stop.why
        self._last[key] = why
        return replace(stop, why=why if last is not None else None)


def _words(why: Why) -> list[str]:
    """Of the message, without ports, versions, times and ids."""
    return [word for word in re.findall(r"\w+", why.message) if not any(map(str.isdigit, word))]
