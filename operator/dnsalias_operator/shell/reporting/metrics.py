"""Every metric of the operator, in a registry of its own.

`python -m dnsalias_operator.shell.reporting.metrics` prints docs/metrics.md.

What stands in the cluster is counted from the decisions that are kept, when somebody scrapes: a series disappears with
its cause, and nothing is labelled by object but the info metrics, which are capped.
"""

import platform
import re
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from dnsalias_operator.core.findings.catalog import CATCH_ALL, REFUSED_BY_ENVOY
from dnsalias_operator.core.outcome import State, Verb
from dnsalias_operator.model.names import KIND, Key
from dnsalias_operator.model.status import GENERATED, PROGRAMMED
from dnsalias_operator.shell.decided import Decisions
from dnsalias_operator.shell.reporting.series import SPECS

NAMED = (CATCH_ALL.code, REFUSED_BY_ENVOY.code)
"""Findings that have an alert, which is to name the entries; the operator may have none of these in its care."""
UNKNOWN, OTHER = "unknown", "other"
"""Values of the label manager that are no names."""
_UNPLAIN = re.compile(r"[^A-Za-z0-9._:/@-]")
_LONGEST_LABEL = 63
_MOST_MANAGERS = 20
_MOST_RIVALS = 3
"""Series of one contested object."""
_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


disable_created_metrics()  # type: ignore[no-untyped-call]
"""A series more for each counter and histogram, which the text format has no use for: Prometheus sees a restart."""


class Metrics:
    """The registry and everything in it. Gauges that others know better are read through `watch`.

    ``decided`` is only read, at each scrape; without it there are no decisions. ``info_cap`` is the most series of each
    metric that names objects.
    """

    def __init__(self, decided: Decisions | None = None, info_cap: int = 100) -> None:
        self.registry = CollectorRegistry()
        self._managers: set[str] = set()
        self.writes = self._counter("dnsalias_writes_total")
        self.outdated = self._counter("dnsalias_outdated_decisions_total")
        for kind in ("Service", "ServiceEntry", "VirtualService", KIND):
            self.outdated.labels(kind)
        self.drift = self._counter("dnsalias_drift_corrections_total")
        self.events = self._counter("dnsalias_events_total")
        # A series that begins at 1 has not increased: the first error would be seen by no alert.
        for kind, operation, result in _writes():
            self.writes.labels(kind, operation, result)
        for result in ("ok", "error", "dropped"):
            self.events.labels(result)
        self.corrections = self._counter("dnsalias_resync_corrections_total")
        self.requests = self._counter("dnsalias_api_requests_total")
        self.event_to_write = self._histogram("dnsalias_event_to_write_seconds")
        self.duration = self._histogram("dnsalias_reconcile_duration_seconds")
        self.depth = self._gauge("dnsalias_queue_depth")
        self.delayed = self._gauge("dnsalias_queue_delayed")
        self.oldest = self._gauge("dnsalias_queue_oldest_age_seconds")
        self.contradicted = self._gauge("dnsalias_mesh_contradicted_settings")
        self.mesh_problems = self._gauge("dnsalias_mesh_problems")
        self.mesh_revisions = self._gauge("dnsalias_mesh_differing_revisions")
        self.mesh_unread = self._gauge("dnsalias_mesh_unread_objects")
        self.missing = self._gauge("dnsalias_missing_kinds")
        self.leader = self._gauge("dnsalias_leader")
        self.synced = self._gauge("dnsalias_synced")
        self.tasks = self._gauge("dnsalias_asyncio_tasks")
        self.watch_restarts = self._counter("dnsalias_watch_restarts_total")
        self.objects = self._gauge("dnsalias_objects")
        self.last_event = self._gauge("dnsalias_last_event_timestamp_seconds")
        self.last_resync = self._gauge("dnsalias_last_resync_timestamp_seconds")
        build = self._gauge("dnsalias_build_info")
        build.labels(version("dnsalias-operator"), platform.python_version(), version("kopf")).set(1)
        self.registry.register(_DecisionCollector(decided or Decisions(), info_cap, self.manager_label))
        self._before_scrape: list[Callable[[], None]] = []

    def request(self, verb: str, code: int) -> None:
        """Count an API request."""
        self.requests.labels(verb, str(code)).inc()

    def watch(self, update: Callable[[], None]) -> None:
        """Call ``update`` before each scrape: it sets the gauges that it knows."""
        self._before_scrape.append(update)

    def exposition(self) -> bytes:
        """The text format of Prometheus."""
        for update in self._before_scrape:
            update()
        return generate_latest(self.registry)

    def manager_label(self, manager: str) -> str:
        """The name of a field manager as a label value: of few characters and, in all, of few values.

        Whoever may write an object names himself as he likes, a new name each time if he wants to.
        """
        plain = _UNPLAIN.sub("_", manager)[:_LONGEST_LABEL] or UNKNOWN
        if len(self._managers) < _MOST_MANAGERS:
            self._managers.add(plain)
        return plain if plain in self._managers or plain == UNKNOWN else OTHER

    def _counter(self, name: str) -> Counter:
        return Counter(name, SPECS[name].help, SPECS[name].labels, registry=self.registry)

    def _gauge(self, name: str) -> Gauge:
        return Gauge(name, SPECS[name].help, SPECS[name].labels, registry=self.registry)

    def _histogram(self, name: str) -> Histogram:
        return Histogram(name, SPECS[name].help, SPECS[name].labels, registry=self.registry, buckets=_BUCKETS)


