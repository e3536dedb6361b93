"""Metrics: the document is the registry's, the gauges are the decisions', the info metric is capped."""

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from dnsalias_operator.core.outcome import AliasDecision, Condition, EntryDecision, Finding, Severity, State, Verb
from dnsalias_operator.core.reasons import Reason, Why
from dnsalias_operator.model.names import KIND, Key
from dnsalias_operator.shell.decided import Decisions
from dnsalias_operator.shell.reporting.metrics import Metrics, document
from dnsalias_operator.shell.reporting.series import SPECS

KEY = Key("ServiceEntry", "data", "mysql")
DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"


def samples(metrics: Metrics) -> dict[str, dict[tuple[str, ...], float]]:
    """What a scrape gives: by name, then by label values in the order of the labels' names."""
    out: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(metrics.exposition().decode()):
        for sample in family.samples:
            out.setdefault(sample.name, {})[tuple(v for _, v in sorted(sample.labels.items()))] = sample.value
    return out


def unfixed(name: str, severity: Severity, reason: Reason = Reason.AMBIGUOUS_SERVICE) -> EntryDecision:
    """An entry that could not be repaired."""
    key = Key("ServiceEntry", "data", name)
    return EntryDecision(key, selected=True, state=State.UNFIXED, why=Why(reason, "…"), severity=severity)


def decided(*entries: EntryDecision, aliases: tuple[AliasDecision, ...] = ()) -> Decisions:
    """Decisions by key."""
    return Decisions({a.key: a for a in aliases}, {e.key: e for e in entries})


def test_the_document_is_what_the_registry_says() -> None:
    """docs/metrics.md is generated; its second line says how."""
    assert DOCUMENT.read_text() == document()


def test_every_documented_metric_is_exposed_and_no_other() -> None:
    """The table of the document and the registry cannot drift apart."""
    exposed = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in text_string_to_metric_families(Metrics().exposition().decode())
    }
    assert exposed == set(SPECS)


def test_two_registries_stand_side_by_side() -> None:
    """Nothing is registered globally."""
    first, second = Metrics(), Metrics()
    first.request("GET", 200)
    assert ("200", "GET") in samples(first)["dnsalias_api_requests_total"]
    assert "dnsalias_api_requests_total" not in samples(second)


def test_aliases_are_counted_by_each_condition() -> None:
    """Two aliases in one state make one series of value 2."""
    conditions = (
        Condition("Ready", "False", Reason.HOST_HELD, "…"),
        Condition("Accepted", "False", Reason.HOST_HELD, "…"),
    )
    aliases = tuple(AliasDecision(Key(KIND, "shop", name), conditions) for name in ("a", "b"))
    found = samples(Metrics(decided(aliases=aliases)))["dnsalias_aliases"]
    assert found == {("Ready", "HostHeld", "False"): 2, ("Accepted", "HostHeld", "False"): 2}


def test_a_series_goes_with_its_cause() -> None:
    """A repaired entry leaves no unfixed series behind."""
    decisions = decided(unfixed("mysql", Severity.CRITICAL))
    metrics = Metrics(decisions)
    assert samples(metrics)["dnsalias_unfixed_serviceentries"] == {("AmbiguousService", "critical"): 1}
    key = Key("ServiceEntry", "data", "mysql")
    decisions.entries[key] = EntryDecision(key, selected=True, state=State.FIXED)
    after = samples(metrics)
    assert "dnsalias_unfixed_serviceentries" not in after
    assert after["dnsalias_serviceentries"] == {("foreign", "fixed"): 1}


def test_the_info_metric_is_capped_worst_first_and_says_what_it_hides() -> None:
    """The cap keeps the critical ones; the gauge beside it counts the rest."""
    entries = [unfixed(f"w{n}", Severity.WARNING) for n in range(5)] + [unfixed("z", Severity.CRITICAL)]
    found = samples(Metrics(decided(*entries), info_cap=2))
    told = {(labels[0], labels[3]) for labels in found["dnsalias_unfixed_serviceentry_info"]}
    assert told == {("z", "critical"), ("w0", "warning")}
    assert found["dnsalias_unfixed_serviceentry_info_hidden"] == {(): 4}


def test_aliases_that_are_not_ready_are_named() -> None:
    """One series each, with the reason of the Ready condition, up to the cap; ready ones have none."""
    ready = Condition("Ready", "True", Reason.READY, "…")
    held, lost = (Condition("Ready", "False", reason, "…") for reason in (Reason.HOST_HELD, Reason.SERVICE_NOT_FOUND))
    told = {"c": lost, "a": held, "b": ready}
    aliases = tuple(AliasDecision(Key(KIND, "shop", name), (condition,)) for name, condition in told.items())
    found = samples(Metrics(decided(aliases=aliases)))
    assert set(found["dnsalias_unready_alias_info"]) == {("a", "shop", "HostHeld"), ("c", "shop", "ServiceNotFound")}
    assert found["dnsalias_unready_alias_info_hidden"] == {(): 0}
    capped = samples(Metrics(decided(aliases=aliases), info_cap=1))
    assert set(capped["dnsalias_unready_alias_info"]) == {("a", "shop", "HostHeld")}
    assert capped["dnsalias_unready_alias_info_hidden"] == {(): 1}


