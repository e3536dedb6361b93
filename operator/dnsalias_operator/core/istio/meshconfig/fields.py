"""The fields of a MeshConfig that change what a sidecar gets.

Source: istio/api mesh/v1alpha1/config.proto; ApplyMeshConfig and DefaultMeshConfig in pkg/config/mesh/mesh.go: a field
that is given replaces the default as a whole, except that proxyMetadata is merged.
"""

import re
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

from dnsalias_operator.core.istio.meshconfig.found import DISCOVERY, VISIBILITY, Fact, Found, got, shown
from dnsalias_operator.core.istio.meshconfig.selectors import SelectorError, discovery_of, visibility_of
from dnsalias_operator.model.meta import mapping
from dnsalias_operator.model.names import LABEL_PATTERN

MODES = ("REGISTRY_ONLY", "ALLOW_ANY")
"""By their numbers in the API: a policy without a mode has the first."""
CAPTURE, ALLOCATE = "ISTIO_META_DNS_CAPTURE", "ISTIO_META_DNS_AUTO_ALLOCATE"
TRUE, FALSE = ("1", "t", "T", "TRUE", "true", "True"), ("0", "f", "F", "FALSE", "false", "False")
"""Source: strconv.ParseBool of Go."""
_PUBLIC = ["*"]
_LIKE_DEFAULT: Mapping[str, tuple[object, ...]] = {
    "defaultVirtualServiceExportTo": (_PUBLIC, []),
    "defaultDestinationRuleExportTo": (_PUBLIC, []),
    "serviceSettings": ([],),
    "proxyListenPort": (15001, 0),
    "proxyInboundListenPort": (15006, 0),
    "proxyHttpPort": (0,),
}
"""Fields that change listeners or clusters, that the model does not follow, and their values that change nothing."""
KNOWN = frozenset(
    (
        *_LIKE_DEFAULT,
        "accessLogFile",
        "defaultConfig",
        "defaultProviders",
        "defaultServiceExportTo",
        "discoverySelectors",
        "enableAutoMtls",
        "enablePrometheusMerge",
        "extensionProviders",
        "outboundTrafficPolicy",
        "rootNamespace",
        "serviceEntryVisibility",
        "trustDomain",
    )
)
"""By these a document without a kind is told to be a MeshConfig."""


class _FieldError(ValueError):
    """What is wrong with the value of a field."""


def read_meshconfig(config: Mapping[str, Any], where: str) -> Found:
    """Read a MeshConfig. ``where`` is what holds it, such as ``ConfigMap istio-system/istio``."""
    facts: list[Fact] = []
    faults: list[str] = []
    for name, path, read in _FIELDS:
        value = _at(config, path)
        if value is None:
            continue
        try:
            facts.append(Fact(name, read(value), f"{where}: {'.'.join(path)}"))
        except (_FieldError, SelectorError) as error:
            faults.append(
                f"{where}: {'.'.join(path)}: {error}; istiod refuses such a MeshConfig, the default is assumed"
            )
    return Found(tuple(facts), tuple(faults), tuple(_unfollowed(config, where)), config=not faults)


def truth(value: object) -> bool | None:
    """What Istio makes of a text that is meant to be true or false; None: neither."""
    return True if value in TRUE else False if value in FALSE else None


def _at(config: Mapping[str, Any], path: tuple[str, ...]) -> Any:  # noqa: ANN401 (any YAML)
    """The value at a path of JSON names, each of which may also be written as in the .proto."""
    value: Any = config
    for step in path:
        if value is None:
            return None
        if not isinstance(value, Mapping):
            return value  # the wrong type: told by the reader of the field
        value = value.get(step, value.get(re.sub("[A-Z]", lambda m: f"_{m[0].lower()}", step)))
    return value


def _mode(policy: object) -> Hashable:
    if not isinstance(policy, Mapping):
        raise _FieldError(f"expected a mapping with mode, got {got(policy)}")
    mode = policy.get("mode") or 0
    named = MODES[mode] if isinstance(mode, int) and not isinstance(mode, bool) and mode in (0, 1) else mode
    if named not in MODES:
        raise _FieldError(f"mode: expected one of {', '.join(MODES)}, got {got(mode)}")
    return str(named)


def _names(value: object) -> Hashable:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise _FieldError(f"expected a list of namespaces, got {got(value)}")
    return tuple(value) or ("*",)


def _flag(value: object) -> Hashable:
    if not isinstance(value, bool):
        raise _FieldError(f"expected true or false, got {got(value)}")
    return value


def _namespace(value: object) -> Hashable:
    if not isinstance(value, str) or not re.fullmatch(LABEL_PATTERN, value):
        raise _FieldError(f"expected the name of a namespace, got {got(value)}")
    return value


def _metadata_flag(value: object) -> Hashable:
    if not isinstance(value, str):
        raise _FieldError(f"expected text, got {got(value)}; put it in quotes")
    told = truth(value)
    if told is None:
        raise _FieldError(f'expected "true" or "false", got {got(value)}')
    return told


_FIELDS: tuple[tuple[str, tuple[str, ...], Callable[[object], Hashable]], ...] = (
    ("root_namespace", ("rootNamespace",), _namespace),
    ("outbound_traffic_policy", ("outboundTrafficPolicy",), _mode),
    ("default_service_export_to", ("defaultServiceExportTo",), _names),
    ("dns_capture", ("defaultConfig", "proxyMetadata", CAPTURE), _metadata_flag),
    ("enable_auto_mtls", ("enableAutoMtls",), _flag),
    (DISCOVERY, ("discoverySelectors",), discovery_of),
    (VISIBILITY, ("serviceEntryVisibility",), visibility_of),
)


def _unfollowed(config: Mapping[str, Any], where: str) -> Iterator[str]:
    for name, harmless in _LIKE_DEFAULT.items():
        value = _at(config, (name,))
        if value is not None and value not in harmless:
            yield f"{where}: {name}{_short(value)}"
    if _at(config, ("outboundTrafficPolicy",)) and mapping(_at(config, ("outboundTrafficPolicy",))).get("egressProxy"):
        yield f"{where}: outboundTrafficPolicy.egressProxy"
    if truth(_at(config, ("defaultConfig", "proxyMetadata", ALLOCATE))):
        yield (
            f"{where}: {ALLOCATE}: where istiod does not write automatic addresses into the entries' status (before "
            "1.25, or PILOT_ENABLE_IP_AUTOALLOCATE false) they are in its memory alone, and not known here"
        )


def _short(value: object) -> str:
    """A value that is names or a number; the others are long."""
    names = isinstance(value, list) and all(isinstance(each, str) for each in value)
    if isinstance(value, list) and names:
        return f" {shown(tuple(value))}"
    return f" {value}" if isinstance(value, int) else ""
