"""A kind of finding (`catalog`)."""

from dataclasses import dataclass

from dnsalias_operator.core.outcome import Finding, Hazard, Severity
from dnsalias_operator.model.names import Key


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of finding. ``severity`` is the usual one; a finding may carry a milder or a graver one."""

    code: str
    title: str
    severity: Severity
    remedy: str

    def at(
        self,
        key: Key,
        message: str,
        *,
        port: int | None = None,
        severity: Severity | None = None,
        remedy: str | None = None,
        hazard: Hazard | None = None,
        about: Key | None = None,
    ) -> Finding:
        """A finding of this kind in one object, with the usual severity and remedy unless others are given."""
        return Finding(self.code, severity or self.severity, key, port, message, remedy or self.remedy, hazard, about)
