"""What several panels ask: of which clusters, rates, quantiles, and zero where there is nothing to count."""

import re

ZERO = " or 0 * max(dnsalias_build_info)"
"""Appended to a query: 0 where there is an operator and no series, nothing where there is no operator."""


CLUSTER = "cluster"
"""A label that a fleet's Prometheus gives its series, and the dashboard's variable of that name; the operator has no
such label, and `.*`, all clusters, finds series without it.
"""
_SERIES = re.compile(r"\b(dnsalias_\w+|ALERTS)\b(?:\{([^}]*)\})?")


def selected(expr: str) -> str:
    """The query for the chosen clusters, none of which hides another: what it groups, it groups by cluster too."""

    def of_clusters(series: re.Match[str]) -> str:
        name, others = series.groups()
        matchers = f'{CLUSTER}=~"${CLUSTER}"' + (f",{others}" if others else "")
        return f"{name}{{{matchers}}}"

    return _SERIES.sub(of_clusters, expr).replace("by (", f"by ({CLUSTER}, ")


def by_cluster(expr: str) -> str:
    """The same, with a series for each cluster also of what is grouped by nothing."""
    return re.sub(r"\b(max|sum|count)\(", rf"\1 by ({CLUSTER}) (", selected(expr))


def rate(metric: str, *labels: str) -> str:
    """A counter's increase a second, by these labels."""
    return f"sum by ({', '.join(labels)}) (rate({metric}[$__rate_interval]))"


def quantile(q: float, metric: str, *labels: str) -> str:
    """A quantile of a histogram, by these labels."""
    return f"histogram_quantile({q}, {rate(f'{metric}_bucket', 'le', *labels)})"


def quantiles(metric: str) -> dict[str, str]:
    """The three quantiles that latency is shown by, with their legends."""
    return {f"p{q * 100:.0f}": quantile(q, metric) for q in (0.5, 0.9, 0.99)}
