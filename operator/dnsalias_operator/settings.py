"""Settings: flags, then `DNSALIAS_*` environment, then the file given by `--config`, into one frozen object.

Names are flat and in snake_case everywhere: flag `--resync-seconds`, `DNSALIAS_RESYNC_SECONDS`, `resync_seconds: 600`.
Lists are comma-separated on a command line and in the environment. What the core decides by (`Rules`, `Mesh`) keeps
its names, defaults and descriptions; this module only adds what the running operator needs.
"""

from collections.abc import Mapping
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from dnsalias_operator.core.hosts.names import reserved
from dnsalias_operator.model.hostrules import HostRule, split
from dnsalias_operator.model.mesh import Mesh, Topology
from dnsalias_operator.model.names import DOMAIN_PATTERN
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.settings_faults import explain, misspelt, unknown
from dnsalias_operator.strictyaml import strict

ENV_PREFIX = "DNSALIAS_"


class SettingsError(Exception):
    """A setting that cannot be used; the message has one line a setting: its name, its value and what is legal."""


def _yaml_text(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return strict(value) or ()
    except yaml.YAMLError as error:
        raise ValueError(f"expected YAML: {' '.join(str(error).split())}") from None


def _is(model: type[BaseModel], name: str) -> Any:  # noqa: ANN401 (a field, typed as its value, like pydantic's Field)
    """The field as ``model`` has it: default, description and pattern stand in one place only."""
    return copy(model.model_fields[name])


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split)]
HostRules = Annotated[tuple[HostRule, ...], NoDecode, BeforeValidator(_yaml_text)]
"""A list in a file; in the environment YAML as well, in one text."""


