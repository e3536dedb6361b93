"""The list of reasons is closed, and stands once."""

import ast
import json
from pathlib import Path

import pytest

from dnsalias_operator.cli.printing.yamlwrite import dump
from dnsalias_operator.core.reasons import Reason

PACKAGE = Path(__file__).parents[2] / "operator" / "dnsalias_operator"
WORDS = frozenset(reason.value for reason in Reason)
SAME_WORD = {
    # The types of conditions and the modes of an entry, as the CRD has them.
    ("model/status.py", "Accepted"),
    ("model/status.py", "ResolvedRefs"),
    ("model/status.py", "Programmed"),
    ("model/status.py", "Ready"),
    ("model/status.py", "PoliciesFollowed"),
    ("model/status.py", "Generated"),
    # The default of the CRD: the model is below the core, which has the list.
    ("model/status.py", "Pending"),
    # Status reasons of Kubernetes (metav1.StatusReason).
    ("core/hosts/admission.py", "Invalid"),
    ("core/hosts/admission.py", "Forbidden"),
    # The type of a pod's condition.
    ("core/istio/ambient/workloads.py", "Ready"),
}
"""Words that mean something else where they stand."""


def literals(module: Path) -> set[tuple[str, str]]:
    """The reasons that stand in a module as text, with its path."""
    tree = ast.walk(ast.parse(module.read_text(encoding="utf-8")))
    found = {node.value for node in tree if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {(module.relative_to(PACKAGE).as_posix(), word) for word in found & WORDS}


def test_a_reason_is_a_member_everywhere_else() -> None:
    """No module but core/reasons.py writes a reason as text: a new word cannot pass by the list."""
    modules = [path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "core" / "reasons.py"]
    assert len(modules) > len(SAME_WORD)
    assert {found for module in modules for found in literals(module)} == SAME_WORD


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_says_what_it_means(reason: Reason) -> None:
    """One plain sentence, and the parts of docs/ that have more."""
    assert reason.means[0].isupper()
    assert reason.means.endswith(".")
    assert "\n" not in reason.means
    assert reason.parts


def test_a_reason_is_its_word_wherever_it_is_written() -> None:
    """JSON, YAML and text of a reason are those of the plain word."""
    reason = Reason.HOST_HELD
    assert json.dumps({"reason": reason}) == '{"reason": "HostHeld"}'
    assert dump({"reason": reason}) == "reason: HostHeld\n"
    assert f"{reason}: {reason:>10}" == "HostHeld:   HostHeld"
