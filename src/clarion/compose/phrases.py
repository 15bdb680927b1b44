"""Texts of translations as templates come upon them: templates themselves, over the same variables."""

from collections.abc import Mapping

from liquid import BoundTemplate, RenderContext

COUNT = "count"
"""What a plural form calls the number it is for."""


class Phrase:
    """A text of a translation, compiled when it is first said."""

    __slots__ = ("_template", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._template: BoundTemplate | None = None

    def said(self, context: RenderContext) -> str:
        """The text with its variables filled in, at the cost of the render that names it."""
        if "{" not in self.text:
            return self.text
        if self._template is None:
            self._template = context.env.from_string(self.text)
        buffer = context.get_buffer()
        self._template.render_with_context(context, buffer)
        return buffer.getvalue()


class Plural:
    """The forms of a text by CLDR's plural categories, and the locale whose rule chooses among them."""

    __slots__ = ("forms", "locale")

    def __init__(self, locale: str, forms: Mapping[str, Phrase]) -> None:
        self.locale = locale
        self.forms = forms

    def __getitem__(self, category: str) -> Phrase:
        return self.forms[category]

    @property
    def other(self) -> Phrase:
        """The form for whatever has none of its own."""
        return self.forms["other"]


class Spoken:
    """A plural in a render: the `plural` filter chooses the form, and without one it is `other`."""

    def __init__(self, plural: Plural, context: RenderContext) -> None:
        self.plural = plural
        self._context = context

    def form(self, category: str, count: object) -> str:
        """The form of a category, for a number."""
        phrase = self.plural.forms.get(category, self.plural.other)
        with self._context.extend({COUNT: count}):
            return phrase.said(self._context)

    def __str__(self) -> str:
        return self.plural.other.said(self._context)


def spoken(found: object, context: RenderContext) -> object:
    """What a template gets of what it named."""
    if isinstance(found, Phrase):
        return found.said(context)
    return Spoken(found, context) if isinstance(found, Plural) else found
