"""The translations of a workflow, asked of an API."""

from typing import Any
from urllib.parse import quote

from clarion.cli.caller import ApiCaller

Json = dict[str, Any]


async def translations_of(api: ApiCaller, workflow_id: str) -> dict[str, Json]:
    """What a workflow says, by locale."""
    name = quote(workflow_id, safe="")
    answered = await api.ask("GET", f"/v2/translations/group/workflow/{name}")
    if answered.status == 404:
        return {}
    if answered.status >= 400:
        raise api.refusal(answered)
    contents: dict[str, Json] = {}
    for locale in answered.document["locales"]:
        found = await api.call("GET", f"/v2/translations/workflow/{name}/{quote(locale, safe='')}")
        contents[locale] = found["content"]
    return contents
