"""HTTP inside a namespace, without leaving anything to install there: Python's own client, run in it."""

import time
from textwrap import dedent

from tools.controlplane.waiting import WAIT_SECONDS
from tools.dataplane import DataPlaneError
from tools.dataplane.spaces import Space

OK = 200

_GET = dedent("""\
    import sys, time, urllib.error, urllib.request

    def get(url):
        try:
            with opener.open(url, timeout=20) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError as error:
            return 0, str(error).encode()

    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    url, wanted, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    deadline = time.monotonic() + seconds
    code, body = get(url)
    while code != wanted and time.monotonic() < deadline:
        time.sleep(0.05)
        code, body = get(url)
    print(code)
    sys.stdout.write(body.decode("utf-8", "replace"))
    """)
_ROUND_SECONDS = 2.0


def get(space: Space, url: str) -> tuple[int, str]:
    """GET a URL as seen from in there: status and body; 0 and the error where there was no answer."""
    return _get(space, url, seconds=0)


def until_serving(space: Space, url: str) -> None:
    """Wait until the URL answers 200.

    Raises:
        DataPlaneError: it did not within a minute, or a program in there ended instead; with the end of the logs.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    while (answer := _get(space, url, seconds=_ROUND_SECONDS))[0] != OK:
        space.fail_if_dead()
        if time.monotonic() > deadline:
            raise DataPlaneError(f"{space.name}: {url} answers {answer[0]}: {answer[1]}\n{space.tail()}")


def _get(space: Space, url: str, *, seconds: float) -> tuple[int, str]:
    """As ``get``, again and again for that long until it is 200."""
    code, _, body = space.python(_GET, url, str(OK), str(seconds)).partition("\n")
    return int(code), body
