"""The rule file within manifests/monitoring/prometheusrule.yaml, and copies of it."""

import copy
from pathlib import Path
from typing import Any

import yaml

MANIFEST = Path(__file__).parents[2] / "manifests" / "monitoring" / "prometheusrule.yaml"

Rule = dict[str, Any]


def rules() -> list[Rule]:
    """Every alerting rule, in order; a copy that may be changed."""
    loaded = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
    return [rule for group in loaded["spec"]["groups"] for rule in group["rules"]]


def name(rule: Rule) -> str:
    """What tells a rule from the others of its alert: the alert, and the labels that it sets."""
    return "-".join([rule["alert"], *rule["labels"].values()])


def write(every: list[Rule], folder: Path) -> Path:
    """Write a rule file of Prometheus, ``rules.yaml`` in ``folder``."""
    path = folder / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dnsalias", "rules": every}]}), encoding="utf-8")
    return path


def hastened(every: list[Rule], delay: str) -> list[Rule]:
    """The same rules with every ``for`` made ``delay``, so that a test need not wait for a quarter of an hour.

    Without the rule that counts over half an hour: the first half hour of a Prometheus can tell it nothing.
    """
    return [{**copy.deepcopy(rule), "for": delay} for rule in every if "[30m:" not in rule["expr"]]
