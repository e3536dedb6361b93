"""What Argo CD and Flux make of a DnsAlias: health by the Lua of examples/argocd, status by the rules of kstatus."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from lupa.lua51 import LuaRuntime

from dnsalias_operator.core.aliases.conditions import desired_status
from dnsalias_operator.core.outcome import AliasDecision
from dnsalias_operator.core.plan import decide_alias, plan
from dnsalias_operator.core.reasons import NOT_PROGRAMMED, Reason
from dnsalias_operator.model.crd import crd
from dnsalias_operator.model.dnsalias import DnsAlias
from dnsalias_operator.model.names import GROUP, KIND, REPAIR_MANAGER, VERSION
from tests.scenarios.scenario import load, names
from tests.scenarios.simulated import Cluster

REPOSITORY = Path(__file__).parents[2]
ARGOCD, FLUX = REPOSITORY / "examples" / "argocd", REPOSITORY / "examples" / "flux"
PASSING = {Reason.PENDING, Reason.TAKEN_BACK, Reason.WAITING_FOR_AGE}
"""Reasons that pass by themselves; docs/gitops.md has them."""
WAITING = crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]["default"]
NOW = "2026-01-01T00:00:00Z"

Raw = Mapping[str, Any]


def health(alias: Raw) -> tuple[str, str]:
    """Status and message by health.lua, in Lua 5.1, the version that Argo CD's interpreter speaks."""
    lua = LuaRuntime(unpack_returned_tuples=True)
    lua.globals().obj = lua.table_from(alias, recursive=True)
    result = lua.execute((ARGOCD / "health.lua").read_text(encoding="utf-8"))
    return str(result["status"]), str(result["message"])


def kstatus(alias: Raw) -> str:
    """The status by the rules of kstatus for kinds that it does not know.

    Source: kubernetes-sigs/cli-utils, pkg/kstatus/status, checkGenericProperties and checkReadyCondition.
    """
    meta, status = alias["metadata"], alias.get("status", {})
    if meta.get("deletionTimestamp"):
        return "Terminating"
    if "observedGeneration" in status and status["observedGeneration"] != meta["generation"]:
        return "InProgress"
    conditions = {c["type"]: c["status"] for c in status.get("conditions", [])}
    if conditions.get("Reconciling") == "True":
        return "InProgress"
    if conditions.get("Stalled") == "True":
        return "Failed"
    return "Current" if conditions.get("Ready", "True") == "True" else "InProgress"


@cache
def decided() -> tuple[tuple[Raw, AliasDecision], ...]:
    """Every alias of every scenario at its beginning and after each step, with what is decided about it."""
    return tuple(_decided())


def _decided() -> Iterator[tuple[Raw, AliasDecision]]:
    for scenario in map(load, names()):
        cluster = Cluster(scenario)
        for step in (None, *scenario.steps):
            for done in step.do if step else ():
                cluster.do(done)
            world = cluster.snapshot()
            for alias in world.aliases():
                if decision := decide_alias(world, alias.key, scenario.rules):
                    yield alias.raw, decision
            for change in plan(world, scenario.rules).changes:
                cluster.write(change)


def reported(raw: Raw, decision: AliasDecision) -> Raw:
    """The alias with the status that the operator writes."""
    return {**raw, "status": desired_status(decision, DnsAlias.parse({**raw, "status": WAITING}), NOW)}


def test_every_set_of_conditions_is_what_both_take_it_for() -> None:
    """Of every alias of the scenarios: served, refused, or waiting; before the operator, with it, and edited since."""
    seen = set()
    for raw, decision in decided():
        ready = decision.conditions[-1]
        seen.add(ready.reason)
        waiting, told = {**raw, "status": WAITING}, reported(raw, decision)
        edited = {**told, "metadata": {**raw["metadata"], "generation": raw["metadata"]["generation"] + 1}}
        for unseen in (raw, waiting, edited):
            assert health(unseen) == ("Progressing", "Waiting for the operator")
        assert kstatus(waiting) == kstatus(edited) == "InProgress"
        good, passing = ready.status == "True", ready.reason in PASSING
        assert kstatus(told) == ("Current" if good else "InProgress")
        message = ready.message if good or passing else f"{ready.reason}: {ready.message}"
        assert health(told) == ("Healthy" if good else "Progressing" if passing else "Degraded", message)
        going = {**told, "metadata": {**raw["metadata"], "deletionTimestamp": NOW}}
        assert health(going) == ("Progressing", "Being deleted")
        assert kstatus(going) == "Terminating"
    assert {Reason.READY, Reason.HOST_HELD, Reason.SERVICE_NOT_FOUND} <= seen
    assert len(seen) >= 20


@pytest.mark.parametrize("broken", [{}, {"conditions": []}, {"conditions": [{"type": "Audited", "status": "True"}]}])
def test_a_status_without_ready_is_waited_for(broken: dict[str, Any]) -> None:
    """One that somebody else began to write."""
    alias = {"metadata": {"name": "a", "generation": 1}, "status": broken}
    assert health(alias) == ("Progressing", "Waiting for the operator")


def test_what_passes_by_itself_is_the_same_everywhere() -> None:
    """The Lua, Flux' expression and the page name the same reasons, which are of conditions that may follow."""
    lua = (ARGOCD / "health.lua").read_text(encoding="utf-8")
    (table,) = re.findall(r"local passing = \{(.*)\}", lua)
    assert set(re.findall(r"(\w+) = true", table)) == PASSING
    expressions = next(o for o in documents(FLUX / "operator.yaml") if o["kind"] == "Kustomization")
    (check,) = expressions["spec"]["healthCheckExprs"]
    assert (check["apiVersion"], check["kind"]) == (f"{GROUP}/{VERSION}", KIND)
    assert set(re.findall(r"'([A-Z]\w+)'", check["failed"].partition(" in ")[2])) == PASSING
    page = (REPOSITORY / "docs" / "gitops.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\[`(\w+)`\]\(conditions\.md", page)) - {"Contested"} == PASSING
    assert all(NOT_PROGRAMMED in reason.parts for reason in PASSING)


def test_argo_cd_leaves_the_fields_of_the_repair_alone() -> None:
    """By the manager under which the operator writes them."""
    *_, entries = documents(ARGOCD / "application.yaml")
    assert entries["spec"]["ignoreDifferences"][0]["managedFieldsManagers"] == [REPAIR_MANAGER]
    assert "RespectIgnoreDifferences=true" in entries["spec"]["syncPolicy"]["syncOptions"]


def test_the_values_that_the_examples_give_are_the_charts() -> None:
    """Each of them is in values.schema.json, which refuses others."""
    values = yaml.safe_load((REPOSITORY / "chart" / "values.yaml").read_text(encoding="utf-8"))
    argocd = documents(ARGOCD / "application.yaml")[0]["spec"]["source"]["helm"]["valuesObject"]
    flux = next(o for o in documents(FLUX / "operator.yaml") if o["kind"] == "HelmRelease")["spec"]["values"]
    for given in (argocd, flux):
        for part, inner in given.items():
            assert inner.keys() <= values[part].keys()


def documents(path: Path) -> list[dict[str, Any]]:
    """The objects of a file."""
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
