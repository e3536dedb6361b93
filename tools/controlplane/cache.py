"""Where built binaries, the Go toolchain and the control plane started by hand live: outside the repository."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def root() -> Path:
    """The cache folder: ``DNSALIAS_CACHE``, else ``dnsalias-operator`` in the user's XDG cache folder.

    It need not exist. Everything in it can be deleted at any time and is made again on the next use.
    """
    if chosen := os.environ.get("DNSALIAS_CACHE"):
        return Path(chosen).absolute()
    xdg = os.environ.get("XDG_CACHE_HOME")
    base = Path(xdg) if xdg else Path.home() / ".cache"
    return base.absolute() / "dnsalias-operator"


@contextmanager
def locked(name: str, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the cache's lock ``name``, across processes; ``on_wait`` is called once if somebody else holds it.

    The kernel frees the lock when its holder dies, however it dies.
    """
    folder = root()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
