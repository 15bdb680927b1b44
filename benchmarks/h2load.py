"""What the stand-in of the provider can do at most: `h2load` (nghttp2-client) asks it for the same."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from provider import Provider

BODY = b'{"message":{"token":"' + b"t" * 140 + b'","notification":{"title":"News","body":"Breaking"}}}'


def own_limit(provider: Provider, requests: int = 200_000, core: int = 0) -> float | None:
    """Requests a second that the stand-in answers to a client on `core`; None without h2load."""
    if shutil.which("h2load") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        body = Path(folder) / "body.json"
        body.write_bytes(BODY)
        url = f"{provider.url}/v1/projects/bench/messages:send"
        command = ["taskset", "-c", str(core), "h2load", "-n", str(requests), "-c", "10", "-m", "100"]
        command += ["-H", "content-type: application/json", "-d", str(body), url]
        found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert f"{requests} succeeded" in found, found
    rate = re.search(r"finished in .*?, ([0-9.]+) req/s", found)
    assert rate is not None, found
    return float(rate[1])
