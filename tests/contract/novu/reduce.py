"""Novu's OpenAPI document (MIT licence) reduced to the operations of endpoints.tsv and what checks values.

    python tests/contract/novu/reduce.py novu-openapi.yaml

writes openapi.json beside this file. What only explains (descriptions, examples, headers) is left out.
"""

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

Json = dict[str, Any]
HERE = Path(__file__).parent
EXPLAINING = ("description", "example", "examples", "summary", "title", "deprecated", "headers", "tags")


def main(document: Path) -> None:
    """Write the reduced document."""
    whole = yaml.load(document.read_text(), Loader=yaml.CSafeLoader)
    reduced = {
        "openapi": whole["openapi"],
        "info": {"title": whole["info"]["title"], "version": whole["info"]["version"]},
        "paths": dict(_paths(whole["paths"], set(_operations()))),
    }
    schemas = whole["components"]["schemas"]
    used = {name: _bare(schemas[name]) for name in sorted(_reached(reduced["paths"], schemas))}
    reduced["components"] = {"schemas": used}
    (HERE / "openapi.json").write_text(_lines(reduced) + "\n")


def _operations() -> Iterator[tuple[str, str]]:
    with (HERE / "endpoints.tsv").open() as file:
        for row in csv.DictReader(file, delimiter="\t"):
            yield row["path"], row["method"].lower()


def _paths(paths: Json, wanted: set[tuple[str, str]]) -> Iterator[tuple[str, Json]]:
    for path, item in paths.items():
        kept = {method: _operation(found) for method, found in item.items() if (path, method) in wanted}
        if kept:
            yield path, kept


def _operation(whole: Json) -> Json:
    responses = {
        status: {"description": "", **({"content": content} if (content := answer.get("content")) else {})}
        for status, answer in whole["responses"].items()
    }
    kept = {name: whole[name] for name in ("operationId", "parameters", "requestBody") if name in whole}
    reduced: Json = _bare({**kept, "responses": responses})
    for answer in reduced["responses"].values():
        answer["description"] = ""
    return reduced


def _bare(value: Any, of_names: bool = False) -> Any:
    """Without what explains; a property may have the name of such a key."""
    if isinstance(value, dict):
        return {
            key: _bare(inner, key == "properties")
            for key, inner in value.items()
            if of_names or not (key in EXPLAINING or key.startswith("x-"))
        }
    return [_bare(item) for item in value] if isinstance(value, list) else value


def _reached(value: Any, schemas: Json) -> set[str]:
    found: set[str] = set()
    waiting = [value]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, dict):
            name = str(inner.get("$ref", "")).rpartition("/")[2]
            if name in schemas and name not in found:
                found.add(name)
                waiting.append(schemas[name])
            waiting.extend(inner.values())
        elif isinstance(inner, list):
            waiting.extend(inner)
    return found


def _lines(document: Json) -> str:
    """A line for each path and each schema, so that a change shows where it is."""
    places = [document["paths"], document["components"]["schemas"]]
    paths, schemas = (
        ",\n".join(f"{json.dumps(name)}: {json.dumps(item)}" for name, item in place.items())
        for place in places
    )
    head = json.dumps({"openapi": document["openapi"], "info": document["info"]})[:-1]
    return f'{head},\n"paths": {{\n{paths}\n}},\n"components": {{"schemas": {{\n{schemas}\n}}}}}}'


if __name__ == "__main__":
    main(Path(sys.argv[1]))
