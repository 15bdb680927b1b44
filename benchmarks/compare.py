"""The same devices reached by Clarion and by the usual clients, towards the same stand-in in the same run.

Clarion's figure is a broadcast of one `clarion serve`, which also stores every outcome; firebase-admin (FCM,
`send_each`, 500 a call) and aioapns (APNs, 500 requests at once) send and keep nothing.

    python benchmarks/compare.py [--devices 60000] [--others 5000] [--on sqlite]
"""

import argparse
import asyncio
import json
import os
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import aioapns
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from broadcast import settled
from footing import footing
from h2load import own_limit
from provider import Provider, nginx, service_account
from results import keep
from serving import serving

_FIREBASE = Path(__file__).with_name("firebase.py")


def clarion(name: str, directory: Path, provider: Provider, devices: int) -> float:
    """Devices a second, trigger to recorded outcome."""
    with footing(name, directory) as on, serving(on, directory, provider, devices) as running:
        began = time.perf_counter()
        running.broadcast()
        return devices / settled(on, running.environment, devices, began)


def firebase(provider: Provider, messages: int) -> float:
    """Messages a second of firebase-admin, in a process of its own that trusts the stand-in."""
    environ = os.environ | {"REQUESTS_CA_BUNDLE": str(provider.ca_file)}
    environ |= {"SSL_CERT_FILE": str(provider.ca_file)}
    command = [sys.executable, str(_FIREBASE), provider.url, str(messages)]
    found = subprocess.run(
        command, env=environ, input=service_account(), capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    return float(json.loads(found.stdout)["per_second"])


async def apns(provider: Provider, messages: int) -> float:
    """Messages a second of aioapns over its pool."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    context = ssl.create_default_context(cafile=provider.ca_file)
    context.set_alpn_protocols(["h2"])
    host, _, port = provider.url.removeprefix("https://").partition(":")
    client = aioapns.APNs(
        key=pem,
        key_id="ABCDE12345",
        team_id="ABCDE12345",
        topic="app",
        ssl_context=context,
        max_connections=10,
        max_connection_attempts=5,
    )
    pool = client.pool
    pool.protocol_class = type(  # the address is a constant of the class
        "Towards", (pool.protocol_class,), {"APNS_SERVER": host, "APNS_PORT": int(port)}
    )
    payload = {"aps": {"alert": {"title": "News", "body": "Breaking"}}}

    async def send(numbers: Any) -> int:
        accepted = 0
        for n in numbers:
            request = aioapns.NotificationRequest(device_token=f"{n:064x}", message=payload)
            accepted += (await client.send_notification(request)).is_successful
        return accepted

    numbers = iter(range(messages))
    began = time.perf_counter()
    accepted = sum(await asyncio.gather(*(send(numbers) for _ in range(500))))
    assert accepted == messages, f"{accepted} of {messages} accepted"
    return messages / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--devices", type=int, default=60_000)
    parser.add_argument("--others", type=int, default=5_000)
    parser.add_argument("--on", choices=["sqlite", "postgresql"], default="sqlite")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, nginx(Path(folder)) as provider:
        rates = {
            "provider_limit": own_limit(provider),
            "clarion": clarion(asked.on, Path(folder), provider, asked.devices),
            "firebase_admin": firebase(provider, asked.others),
            "aioapns": asyncio.run(apns(provider, asked.others)),
        }
    for name, rate in rates.items():
        print(f"{name:16} {rate or 0:10,.0f}/s")
    ours = rates["clarion"] or 0
    times = {name: ours / (rates[name] or 1) for name in ("firebase_admin", "aioapns")}
    print(f"Clarion: {times['firebase_admin']:.1f} x firebase-admin, {times['aioapns']:.1f} x aioapns")
    keep("compare", {"per_second": rates, "times": times})


if __name__ == "__main__":
    main()
