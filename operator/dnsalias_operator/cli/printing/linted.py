"""What one run of `dnsalias lint` found: the input of every output form."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dnsalias_operator.cli.printing.baseline import Row
from dnsalias_operator.cli.reading.inputs import Inputs
from dnsalias_operator.cli.reading.problems import Place
from dnsalias_operator.core.outcome import Finding, Severity
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.rules import Rules


@dataclass(frozen=True, slots=True)
class Linted:
    """Findings of ``inputs`` under ``rules``, worst first.

    ``accepted`` are the findings that have a row in the baseline (``baseline``: its path, "" for none). They are not in
    ``findings`` and do not affect the exit code. ``fail_on`` is a severity or ``never``.
    """

    inputs: Inputs
    rules: Rules
    places: Mapping[Key, Place]
    findings: tuple[Finding, ...]
    accepted: tuple[tuple[Finding, Row], ...]
    baseline: str
    fail_on: str

    def fails(self, findings: Iterable[Finding]) -> bool:
        """Whether any of these findings is at least as bad as ``fail_on``."""
        if self.fail_on == "never":
            return False
        return any(finding.severity.rank <= Severity(self.fail_on).rank for finding in findings)
