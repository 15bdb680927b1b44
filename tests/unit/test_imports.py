"""The import rule: each row of the architecture may import the rows above it and nothing below."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "clarion"

ROWS = (
    {"model", "errors", "settings"},
    {"check", "compose", "providers"},
    {"store", "journal", "net", "security", "ops"},
    {"workflow"},
    {"accept", "address", "deliver", "echo"},
    {"api", "testing"},
    {"app"},
    {"cli"},
)
LEVEL = {part: level for level, row in enumerate(ROWS) for part in row}
EFFECTS = ROWS[4]


def imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every part of Clarion a module imports, with the line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "clarion":
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("clarion."):
            yield node.lineno, (node.module or "").split(".")[1]
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("clarion."):
                    yield node.lineno, alias.name.split(".")[1]


def breaches(part: str, where: str, text: str) -> list[str]:
    """The imports of a module in `part` that point the wrong way."""
    found = []
    for line, target in imported(ast.parse(text)):
        downward = LEVEL[target] > LEVEL[part]
        sideways = part in EFFECTS and target in EFFECTS and target != part
        if downward or sideways:
            found.append(f"{where}:{line} {part} imports {target}")
    return found


def modules() -> list[Path]:
    return [path for path in SOURCE.rglob("*.py") if path != SOURCE / "__init__.py"]


def test_imports_point_one_way() -> None:
    found = []
    for path in modules():
        part = path.relative_to(SOURCE).parts[0].removesuffix(".py")
        found += breaches(part, str(path.relative_to(SOURCE)), path.read_text())
    assert found == []


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("model", "from clarion.store.tables import metadata"),
        ("check", "import clarion.net.http1"),
        ("deliver", "from clarion.echo import recorder"),
        ("api", "def late() -> None:\n    from clarion.app import build"),
    ],
)
def test_an_import_the_wrong_way_is_found(part: str, text: str) -> None:
    assert len(breaches(part, "example.py", text)) == 1