class Settings(BaseSettings):
    """All settings of the operator. Frozen; made by `load_settings`."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix=ENV_PREFIX)

    # Inputs of the core (model/rules.py).
    foreign_entries: Literal["patch", "observe"] = _is(Rules, "foreign_entries")
    repair_selector: str = _is(Rules, "repair_selector")
    repair_skip_namespaces: Names = _is(Rules, "repair_skip_namespaces")
    infer_service: bool = _is(Rules, "infer_service")
    containment: bool = _is(Rules, "containment")
    containment_range: str = _is(Rules, "containment_range")
    default_export_to: Names = _is(Rules, "default_export_to")
    default_routing: Literal["Auto", "Service", "Own"] = _is(Rules, "default_routing")
    forbid_public_suffixes: bool = _is(Rules, "forbid_public_suffixes")
    internationalized_hosts: bool = _is(Rules, "internationalized_hosts")
    host_rules: HostRules = _is(Rules, "host_rules")
    host_default: Literal["allow", "deny"] = _is(Rules, "host_default")
    namespace: str = _is(Rules, "namespace")
    # Facts about the mesh (model/mesh.py).
    istio_version: str = _is(Mesh, "istio_version")
    root_namespace: str = _is(Mesh, "root_namespace")
    cluster_domain: str = _is(Mesh, "cluster_domain")
    outbound_traffic_policy: Literal["ALLOW_ANY", "REGISTRY_ONLY"] = _is(Mesh, "outbound_traffic_policy")
    default_service_export_to: Names = _is(Mesh, "default_service_export_to")
    dns_capture: bool = _is(Mesh, "dns_capture")
    dual_stack: bool = _is(Mesh, "dual_stack")
    istio_dual_stack: bool = _is(Mesh, "istio_dual_stack")
    ambient: Literal["auto", "yes", "no"] = _is(Mesh, "ambient")
    topology: Topology = _is(Mesh, "topology")
    multi_cluster: bool = Field(
        False, description="The older form of `topology`: true stands for primary, false for single."
    )
    enable_auto_mtls: bool = _is(Mesh, "enable_auto_mtls")
    istio_revision: str = _is(Mesh, "istio_revision")
    # The API server.
    kubeconfig: str = Field("", description="Path of a kubeconfig; empty: in-cluster, else KUBECONFIG or the default.")
    context: str = Field("", description="Context of the kubeconfig; empty: its current one.")
    page_size: int = Field(500, ge=10, le=10_000, description="Objects per page of a LIST.")
    request_timeout_seconds: float = Field(30, gt=0, le=300, description="Limit of one API request.")
    watch_seconds: int = Field(300, ge=10, le=3600, description="How long one watch request lasts.")
    watch_connect_seconds: float = Field(10, gt=0, le=300, description="Limit of connecting for a watch.")
    watch_inactivity_seconds: float = Field(
        90, ge=5, le=3600, description="A watch without events or bookmarks for this long is started again."
    )
    resync_seconds: float = Field(600, ge=1, le=86_400, description="Interval of the full lists of every kind.")
    read_mesh: Literal["auto", "yes", "no"] = Field(
        "auto",
        description="Whether the operator reads which mesh it is (docs/mesh.md); auto: unless `namespace` is set.",
    )
    mesh_read_seconds: float = Field(15, ge=1, le=3600, description="Interval at which it reads that.")
    missing_kind_poll_seconds: float = Field(
        15, gt=0, le=600, description="Longest pause between checks for CRDs that are missing."
    )
    # Which of several operators writes (shell/leader.py).
    leader_election: bool = Field(
        True, description="Whether only the holder of a Lease writes; if not, never run two at the same time."
    )
    lease_name: str = Field(
        "dnsalias-operator",
        pattern=DOMAIN_PATTERN,
        description="Name of the Lease; operators for different namespaces need different ones.",
    )
    lease_namespace: str = Field(
        "", description="Namespace of the Lease; empty: the pod's own, outside of a cluster dnsalias-system."
    )
    lease_seconds: int = Field(15, ge=2, le=3600, description="How long others wait after the holder's last renewal.")
    lease_deadline_seconds: float = Field(
        10, gt=0, le=3600, description="How long the holder writes after its last renewal; less than lease_seconds."
    )
    lease_retry_seconds: float = Field(
        2, gt=0, le=600, description="Pause between renewals, and between a standby's reads of the Lease."
    )
    # Work.
    workers: int = Field(4, ge=1, le=64, description="Aliases and entries that are worked on at the same time.")
    max_in_flight: int = Field(8, ge=1, le=256, description="API requests in flight; more than 8 bring nothing.")
    write_rate: float = Field(100, gt=0, le=10_000, description="Writes a second, sustained.")
    write_burst: int = Field(100, ge=1, le=10_000, description="Writes that may be made at once.")
    backoff_min_seconds: float = Field(0.5, gt=0, le=60, description="First pause after a failure.")
    backoff_max_seconds: float = Field(300, gt=0, le=86_400, description="Longest pause after repeated failures.")
    fight_limit: int = Field(3, ge=1, le=100, description="How often a repair is reverted before it is contested.")
    fight_min_seconds: float = Field(5, gt=0, le=3600, description="First pause after a repair was reverted.")
    fight_max_seconds: float = Field(3600, gt=0, le=86_400, description="Longest pause of a contested repair.")
    shutdown_grace_seconds: float = Field(20, gt=0, le=600, description="Time for writes in flight at SIGTERM.")
    # What people see.
    http_host: str = Field(
        "0.0.0.0",  # noqa: S104 (kubelet and Prometheus reach a pod by its address)
        description="Address of /metrics, /healthz and /readyz.",
    )
    http_port: int = Field(8080, ge=0, le=65_535, description="Port of /metrics, /healthz and /readyz; 0: any free.")
    unfixed_info_cap: int = Field(
        100,
        ge=0,
        le=100_000,
        description="Most series of each metric that names objects (dnsalias_finding_info: for each code); a gauge "
        "beside each counts the others.",
    )
    stuck_seconds: float = Field(
        600, gt=0, le=86_400, description="How long there may be no progress before /healthz fails."
    )
    events: bool = Field(True, description="Whether Kubernetes Events are written.")
    log_format: Literal["json", "console"] = Field("json", description="One JSON object per line, or plain text.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Lowest severity to log.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 (the signature is pydantic-settings')
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is passed in: `load_settings` merges the sources itself, so that errors can name them."""
        return (init_settings,)

    @field_validator("repair_selector", "containment_range")
    @classmethod
    def _core_reads(cls, value: str, info: ValidationInfo) -> str:
        try:
            Rules.model_validate({info.field_name: value})
        except ValidationError as error:
            raise ValueError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None
        return value

    @model_validator(mode="after")
    def _bounds_are_ordered(self) -> Self:
        if self.backoff_max_seconds < self.backoff_min_seconds:
            raise ValueError("backoff_max_seconds is less than backoff_min_seconds")
        if self.fight_max_seconds < self.fight_min_seconds:
            raise ValueError("fight_max_seconds is less than fight_min_seconds")
        # Two renewals must fit in before the deadline, or one lost request costs the Lease.
        if not 2 * self.lease_retry_seconds < self.lease_deadline_seconds < self.lease_seconds:
            raise ValueError(
                "lease_deadline_seconds is not between twice lease_retry_seconds and lease_seconds "
                f"({2 * self.lease_retry_seconds:g} < {self.lease_deadline_seconds:g} < {self.lease_seconds})"
            )
        return self

    @model_validator(mode="after")
    def _no_rule_gives_what_is_reserved(self) -> Self:
        mesh = Mesh(cluster_domain=self.cluster_domain)
        for number, rule in enumerate(self.host_rules):
            for why in filter(None, (reserved(suffix, mesh) for suffix in rule.suffixes)):
                raise ValueError(f"host_rules[{number}].suffixes: {why}, and no rule can allow it; remove it")
        return self

    @model_validator(mode="after")
    def _one_topology(self) -> Self:
        given = {"topology", "multi_cluster"} <= self.model_fields_set
        if given and self.multi_cluster == (self.topology == "single"):
            told = str(self.multi_cluster).lower()
            raise ValueError(f"topology is {self.topology}, and multi_cluster {told}; take multi_cluster out")
        return self

    @property
    def reads_mesh(self) -> bool:
        """Whether the operator reads which mesh it is; one that is confined to a namespace reads nothing outside."""
        return self.read_mesh == "yes" or (self.read_mesh == "auto" and not self.namespace)

    @cached_property
    def rules(self) -> Rules:
        """The settings that decisions depend on; of the mesh's fields only those count as set that were given."""
        given = {name: getattr(self, name) for name in Mesh.model_fields.keys() & self.model_fields_set}
        if "multi_cluster" in self.model_fields_set:
            given.setdefault("topology", "primary" if self.multi_cluster else "single")
        return Rules(
            mesh=Mesh(**given),
            **{name: getattr(self, name) for name in Rules.model_fields if name not in ("mesh", "beside")},
        )


