"""Every operation of the Python SDK tells a key that nobody knows as an error of its own."""

import inspect
from operator import attrgetter
from typing import Any

import pytest
from novu_py import models

from clarion.api.table import ROUTES
from furnishing import BODIES
from sdk_coverage import Connect, Operation, contract

ROUTE = {(route.method, route.path): route for route in ROUTES}
KNOWN = [
    operation
    for operation in contract()
    if (route := ROUTE.get((operation.method, operation.path))) and not route.multipart
]
"""Without those that take a form, which the SDK fails to send by itself."""
ID = "0" * 32


@pytest.mark.parametrize("operation", KNOWN, ids=lambda operation: operation.label)
def test_an_unknown_key_is_refused(operation: Operation, sdk: Connect) -> None:
    with sdk("sk_nobody_knows_this_key") as stranger:
        call = attrgetter(operation.python)(stranger)
        with pytest.raises(models.NovuError) as refused:
            call(**arguments(operation, call))
    assert refused.value.status_code == 401


def arguments(operation: Operation, call: Any) -> dict[str, Any]:
    """What the call can't do without; what is wanted by its name on the wire may have that name."""
    wanted = [
        name
        for name, parameter in inspect.signature(call).parameters.items()
        if parameter.default is inspect.Parameter.empty
    ]
    body = BODIES.get(ROUTE[operation.method, operation.path].operation_id)
    names = {name: "workflow" if name == "resource_type" else ID for name in wanted}
    bodies = {name: body for name in wanted if name.endswith(("_dto", "_body"))}
    requests = {name: dict.fromkeys(operation.segments, ID) for name in wanted if name == "request"}
    return names | bodies | requests
