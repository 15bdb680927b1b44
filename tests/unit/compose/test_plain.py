import pytest

from clarion.compose.plain import line, words


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("Hello", "Hello"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("a<b", "a<b"),
        ("<ada@example.com> wrote", "<ada@example.com> wrote"),
        ("AT&amp;T", "AT&amp;T"),
        ("<b>AT&amp;T</b> &lt;3", "AT&T <3"),
        ("Hi <b class='x'>Ada</b>", "Hi Ada"),
        ("one<br>two<BR/>three", "one\ntwo\nthree"),
        ("<p>one</p><p>two</p>", "one\ntwo"),
        ("<ul><li>one</li>\n<li>two</li></ul>", "one\ntwo"),
        ("<style>p {color: red}</style>Hi<script>alert(1)</script>", "Hi"),
        ("<i>by <ada@example.com></i>", "by <ada@example.com>"),
        ("Hi<!-- not this -->", "Hi"),
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
        ("be\x07ep\x00\x1b[2J\x9b", "beep[2J"),
        ("tab\there", "tab here"),
        (
            "family \U0001f468\u200d\U0001f469\u200d\U0001f467 \u202b\u05e2\u05d1\u202c",
            "family \U0001f468\u200d\U0001f469\u200d\U0001f467 \u202b\u05e2\u05d1\u202c",
        ),
    ],
)
def test_a_phone_shows_words_and_no_markup(given: str, shown: str) -> None:
    assert words(given) == shown


def test_what_was_made_plain_stays_as_it_is() -> None:
    for text in ("<p>a</p>\r\nb", "x\x00y", "<b>1 < 2</b>"):
        assert words(words(text)) == words(text)


@pytest.mark.parametrize(("given", "shown"), [("one\n two", "one two"), ("a  b", "a  b"), ("<br>x", "x")])
def test_a_title_is_one_line(given: str, shown: str) -> None:
    assert line(given) == shown


def test_markup_without_end_takes_no_longer_than_its_length() -> None:
    assert words("<b " * 20_000).startswith("<b")
