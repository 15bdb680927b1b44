"""Which tests go to one worker together, and in which order, where several run them."""

from typing import Any

from xdist.scheduler import LoadScopeScheduling

TOGETHER = ("tests/wire/",)
"""Folders whose tests are about one running server, or look at what all others did."""

FIRST = "tests/browser/"
"""A few tests of minutes: the others are done meanwhile."""


class Shares(LoadScopeScheduling):  # type: ignore[misc]
    """Files go to a worker whole, so that what their tests share is made once; so do some folders."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((folder for folder in TOGETHER if file.startswith(folder)), file)

    def _assign_work_unit(self, node: Any) -> None:
        for scope in [scope for scope in self.workqueue if scope.startswith(FIRST)]:
            self.workqueue.move_to_end(scope, last=False)
        super()._assign_work_unit(node)
