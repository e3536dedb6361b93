"""The dashboard where nothing is wrong, and where nobody is there to say so."""

import pytest

from tests.monitoring.conftest import Run
from tests.monitoring.expressions import expressions
from tests.monitoring.prometheus import Prometheus
from tools.controlplane.waiting import eventually

pytestmark = pytest.mark.cluster

FILLED = [e for e in expressions() if e.bare() != e.whole()]
"""Expressions that something stands in for where there is nothing to count."""


def test_health_is_nought_and_no_operator_is_nothing(prometheus: Prometheus, run: Run) -> None:
    """Where nothing is wrong the dashboard shows noughts; without an operator nothing that could be taken for them."""
    assert len(FILLED) > 5
    run()
    # What a test before this one left to the garbage collector may be there for a moment.
    eventually(lambda: not any(prometheus.query(e.bare()) for e in FILLED), "there is nothing to count")
    for expression in FILLED:
        assert [sample.value for sample in prometheus.query(expression.whole())] == [0], expression
    prometheus.scrape()
    eventually(lambda: not prometheus.query("dnsalias_build_info"), "the operator is gone")
    for expression in FILLED:
        assert prometheus.query(expression.whole()) == [], expression
