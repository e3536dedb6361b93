"""Whether an entry alone would be a catch-all is asked once for all of one shape: the shape has all that decides it."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dnsalias_operator.core.traffic.catch_all import catches, catches_all
from dnsalias_operator.core.traffic.shape_alone import shape_alone
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import AUTO_ALLOCATE_LABEL, EXPORT_TO_ANNOTATION
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot
from tools import make

NAMESPACES = ("abc", "shop", "istio-system")
ADDRESSES = ("10.96.0.1", "10.96.0.2", "0.0.0.0", "0.0.0.0/0", "10.0.0.0/8", "10.96.0.1/32", "::", "::1", "fd00::/8")  # noqa: S104
HOSTS = ("a.example", "b.example", "*.example", "*wild", "*", "h.abc.svc.cluster.local", "", "x")
PROTOCOLS = ("HTTP", "TCP", "TLS", "HTTP_PROXY", "Mongo", "UDP", "tcp", "?")
NUMBERS = (53, 80, 443, 15001, 15006, 15021)
EXPORTS = (["*"], ["."], ["~"], ["abc"], ["shop", "."], ["*", "abc"], ["No"])


def _few(of: tuple[Any, ...], most: int) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(of), max_size=most)


@st.composite
def entries(draw: st.DrawFn) -> ServiceEntry:
    """One of few shapes, so that two of a world often have the same one."""
    spec = {
        "hosts": draw(st.lists(st.sampled_from(HOSTS), min_size=1, max_size=2)),
        "addresses": draw(_few(ADDRESSES, 2)),
        "resolution": draw(st.sampled_from(["DNS", "STATIC", "NONE", "DYNAMIC_DNS", "DNS_ROUND_ROBIN"])),
        "endpoints": [{"address": a} for a in draw(_few((*ADDRESSES, "far.example"), 2))],
        "ports": [make.entry_port(n, draw(st.sampled_from((None, *PROTOCOLS)))) for n in draw(_few(NUMBERS, 2))],
        **draw(st.sampled_from([{}, {"workloadSelector": {"labels": {"app": "a"}}}, {"workloadSelector": {}}])),
        **draw(st.sampled_from([{}, *({"exportTo": value} for value in EXPORTS)])),
    }
    labels = draw(st.sampled_from([{}, {AUTO_ALLOCATE_LABEL: "false"}]))
    meta = {"namespace": draw(st.sampled_from(NAMESPACES)), "labels": labels}
    return ServiceEntry.parse(
        make.manifest(make.NETWORKING, "ServiceEntry", draw(st.sampled_from("efg")), spec, meta=meta)
    )


@st.composite
def services(draw: st.DrawFn) -> Service:
    """A Service, also a headless or an ExternalName one."""
    ports = [make.port(n, draw(st.sampled_from(["", "http", "tcp-x", "tls"]))) for n in draw(_few(NUMBERS, 2))]
    how: dict[str, Any] = draw(
        st.sampled_from(
            [
                {"ip": "10.96.0.1"},
                {"ip": "10.96.0.2"},
                {"ip": "None"},
                {"ip": "fd00::1"},
                {"clusterIPs": []},
                {"type": "ExternalName", "externalName": "x.example"},
                {"clusterIPs": ["10.96.0.1", "fd00::1"]},
            ]
        )
    )
    annotations = {EXPORT_TO_ANNOTATION: ",".join(value)} if (value := draw(st.sampled_from([None, *EXPORTS]))) else {}
    meta = {"annotations": annotations}
    return Service.parse(
        make.service(
            draw(st.sampled_from("hi")), namespace=draw(st.sampled_from(NAMESPACES)), ports=ports, meta=meta, **how
        )
    )


meshes = st.builds(
    Mesh,
    istio_version=st.sampled_from(["1.11.8", "1.20.0", "1.22.4", "1.23.6", "1.24.1", "1.30.3", "1.32.0"]),
    dns_capture=st.booleans(),
    dual_stack=st.booleans(),
    istio_dual_stack=st.booleans(),
    default_service_export_to=st.sampled_from([("*",), (".",), ("abc",), ()]),
    undiscovered=st.sampled_from([frozenset(), frozenset({"shop"})]),
    private_entries=st.sampled_from([frozenset(), frozenset({"abc"})]),
    hidden_entries=st.sampled_from([frozenset(), frozenset({"shop"})]),
)


@settings(deadline=None, max_examples=200)
@given(objects=st.lists(entries() | services(), min_size=2, max_size=12), mesh=meshes)
def test_of_one_shape_one_is_asked(objects: list[ServiceEntry | Service], mesh: Mesh) -> None:
    """Objects of one shape take any connection on the same ports, each judged alone and unmemoised."""
    found: dict[object, tuple[int, ...]] = {}
    for obj in objects:
        shape = shape_alone(obj, mesh)
        if shape is not None:
            assert found.setdefault(shape, catches_all(obj, mesh)) == catches_all(obj, mesh), obj


@settings(deadline=None)
@given(objects=st.lists(entries(), min_size=2, max_size=8), mesh=meshes)
def test_a_world_remembers_what_each_entry_is(objects: list[ServiceEntry], mesh: Mesh) -> None:
    """Asked of a world without Sidecars, each entry is what it is alone, whoever was asked about before."""
    world = Snapshot(objects)
    assert {e.key: catches(world, e, mesh) for e in world.entries()} == {
        e.key: catches_all(e, mesh) for e in world.entries()
    }


def test_shapes_of_a_mesh_are_few() -> None:
    """Names, and addresses of their own, make no shape; so a thousand usual entries are two questions."""
    hosts = [f"h{n}.example" for n in range(1000)]
    bare = [ServiceEntry.parse(make.entry(f"e{n}", host)) for n, host in enumerate(hosts)]
    own = [
        ServiceEntry.parse(make.entry(f"o{n}", host, addresses=[f"10.1.{n // 256}.{n % 256}"]))
        for n, host in enumerate(hosts)
    ]
    assert len({shape_alone(e, Mesh()) for e in (*bare, *own)}) == 2
    assert None not in {shape_alone(e, Mesh()) for e in (*bare, *own)}
