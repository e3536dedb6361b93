"""The Dockerfile: linted, pinned by hash, and given all that it copies and no more."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
DOCKERFILE = REPOSITORY / "Dockerfile"


def instructions() -> list[tuple[str, str]]:
    """Each instruction with its arguments, continuation lines joined, comments left out."""
    lines = [line for line in DOCKERFILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(word, rest) for line in joined.splitlines() if line for word, _, rest in [line.partition(" ")]]


def arguments(word: str) -> list[str]:
    """Arguments of every instruction of that name."""
    return [rest for name, rest in instructions() if name == word]


def test_the_base_can_be_pinned_from_outside() -> None:
    """Every stage begins with the base that --build-arg PYTHON names, so that a digest pins all of it."""
    assert {base.split()[0] for base in arguments("FROM")} == {"${PYTHON}"}
    (default,) = arguments("ARG")
    assert default.startswith("PYTHON=")


def test_hadolint_finds_nothing() -> None:
    """The Dockerfile follows hadolint's rules, without any being switched off."""
    hadolint = Path(sys.executable).parent / "hadolint"
    result = subprocess.run(
        [str(hadolint), "--no-color", "--failure-threshold", "style", str(DOCKERFILE)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stdout) == (0, "")
    assert "hadolint" not in DOCKERFILE.read_text(encoding="utf-8")


def test_what_is_copied_is_there_and_not_ignored() -> None:
    """Every file that the image is built from is in the repository, and .dockerignore lets it through."""
    ignore = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignore
    let_through = {line.removeprefix("!") for line in ignore if line.startswith("!")}
    copied = {source for rest in arguments("COPY") if not rest.startswith("--from") for source in rest.split()[:-1]}
    assert copied
    for source in copied:
        assert (REPOSITORY / source).exists()
        assert source.split("/")[0] in let_through
    assert {source.split("/")[0] for source in copied} == let_through


def test_what_the_wheel_is_made_of_is_copied() -> None:
    """The wheel that is built in the image has everything that it has elsewhere."""
    build = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
    copied = {source for rest in arguments("COPY") if not rest.startswith("--from") for source in rest.split()[:-1]}
    for path in build["targets"]["wheel"]["only-include"]:
        assert path in copied or path.split("/")[0] in copied, path


def test_nothing_is_installed_without_its_hash() -> None:
    """Whatever is fetched while the image is built is held against a hash of ours."""
    fetching = [part for rest in arguments("RUN") for part in rest.split("&&") if re.search(r"\b(pip|uv)\b", part)]
    assert len(fetching) == 4
    for command in fetching:
        assert any(flag in command for flag in ("--require-hashes", "--frozen", "--no-deps /wheel"))
    for name in ("uv.txt", "build.txt"):
        text = (REPOSITORY / "requirements" / name).read_text(encoding="utf-8")
        pinned = re.findall(r"^[\w-]+==", text, flags=re.MULTILINE)
        followed = re.findall(r"^[\w-]+==\S+ \\\n    --hash=sha256:[0-9a-f]{64}", text, flags=re.MULTILINE)
        assert pinned
        assert len(pinned) == len(followed)


def test_it_runs_the_operator_as_nobody_in_particular() -> None:
    """The image starts `dnsalias run` under a number that is not root's, which the kubelet can check by itself."""
    assert arguments("ENTRYPOINT") == ['["dnsalias"]']
    assert arguments("CMD") == ['["run"]']
    (user,) = arguments("USER")
    assert all(int(part) >= 10_000 for part in user.split(":"))
    order = [name for name, _ in instructions()]
    assert order.index("USER") < order.index("ENTRYPOINT")


def test_the_image_has_a_name_for_its_user() -> None:
    """Kopf asks for its name and the Kubernetes library for its home, and both fail where nothing tells."""
    assert {"LOGNAME=", "HOME="} <= set(re.findall(r"\w+=", arguments("ENV")[-1]))