def test_writes_are_counted_from_nought() -> None:
    """The first error of a kind is an increase: every series of writes is there before anything was written."""
    metrics = Metrics()
    before = samples(metrics)["dnsalias_writes_total"]
    assert set(before.values()) == {0}
    for kind, verb in [*(("ServiceEntry", verb.value) for verb in Verb), (KIND, "status")]:
        for result in ("ok", "conflict", "refused", "error"):
            metrics.writes.labels(kind, verb, result).inc()
    assert samples(metrics)["dnsalias_writes_total"].keys() == before.keys()


def test_findings_are_counted_by_code_and_severity() -> None:
    """The metric has what lint prints."""
    key = KEY
    decisions = Decisions()
    metrics = Metrics(decisions)
    decisions.findings[key] = (Finding("DA001", Severity.CRITICAL, key, 3306, "…", "…"),) * 2
    assert samples(metrics)["dnsalias_findings"] == {("DA001", "critical"): 2}


def test_entries_with_a_finding_that_has_an_alert_are_named_once() -> None:
    """Whatever number of ports has the finding, the entry has one series, with the worst severity; others have none."""
    decisions = Decisions()
    metrics = Metrics(decisions)
    found = decisions.findings
    faults = (("DA001", Severity.WARNING, 80), ("DA001", Severity.CRITICAL, 443), ("DA002", Severity.WARNING, None))
    found[KEY] = tuple(Finding(code, severity, KEY, port, "…", "…") for code, severity, port in faults)
    assert samples(metrics)["dnsalias_finding_info"] == {("DA001", "mysql", "data", "critical"): 1}
    assert samples(metrics)["dnsalias_finding_info_hidden"] == {("DA001",): 0, ("DA019",): 0}


def test_entries_with_a_finding_are_capped_for_each_code() -> None:
    """Hundreds of catch-alls do not hide the one entry that keeps sidecars from starting, and the worst are named."""
    decisions = Decisions()
    metrics = Metrics(decisions, info_cap=2)
    for n in range(5):
        key = Key("ServiceEntry", "data", f"e{n}")
        severity = Severity.CRITICAL if n == 4 else Severity.WARNING
        decisions.findings[key] = (Finding("DA001", severity, key, 443, "…", "…"),)
    refused = Key("ServiceEntry", "data", "refused")
    decisions.findings[refused] = (Finding("DA019", Severity.CRITICAL, refused, 443, "…", "…"),)
    found = samples(metrics)
    assert {labels[:2] for labels in found["dnsalias_finding_info"]} == {
        ("DA001", "e4"),
        ("DA001", "e0"),
        ("DA019", "refused"),
    }
    assert found["dnsalias_finding_info_hidden"] == {("DA001",): 3, ("DA019",): 0}


def test_a_contested_object_has_a_series_for_each_rival() -> None:
    """The rival is named, unknown where nothing tells; names are cut to plain characters and to 63 of them."""
    decisions = Decisions()
    metrics = Metrics(decisions)
    fought = decisions.contested
    fought[KEY] = (KEY, ("dns-controller", 'evil\n"} 1', "x" * 128))
    fought[Key(KIND, "data", "b")] = (Key(KIND, "data", "b"), ())
    assert samples(metrics)["dnsalias_contested"] == {
        ("ServiceEntry", "dns-controller", "mysql", "data"): 1,
        ("ServiceEntry", "evil____1", "mysql", "data"): 1,
        ("ServiceEntry", "x" * 63, "mysql", "data"): 1,
        ("DnsAlias", "unknown", "b", "data"): 1,
    }


def test_contested_objects_and_names_of_rivals_are_capped() -> None:
    """A rival with a new name each time makes 20 values of the label and then "other"; the cap hides the rest."""
    decisions = Decisions()
    metrics = Metrics(decisions, info_cap=2)
    for n in range(100):
        key = Key("ServiceEntry", "data", f"e{n:03}")
        decisions.contested = {key: (key, (f"rival-{n}",))}
        samples(metrics)
    assert samples(metrics)["dnsalias_contested"] == {("ServiceEntry", "other", "e099", "data"): 1}
    keys = [Key("ServiceEntry", "data", f"e{n}") for n in range(5)]
    decisions.contested = {key: (key, ("rival-0",)) for key in keys}
    found = samples(metrics)
    assert len(found["dnsalias_contested"]) == 2
    assert found["dnsalias_contested_hidden"] == {(): 3}


def test_label_values_cannot_break_the_format() -> None:
    """Whatever stands in a name, the exposition stays parseable."""
    nasty = 'x"} 1\n# HELP y'
    found = samples(Metrics(decided(unfixed(nasty, Severity.WARNING))))
    assert found["dnsalias_unfixed_serviceentry_info"] == {(nasty, "data", "AmbiguousService", "warning"): 1}
