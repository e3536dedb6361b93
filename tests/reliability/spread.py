"""How the long forms are spread over two processes."""

from xdist.scheduler import LoadScopeScheduling


class SoakBeside(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """Of two processes, one has the soak, which waits most of its hour, and the other everything else, one by one.

    Two tests that measure at once would measure each other.
    """

    def _split_scope(self, nodeid: str) -> str:
        return "soak" if nodeid.startswith("tests/soak/") else "the rest"
