"""`clarion people` against a running Clarion."""

import json
from pathlib import Path

from click.testing import CliRunner

from clarion.cli.main import main
from running import KEY, ClarionProcess


def test_a_person_is_handed_out_and_removed_from_a_terminal(tmp_path: Path) -> None:
    process = ClarionProcess(tmp_path).start()

    def said(*arguments: str, status: int = 0, answer: str = "") -> str:
        place = ["--url", process.url, "--key", KEY]
        found = CliRunner().invoke(main, ["people", *arguments, *place], input=answer)
        assert found.exit_code == status, found.output
        return found.output

    try:
        with process.client as client:
            person = {"subscriberId": "a/b", "firstName": "Ada"}
            client.post("/v2/subscribers", json=person).raise_for_status()
            exported = json.loads(said("export", "a/b"))
            assert exported["data"]["subscribers"][0]["firstName"] == "Ada"
            assert "Aborted" in said("delete", "a/b", answer="n\n", status=1)
            assert "removed a/b" in said("delete", "a/b", answer="y\n")
            assert "was not found" in said("delete", "a/b", "--yes", status=2)
    finally:
        process.stop()