def load_settings(
    flags: Mapping[str, object] | None = None,
    config: str | Path | None = None,
    assumed: Mapping[str, object] | None = None,
) -> Settings:
    """Merge flags (None: not given), environment and the file, and check everything at once.

    ``assumed`` is for settings that none of them gives and whose default is not meant.

    Raises:
        SettingsError: something is wrong; every fault is listed.
    """
    file = _read(Path(config)) if config else {}
    legal = Settings.model_fields
    faults = [unknown(name, f"in {config}", legal) for name in file if name not in legal]
    # Kubernetes adds variables with the same prefix: a Service called dnsalias-x adds DNSALIAS_X_PORT to every pod.
    # So an unknown variable is refused only if it looks like a typing error.
    source = EnvSettingsSource(Settings, env_prefix=ENV_PREFIX, env_ignore_empty=True)
    faults += [unknown(name, "in the environment", legal) for name in _misspelt(source.env_vars)]
    layers = {
        "flag": {name: value for name, value in (flags or {}).items() if value is not None},
        "environment": source(),
        "file": {name: value for name, value in file.items() if name in legal},
        "assumed": assumed or {},
    }
    merged: dict[str, Any] = {}
    for values in reversed(layers.values()):
        merged.update(values)
    settings: Settings | None = None
    try:
        settings = Settings(**merged)
    except ValidationError as error:
        faults += [explain(e, layers, merged, legal) for e in error.errors()]
    if faults or settings is None:
        raise SettingsError("\n".join(faults))
    return settings


def _read(path: Path) -> dict[str, Any]:
    try:
        loaded = strict(path.read_bytes())
    except OSError as error:
        raise SettingsError(f"config {path}: {error.strerror or error}") from None
    except yaml.YAMLError as error:
        raise SettingsError(f"config {path}: {' '.join(str(error).split())}") from None
    if loaded is None:
        return {}
    if not isinstance(loaded, dict) or not all(isinstance(k, str) for k in loaded):
        raise SettingsError(f"config {path}: expected a mapping of setting names to values")
    return loaded


def _misspelt(environ: Mapping[str, str | None]) -> list[str]:
    names = [name.removeprefix(ENV_PREFIX.lower()) for name in environ if name.startswith(ENV_PREFIX.lower())]
    return [name for name in names if misspelt(name, Settings.model_fields)]
