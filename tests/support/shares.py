"""Which tests go to one worker together, where several run them."""

from xdist.scheduler import LoadScopeScheduling

TOGETHER = ("tests/wire/",)
"""Folders whose tests are about one running server, or look at what all others did."""


class Shares(LoadScopeScheduling):  # type: ignore[misc]
    """Files go to a worker whole, so that what their tests share is made once; so do some folders."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((folder for folder in TOGETHER if file.startswith(folder)), file)
