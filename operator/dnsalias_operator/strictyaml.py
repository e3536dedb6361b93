"""A strict reader for the YAML of settings. Manifests have their own reader (cli/reading/yamlread.py)."""

from typing import Any

import yaml


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Refuses a key that is given twice: it is not clear which one is meant."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 (PyYAML's)
        """The mapping of a node.

        Raises:
            ConstructorError: a key is in it twice.
        """
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if twice := next((key for key in keys if keys.count(key) > 1), ""):
            raise yaml.constructor.ConstructorError(None, None, f"{twice} is given twice", node.start_mark)
        return dict(super().construct_mapping(node, deep))


def strict(text: str | bytes) -> Any:  # noqa: ANN401 (any YAML)
    """The value of the text; raises yaml.YAMLError if it cannot be read or has a key twice."""
    return yaml.load(text, Loader=_Loader)  # noqa: S506 (a safe loader)
