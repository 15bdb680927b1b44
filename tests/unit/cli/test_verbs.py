import click
import pytest
from click.testing import CliRunner

from clarion.cli.fault_words import MEANINGS
from clarion.cli.main import VERBS, main
from clarion.testing.faults import Word


@pytest.mark.parametrize("verb", ["emulator", "demo"])
def test_a_verb_says_of_itself_what_the_list_says(verb: str) -> None:
    command = main.get_command(click.Context(main), verb)
    assert command is not None
    assert command.get_short_help_str(limit=200) == VERBS[verb]
    assert CliRunner().invoke(main, [verb, "--help"]).exit_code == 0


def test_every_fault_word_has_a_meaning_in_the_documented_order() -> None:
    assert list(MEANINGS) == list(Word)
