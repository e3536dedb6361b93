"""Worlds: which documents are judged together, and that none is judged twice in a world or left out."""

import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from dnsalias_operator.cli.reading.files import read_files
from dnsalias_operator.cli.reading.inputs import Inputs, Item
from dnsalias_operator.cli.reading.problems import Place
from dnsalias_operator.cli.reading.worlds import JUDGED, World, parts, readings, worlds
from dnsalias_operator.model.serviceentry import ServiceEntry
from tests.repositories.shape import text_of

FOLDERS = ("", "a/", "a/b/", "c/", "c/d/")
documents = st.lists(
    st.builds("{} {}".format, st.sampled_from(("calm", "service", "alias", "catchall")), st.sampled_from("xyz")),
    min_size=1,
    max_size=3,
)
RESOURCES = ("../a", "..", "b", "d", "../c/d", "../a/m.yaml", "m.yaml", "../..", "/nowhere")
kustomizations = st.dictionaries(st.sampled_from(FOLDERS), st.lists(st.sampled_from(RESOURCES), max_size=3), max_size=4)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from([f"{folder}m.yaml" for folder in FOLDERS]), documents), kustomizations)
def test_every_document_is_judged_once_in_each_of_its_worlds(
    files: dict[str, list[str]], named: dict[str, list[str]]
) -> None:
    """However folders build on each other: no document is lost, and each way of reading has an object once."""
    with tempfile.TemporaryDirectory() as name:
        for path, content in files.items():
            (Path(name) / path).parent.mkdir(parents=True, exist_ok=True)
            (Path(name) / path).write_text(text_of(content))
        for path, resources in named.items():
            (Path(name) / path).mkdir(parents=True, exist_ok=True)
            (Path(name) / path / "kustomization.yaml").write_text(f"resources: [{', '.join(resources)}]\n")
        inputs = read_files([name], "default")
    found = worlds(inputs)
    assert len({world.name for world in found}) == len(found) >= 1
    assert {id(item) for world in found for item in world.items} == {id(item) for item in inputs.items}
    for world in found:
        judged = Counter(id(item) for reading in readings(world) for item in reading.judged.values())
        expected = [item for item in world.items if item.key and item.key.kind in JUDGED]
        assert judged == Counter(map(id, expected))
        for reading in readings(world):
            assert all(reading.snapshot.get(key) is item.typed for key, item in reading.judged.items())
            assert {obj.key for obj in reading.snapshot.objects()} == {item.key for item in world.items if item.key}


def entry(file: str, name: str, *, note: str = "") -> Item:
    """A document of that file."""
    raw = {"kind": "ServiceEntry", "metadata": {"name": name, "namespace": "a", "labels": {"of": note}}}
    return Item(raw, ServiceEntry.parse(raw), Place(file, 1), f"/r/{file}")


def beside(world: World, item: Item, name: str) -> str:
    """Which document of the other object one is judged with, by its label."""
    assert item.key
    (snapshot,) = (r.snapshot for r in readings(world) if r.judged.get(item.key) is item)
    other = snapshot.entry("a", name)
    assert other
    return other.meta.labels["of"]


def test_a_document_is_judged_beside_the_nearest_ones() -> None:
    """By the folders they share from the top, then by names of folders at any place, then in the order of reading."""
    mine = entry("apps/shop/prod/x.yaml", "x")
    others = [
        entry("common/y.yaml", "y", note="common"),
        entry("apps/pay/dev/y.yaml", "y", note="dev"),
        entry("apps/pay/prod/y.yaml", "y", note="prod"),
    ]
    assert beside(World("", (mine, *others)), mine, "y") == "prod"
    assert beside(World("", (mine, *others[:2])), mine, "y") == "dev"
    closer = entry("apps/shop/prod/z.yaml", "y", note="closer")
    assert beside(World("", (mine, *others, closer)), mine, "y") == "closer"
    twins = [entry("a.yaml", "y", note="first"), entry("b.yaml", "y", note="second")]
    assert beside(World("", (mine, *twins)), mine, "y") == "first"


def test_a_document_of_an_overlay_takes_the_place_of_another() -> None:
    """What is below is not judged where it is replaced, and stays where it is not."""
    below, kept, above = entry("x.yaml", "x"), entry("y.yaml", "y"), entry("prod/x.yaml", "x")
    overlays = {"prod": frozenset({"/r/prod/x.yaml"}), "dev": frozenset[str]()}
    prod, dev = worlds(Inputs((below, kept, above), overlays=overlays))
    assert (prod.name, prod.items) == ("prod", (kept, above))
    assert (dev.name, dev.items) == ("dev", (below, kept))


def test_a_file_that_is_a_resource_is_no_part_though_it_is_used_too(tmp_path: Path) -> None:
    """What one kustomization patches with and another one builds on is an object."""
    for folder, text in {"a": "patches: [{path: ../e.yaml}]\n", "b": "resources: [../e.yaml]\n"}.items():
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "kustomization.yaml").write_text(text)
    (tmp_path / "e.yaml").write_text(text_of(["calm x"]))
    inputs = read_files([str(tmp_path)], "default")
    assert parts(inputs) == ()
    (world,) = worlds(inputs)
    assert world.name == str(tmp_path / "b")


def test_an_answer_about_one_world_takes_every_object_once(tmp_path: Path) -> None:
    """The first document counts, and every other one is a problem that names both places."""
    for name in "ab":
        (tmp_path / f"{name}.yaml").write_text(text_of(["calm x", "configmap m"]))
    inputs = read_files([str(tmp_path)], "default")
    assert inputs.problems == inputs.as_worlds().problems == ()
    one = inputs.as_one_world()
    (problem,) = one.problems
    assert str(problem) == (
        f"{tmp_path}/b.yaml:1: ServiceEntry abc/x is given twice, first at {tmp_path}/a.yaml:1; this one is left out"
    )
    assert not problem.named
    # Of kinds that are not read nobody asks whether they are given twice.
    assert [item.raw["kind"] for item in one.items] == ["ServiceEntry", "ConfigMap", "ConfigMap"]