class _DecisionCollector(Collector):
    def __init__(self, decided: Decisions, info_cap: int, manager_label: Callable[[str], str]) -> None:
        self._decided, self._info_cap, self._manager_label = decided, info_cap, manager_label

    def collect(self) -> Iterator[GaugeMetricFamily]:
        decisions, cap = self._decided, self._info_cap
        unfixed, unready = decisions.unfixed(), decisions.unready()
        yield _family(
            "dnsalias_aliases",
            ((c.type, c.status, c.reason) for d in decisions.aliases.values() for c in d.conditions),
        )
        yield _family("dnsalias_serviceentries", _states(decisions))
        yield _family("dnsalias_unfixed_serviceentries", ((d.reason, d.severity.value) for d in unfixed))
        yield from _capped(
            "dnsalias_unfixed_serviceentry_info",
            [(d.key.namespace, d.key.name, d.reason, d.severity.value) for d in unfixed],
            cap,
        )
        yield from _capped(
            "dnsalias_unready_alias_info", [(key.namespace, key.name, c.reason) for key, c in unready], cap
        )
        fought = sorted(decisions.contested.values())
        yield from _capped("dnsalias_contested", [row for one in fought for row in self._fought(*one)], cap)
        yield _family(
            "dnsalias_findings", ((f.code, f.severity.value) for of_one in decisions.findings.values() for f in of_one)
        )
        # A cap for each code: hundreds of catch-alls must not hide the one entry that keeps sidecars from starting.
        named = {code: decisions.with_finding(code) for code in NAMED}
        yield _family(
            "dnsalias_finding_info",
            ((code, s.value, key.namespace, key.name) for code, of_code in named.items() for s, key in of_code[:cap]),
        )
        yield _hidden("dnsalias_finding_info", {(code,): len(of_code) - cap for code, of_code in named.items()})

    def _fought(self, key: Key, rivals: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for manager in sorted({self._manager_label(rival) for rival in rivals[:_MOST_RIVALS]}) or (UNKNOWN,):
            yield key.kind, key.namespace, key.name, manager


def _named(name: str) -> tuple[str, str]:
    return name, SPECS[name].help


def _family(name: str, labels: Iterable[tuple[str, ...]]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(*_named(name), labels=SPECS[name].labels)
    for values, count in sorted(Tally(labels).items()):
        family.add_metric(values, count)
    return family


def _capped(name: str, labels: list[tuple[str, ...]], cap: int) -> Iterator[GaugeMetricFamily]:
    """One series an object, the first ``cap`` of them, and how many are left out."""
    yield _family(name, labels[:cap])
    yield _hidden(name, {(): len(labels) - cap})


def _hidden(name: str, over: Mapping[tuple[str, ...], int]) -> GaugeMetricFamily:
    """How many series are left out: by label values, how many more than the cap there are, or fewer."""
    family = GaugeMetricFamily(*_named(f"{name}_hidden"), labels=SPECS[f"{name}_hidden"].labels)
    for values, count in over.items():
        family.add_metric(values, max(0, count))
    return family


def _writes() -> Iterator[tuple[str, str, str]]:
    """Every series that writes can have."""
    routes = (("VirtualService", verb.value) for verb in Verb if verb not in (Verb.REPAIR, Verb.RECREATE))
    operations = [*(("ServiceEntry", verb.value) for verb in Verb), *routes, (KIND, "status")]
    yield from ((*operation, result) for operation in operations for result in ("ok", "conflict", "refused", "error"))


def _states(decisions: Decisions) -> Iterator[tuple[str, str]]:
    for alias in decisions.aliases.values():
        if alias.mode == GENERATED:
            programmed = any(c.type == PROGRAMMED and c.status == "True" for c in alias.conditions)
            yield "generated", (State.FIXED if programmed else State.UNFIXED).value
    yield from (("foreign", d.state.value) for d in decisions.entries.values() if d.state)


def document() -> str:
    """docs/metrics.md."""
    lines = [
        "# Metrics",
        "",
        "<!-- Generated: python -m dnsalias_operator.shell.reporting.metrics > docs/metrics.md -->",
        "",
        "Served at `/metrics`, beside `/healthz` and `/readyz`. The state of the cluster is counted at each scrape",
        "from the operator's latest decisions, so a series disappears with its cause.",
        "",
        "| Metric | Type | Labels | Meaning |",
        "|---|---|---|---|",
    ]
    for name, spec in sorted(SPECS.items()):
        labels = ", ".join(f"`{label}`" for label in spec.labels) or "none"
        lines.append(f"| `{name}` | {spec.type} | {labels} | {spec.help} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(document(), end="")  # noqa: T201 (what this command is for)
