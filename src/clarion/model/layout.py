"""Layouts as stored: the frame that e-mails are put into."""

from typing import Any

import msgspec

from clarion.model.clock import Millis


class Layout(msgspec.Struct, frozen=True):
    """A layout of one environment. `controls` are its values: `email` with `body` and `editorType`."""

    id: str
    environment_id: str
    layout_id: str
    name: str
    created_at: Millis
    updated_at: Millis
    is_translation_enabled: bool = False
    controls: dict[str, Any] = {}
