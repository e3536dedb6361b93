"""The line in the log that sums up what was found at start."""

import logging
from typing import Any

import pytest
import yaml

from dnsalias_operator.core import plan
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.snapshot import Snapshot
from dnsalias_operator.shell.reporting import summary
from tools import make
from tools.controlplane.waiting import eventually
from tools.demo import incident


def world(*more: str) -> Snapshot:
    """The incident, and other objects beside it."""
    raws = [*incident.objects(), *(yaml.safe_load(text) for text in more)]
    return Snapshot(KINDS[raw["kind"]].parse(raw) for raw in raws)


def test_figures_are_those_of_the_plan() -> None:
    """Objects by kind, the writes that are due, and what stays wrong once they are made."""
    assert summary.figures(world(), make.rules()) == {
        "services": 4,
        "serviceentries": 5,
        "dnsaliases": 1,
        "planned_writes": 5,
        "withheld_writes": 0,
        "unfixed": 1,
        "critical": 0,
        "refused": 0,
    }


def test_figures_of_an_observer() -> None:
    """What it would not write is withheld, and its entries stay unfixed; an alias of nothing is refused."""
    lost = "{apiVersion: dnsalias.io/v1alpha1, kind: DnsAlias, metadata: {name: x, namespace: y}, "
    lost += "spec: {host: lost.hello, serviceRef: {name: gone}}}"
    found = summary.figures(world(lost), Rules(foreign_entries="observe"))
    told = {name: found[name] for name in ("planned_writes", "withheld_writes", "unfixed", "critical", "refused")}
    assert told == {"planned_writes": 1, "withheld_writes": 4, "unfixed": 4, "critical": 3, "refused": 1}


def test_it_is_told_once_and_aside(caplog: pytest.LogCaptureFixture) -> None:
    """The caller goes on at once; a world that changes meanwhile does not disturb what is told."""
    caplog.set_level(logging.INFO)
    summary.report(world(), make.rules(), 1.26)
    eventually(lambda: caplog.records, "the line is there")
    (record,) = caplog.records
    fields: dict[str, Any] = vars(record)["fields"]
    assert record.getMessage() == "synced: everything has been listed"
    assert (fields["planned_writes"], fields["seconds"]) == (5, 1.3)


def test_a_bug_in_it_is_told_and_stops_nothing(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As any other bug is, in one line of the log."""
    monkeypatch.setattr(plan, "decide_entry", None)
    summary.report(world(), make.rules(), 0)
    eventually(lambda: caplog.records, "the line is there")
    assert caplog.records[0].getMessage() == "a bug"
