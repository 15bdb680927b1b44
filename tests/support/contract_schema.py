"""Novu's OpenAPI document, reduced."""

import json
from pathlib import Path

from calling import Json

NOVU: Json = json.loads((Path(__file__).parents[1] / "contract" / "novu" / "openapi.json").read_text())
