"""HTTP inside a namespace, without leaving anything to install there: Python's own client, run in it."""

from textwrap import dedent

from tests.controlplane.waiting import eventually
from tests.dataplane.spaces import Space

OK = 200

_GET = dedent("""\
    import sys, urllib.error, urllib.request
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(sys.argv[1], timeout=20) as answer:
            sys.stdout.write(f"{answer.status} {answer.read().decode('utf-8', 'replace')}")
    except urllib.error.HTTPError as error:
        sys.stdout.write(f"{error.code} {error.read().decode('utf-8', 'replace')}")
    except OSError as error:
        sys.stdout.write(f"0 {error}")
    """)


def get(space: Space, url: str) -> tuple[int, str]:
    """GET a URL as seen from in there: status and body; 0 and the error where there was no answer."""
    code, _, body = space.python(_GET, url).partition(" ")
    return int(code), body


def until_serving(space: Space, url: str) -> None:
    """Wait until the URL answers 200.

    Raises:
        DataPlaneError: a program in there ended instead.
        TimeoutError: it did not within a minute.
    """

    def serving() -> bool:
        space.fail_if_dead()
        return get(space, url)[0] == OK

    eventually(serving, f"{url} in {space.name}")
