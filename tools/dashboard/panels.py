"""Panels of the Grafana dashboard, in the few forms that it uses; grafana-foundation-sdk knows how they are written."""

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models import prometheus as queries

from tools.dashboard.queries import CLUSTER, by_cluster, selected

SOURCE = models.DataSourceRef(type_val="prometheus", uid="${datasource}")
GREEN, ORANGE, RED = "green", "orange", "red"

Panel = stat.Panel | timeseries.Panel | table.Panel


def number(title: str, description: str, expr: str, *, bad: str) -> stat.Panel:
    """One number: green at 0, the colour ``bad`` from 1 on; no value at all says that the operator is absent."""
    return (
        _stat(title, description, expr)
        .thresholds(_steps((None, GREEN), (1, bad)))
        .color_scheme(dashboard.FieldColor().mode(models.FieldColorModeId.THRESHOLDS))
        .no_value("no operator")
    )


def flag(title: str, description: str, expr: str, words: tuple[str, str]) -> stat.Panel:
    """A word for 0, in red, and one for 1, in green."""
    results = [models.ValueMappingResult(text=text, color=c) for text, c in zip(words, (RED, GREEN), strict=True)]
    mapping = models.ValueMap(options={str(value): result for value, result in enumerate(results)})
    return (
        _stat(title, description, expr)
        .thresholds(_steps((None, RED)))
        .mappings([mapping])
        .color_scheme(dashboard.FieldColor().mode(models.FieldColorModeId.THRESHOLDS))
        .no_value("no operator")
    )


def lines(title: str, description: str, targets: dict[str, str], unit: str = "short") -> timeseries.Panel:
    """Lines over time, for each cluster. ``targets``: expressions by their legend, which may use their labels."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .unit(unit)
        .min(0)
        .fill_opacity(10)
        .show_points(shapes.VisibilityMode.NEVER)
        .color_scheme(dashboard.FieldColor().mode(models.FieldColorModeId.PALETTE_CLASSIC))
        .legend(
            common.VizLegendOptions()
            .show_legend(show_legend=True)
            .display_mode(shapes.LegendDisplayMode.TABLE)
            .placement(shapes.LegendPlacement.BOTTOM)
            .calcs(["lastNotNull", "max"])
        )
        .tooltip(common.VizTooltipOptions().mode(shapes.TooltipDisplayMode.MULTI).sort(shapes.SortOrder.DESCENDING))
        .span(8)
        .height(8)
    )
    for ref, (legend, expr) in zip("ABCDEF", targets.items(), strict=False):
        of = f"{legend} {{{{{CLUSTER}}}}}"
        panel.with_target(prometheus.Dataquery().ref_id(ref).expr(by_cluster(expr)).legend_format(of).range())
    return panel


def rows(title: str, description: str, expr: str, columns: tuple[str, ...]) -> table.Panel:
    """A table with one row a series and these labels as its columns."""
    order: dict[str, object] = {name: place for place, name in enumerate((CLUSTER, *columns))}
    hidden: dict[str, object] = {"Time": True, "Value": True}
    options = {"excludeByName": hidden, "indexByName": order, "renameByName": dict[str, object]()}
    return (
        table.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .with_target(
            prometheus.Dataquery().ref_id("A").expr(selected(expr)).instant().format(queries.PromQueryFormat.TABLE)
        )
        .with_transformation(models.DataTransformerConfig(id_val="organize", options=options))
        .no_value("none")
        .span(8)
        .height(8)
    )


def _stat(title: str, description: str, expr: str) -> stat.Panel:
    return (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .with_target(prometheus.Dataquery().ref_id("A").expr(selected(expr)).instant())
        .color_mode(shapes.BigValueColorMode.BACKGROUND)
        .graph_mode(shapes.BigValueGraphMode.NONE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .span(4)
        .height(4)
    )


def _steps(*steps: tuple[float | None, str]) -> dashboard.ThresholdsConfig:
    listed = [models.Threshold(value=value, color=color) for value, color in steps]
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(listed)
