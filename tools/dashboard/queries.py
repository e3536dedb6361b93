"""What several panels ask: rates, quantiles, and zero where there is nothing to count."""

ZERO = " or 0 * max(dnsalias_build_info)"
"""Appended to a query: 0 where there is an operator and no series, nothing where there is no operator."""


def rate(metric: str, *labels: str) -> str:
    """A counter's increase a second, by these labels."""
    return f"sum by ({', '.join(labels)}) (rate({metric}[$__rate_interval]))"


def quantile(q: float, metric: str, *labels: str) -> str:
    """A quantile of a histogram, by these labels."""
    return f"histogram_quantile({q}, {rate(f'{metric}_bucket', 'le', *labels)})"


def quantiles(metric: str) -> dict[str, str]:
    """The three quantiles that latency is shown by, with their legends."""
    return {f"p{q * 100:.0f}": quantile(q, metric) for q in (0.5, 0.9, 0.99)}
