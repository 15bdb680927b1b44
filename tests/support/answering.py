"""Holds every answer of the API against what Clarion's own document and Novu's say of it."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import httpx
from jsonschema import Draft202012Validator

from clarion.api.openapi import document
from clarion.api.route import Route
from clarion.api.table import ROUTES
from contract_schema import Json, official


class Described:
    """A document, and the validators of its answers."""

    def __init__(self, name: str, whole: Json) -> None:
        self._name = name
        self._whole = whole
        self._validators: dict[tuple[str, str, int], Draft202012Validator | None] = {}

    def check(self, route: Route, response: httpx.Response) -> None:
        """Fail where the status isn't among those of the operation, or the body is not as it says."""
        operation = self._whole["paths"].get(route.path, {}).get(route.method.lower())
        if operation is None:
            return
        place = (route.method, route.path, response.status_code)
        if place not in self._validators:
            self._validators[place] = self._validator(operation["responses"], place)
        validator = self._validators[place]
        if validator is not None:
            faults = [
                f"{error.json_path}: {error.message}" for error in validator.iter_errors(response.json())
            ]
            assert not faults, (self._name, place, faults, response.text)

    def _validator(
        self, answers: Mapping[str, Any], place: tuple[str, str, int]
    ) -> Draft202012Validator | None:
        status = str(place[2])
        answer = answers.get(status) or answers.get(f"{status[0]}XX")
        assert answer is not None, (self._name, place, "is not documented", sorted(answers))
        content = answer.get("content")
        if content is None:
            return None
        schema = content["application/json"]["schema"]
        return Draft202012Validator({**schema, "components": self._whole["components"]})


@cache
def _documents() -> tuple[Described, Described]:
    return Described("Clarion's", document(ROUTES)), Described("Novu's", official())


@cache
def _patterns() -> list[tuple[str, re.Pattern[str], Route]]:
    return [
        (route.method, re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(route.path))), route)
        for route in ROUTES
    ]


def check_answer(response: httpx.Response) -> None:
    """Assert that the answer is one that both documents know. A failure that nobody meant is in neither."""
    path = response.request.url.raw_path.decode().partition("?")[0]
    for method, pattern, route in _patterns():
        if method == response.request.method and pattern.fullmatch(path):
            if response.status_code != 500:
                for described in _documents():
                    described.check(route, response)
            return
