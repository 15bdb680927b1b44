"""Words as a phone shows them: no markup, no control characters. Pure."""

import re
from html.parser import HTMLParser

_TAGS = (
    "a|abbr|b|big|blockquote|body|br|center|code|div|em|font|h[1-6]|head|hr|html|i|img|li|ol|p|pre|s|script|small"
    "|span|strike|strong|style|sub|sup|table|tbody|td|th|thead|tr|tt|u|ul"
)
_NAME = re.compile(_TAGS)
_TAG = re.compile(rf"</?(?:{_TAGS})(?:[\s/][^<>]*)?>|<!--", re.IGNORECASE)
_BREAK = re.compile("blockquote|br|div|h[1-6]|hr|li|ol|p|pre|table|tr|ul")
_UNSEEN = frozenset({"head", "script", "style"})
_LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_ODD = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_BLANK_LINES = re.compile(r"[ \t]*\n\s*")


def line(text: str) -> str:
    """A title: one line."""
    found = words(text)
    return " ".join(found.split()) if "\n" in found else found


def words(text: str) -> str:
    """A text without HTML tags, where it has some, and without control characters but for line breaks."""
    if "<" in text and _TAG.search(text):
        text = _without_tags(text)
    if _ODD.search(text):
        text = _CONTROL.sub("", _LINE_ENDS.sub("\n", text).replace("\t", " "))
    return text


def _without_tags(text: str) -> str:
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return _BLANK_LINES.sub("\n", "".join(reader.said)).strip()


class _Reader(HTMLParser):
    """Collects what a page would show; what only looks like a tag stays."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not _NAME.fullmatch(tag):
            self.handle_data(self.get_starttag_text() or "")
        elif tag in _UNSEEN:
            self._hidden += 1
        elif _BREAK.fullmatch(tag):
            self.said.append("\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _UNSEEN:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if not _NAME.fullmatch(tag):
            self.handle_data(f"</{tag}>")
        elif tag in _UNSEEN:
            self._hidden = max(self._hidden - 1, 0)
        elif _BREAK.fullmatch(tag):
            self.said.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.said.append(data)
