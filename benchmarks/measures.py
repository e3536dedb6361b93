"""What is measured, against which reference, and which result is the aim; docs/performance.md follows this table."""

from collections.abc import Mapping
from typing import Literal, NamedTuple


class Measure(NamedTuple):
    """One figure.

    ``row`` groups what belongs together. ``of`` says what ``at_most`` limits: the ratio to the reference, or the value
    itself; ``at_most`` is None if the figure is only reported.
    """

    row: int
    what: str
    unit: str
    of: Literal["ratio", "value"] = "ratio"
    at_most: float | None = None


ROWS: Mapping[int, tuple[str, str]] = {
    1: (
        "A burst of DnsAliases",
        "a bare asynchronous client that watches the same aliases and makes the same writes, 8 in flight",
    ),
    2: ("Cold start with everything to do", "the same bare client, which lists and then writes"),
    3: ("Restart on a converged cluster", "none"),
    4: ("A Service changes, 20 times a second", "a bare client that watches Services and makes the same write"),
    5: ("Memory", "Kopf alone, with empty handlers for the same kinds"),
    6: ("Cold start with nothing to do", "Kopf alone, until it has reported every object"),
    7: ("Processor at rest and at work, with 20,000 objects", "none: percent of one core"),
    8: ("The command on files", "`istioctl analyze --use-kube=false` on the same file"),
    9: ("What our writes cost istiod", "the same ServiceEntries, applied by kubectl in one go"),
}
"""Title and reference of each row."""

SIZES = (5_000, 10_000, 20_000)
FILES = (10_000, 100_000)

MEASURES: Mapping[str, Measure] = {
    "burst-1000": Measure(1, "1,000 aliases, until the last status is written", "s", at_most=1.25),
    "burst-5000": Measure(1, "5,000 aliases, until the last status is written", "s", at_most=1.25),
    "burst-memory": Measure(1, "resident memory after 5,000 aliases", "MiB"),
    "burst-limited": Measure(1, "1,000 aliases with the default limit of writes", "s"),
    "start": Measure(2, "5,000 aliases and 1,000 broken entries of others", "s", at_most=1.35),
    "restart-writes": Measure(3, "writes after a restart on 5,000 aliases", "writes", of="value", at_most=0),
    "restart-synced": Measure(3, "until it is ready", "s"),
    "restart-settled": Measure(3, "until everything was decided again", "s"),
    "latency-p50": Measure(4, "Service change to entry written, seen from outside, p50", "ms", at_most=2),
    "latency-p99": Measure(4, "Service change to entry written, seen from outside, p99", "ms", at_most=2),
    "latency-p50-value": Measure(4, "the same p50 as a value", "ms", of="value", at_most=50),
    "latency-p99-value": Measure(4, "the same p99 as a value", "ms", of="value", at_most=300),
    "latency-own-p50": Measure(4, "the operator's own histogram, p50 (upper bound of the bucket)", "ms"),
    "latency-own-p99": Measure(4, "the operator's own histogram, p99 (upper bound of the bucket)", "ms"),
    **{f"memory-{n}": Measure(5, f"resident memory with {n:,} objects", "MiB", at_most=1.2) for n in SIZES},
    **{f"synced-{n}": Measure(6, f"until ready, with {n:,} objects", "s", at_most=1.3) for n in SIZES},
    **{f"settled-{n}": Measure(6, f"until everything is decided, with {n:,} objects", "s") for n in SIZES},
    "synced-doubling": Measure(6, "until ready: 20,000 objects against 10,000", "ratio", of="value", at_most=2.2),
    "cpu-rest": Measure(7, "at rest, the share of the resync at its default interval included", "%", "value", 1),
    "cpu-changes": Measure(7, "at 20 Service changes a second", "%", "value", 15),
    "cpu-resync": Measure(7, "one resync: processor time", "s"),
    **{
        f"{command}-{n}": Measure(
            8, f"`dnsalias {command}`, {n:,} objects", "s", at_most=1.0 if command == "lint" else None
        )
        for n in FILES
        for command in ("lint", "plan", "listeners")
    },
    **{
        f"{command}-memory-{n}": Measure(8, f"`dnsalias {command}`, {n:,} objects: most memory", "MiB")
        for n in FILES
        for command in ("lint", "plan", "listeners")
    },
    **{
        f"{command}-growth": Measure(8, f"`dnsalias {command}`: ten times the objects cost", "ratio", "value", 11)
        for command in ("lint", "plan", "listeners")
    },
    "change-plan": Measure(8, "one Service changed in 20,000 objects: all that it touches is decided again", "ms"),
    "change-plan-growth": Measure(8, "the same in 40,000 objects against 2,500", "ratio", "value", 1.5),
    "change-listeners": Measure(8, "who answers at the address of a TCP Service after that, in 20,000 objects", "ms"),
    "change-listeners-growth": Measure(8, "the same question in 40,000 objects against 2,500", "ratio", "value", 1.5),
    "pushes": Measure(9, "pilot_xds_pushes, 1,000 aliases", "pushes", at_most=1.1),
    "events": Measure(9, "pilot_k8s_cfg_events of ServiceEntries, 1,000 aliases", "events", at_most=1.1),
}
