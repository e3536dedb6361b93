"""Every alert by promtool: it fires, it does not fire, its labels and its text; the cases stand in alerts/*.yaml."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.monitoring import rules
from tests.monitoring.expressions import expressions
from tests.monitoring.rules import Rule
from tests.monitoring.tools import tool

CASES = sorted((Path(__file__).parent / "alerts").glob("*.yaml"))
RULES = rules.rules()


def promtool(every: list[Rule], cases: list[Path], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the cases against rules; promtool looks for the rule file beside the cases."""
    rules.write(every, folder)
    files = [shutil.copy(path, folder) for path in cases]
    command = [str(tool("promtool")), "test", "rules", *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def alerts_of(path: Path) -> set[str]:
    """The alerts that a file has cases of."""
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {case["alertname"] for test in loaded["tests"] for case in test["alert_rule_test"]}


def without(rule: Rule) -> list[Rule]:
    """The rules without this one: a case must miss it."""
    return [r for r in RULES if r != rule]


def at_once(rule: Rule) -> list[Rule]:
    """The rule without its delay: a case must find that it fires too early."""
    return [{**r, "for": "0s"} if r == rule else r for r in RULES]


def whatever_the_value(rule: Rule) -> list[Rule]:
    """The rule without its comparison: a case must find that it fires where all is well."""
    # absent() compares with nothing: there, always is what vector(1) is.
    expr = "vector(1)" if rule["expr"].startswith("absent(") else re.sub(r" (>|<|==) \d+$", "", rule["expr"])
    assert expr != rule["expr"]
    return [{**r, "expr": expr} if r == rule else r for r in RULES]


def test_the_rules_are_a_rule_file(tmp_path: Path) -> None:
    """What users without the Prometheus operator copy out of the manifest is what Prometheus reads."""
    command = [str(tool("promtool")), "check", "rules", str(rules.write(RULES, tmp_path))]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"{len(RULES)} rules found" in result.stdout


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_an_alert_fires_when_it_should_and_says_what_it_should(path: Path, tmp_path: Path) -> None:
    """Each case gives series and times, and the alerts of that time with all of their labels and text."""
    result = promtool(RULES, [path], tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("broken", [without, at_once, whatever_the_value], ids=lambda broken: broken.__name__)
@pytest.mark.parametrize("rule", RULES, ids=rules.name)
def test_the_cases_tell_a_broken_rule(rule: Rule, broken: Any, tmp_path: Path) -> None:  # noqa: ANN401
    """Of each rule there is a case in which it fires, one in which it waits, and one in which it does not fire."""
    cases = [path for path in CASES if rule["alert"] in alerts_of(path)]
    result = promtool(broken(rule), cases, tmp_path)
    assert result.returncode == 1
    assert f"alertname: {rule['alert']}, time:" in result.stdout + result.stderr


def test_the_dashboard_hides_no_cluster_behind_another(tmp_path: Path) -> None:
    """Its queries are PromQL; of two clusters, one of which has listed nothing, the word is that of the worse."""
    asked = {e.panel: e.whole() for e in expressions()}
    every = [{"record": f"panel:{n}", "expr": e.whole()} for n, e in enumerate(expressions())]
    rules.write(every, tmp_path)
    series = [
        {"series": f'{metric}{{cluster="{cluster}",namespace="d",job="d"{more}}}', "values": f"{value}x5"}
        for cluster, value in (("east", 1), ("west", 0))
        for metric, more in (
            ("dnsalias_leader", ""),
            ("dnsalias_synced", ""),
            ("dnsalias_build_info", ""),
            ("dnsalias_findings", ',code="DA001",severity="critical"'),
        )
    ]
    leaders = [{"labels": f'{{cluster="{c}"}}', "value": v} for c, v in (("east", 1), ("west", 0))]
    (leading,) = (e.whole() for e in expressions() if e.legend.startswith("leaders"))
    cases = [
        {"expr": asked["Operator"], "eval_time": "3m", "exp_samples": [{"labels": "{}", "value": 0}]},
        {"expr": asked["Catch-all ports"], "eval_time": "3m", "exp_samples": [{"labels": "{}", "value": 1}]},
        {"expr": leading, "eval_time": "3m", "exp_samples": leaders},
    ]
    test = {"rule_files": ["rules.yaml"], "tests": [{"input_series": series, "promql_expr_test": cases}]}
    (tmp_path / "fleet.yaml").write_text(yaml.safe_dump(test), encoding="utf-8")
    for command in (("check", "rules", "rules.yaml"), ("test", "rules", "fleet.yaml")):
        whole = [str(tool("promtool")), *command]
        done = subprocess.run(whole, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
