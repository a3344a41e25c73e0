"""nginx as the vendor: it answers at once, on a port of its own; the system's service is not touched."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

CONFIGURATION = """
daemon off;
master_process off;
pid {directory}/pid;
error_log {directory}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    keepalive_requests 100000000;
    client_max_body_size 64m;
    client_body_buffer_size 4m;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
        listen 127.0.0.1:{port};
        default_type application/json;
        location / {{ return 200 '{{"status": 1, "success": true}}'; }}
    }}
}}
"""


@contextmanager
def running(directory: Path) -> Iterator[tuple[str, str]]:
    """The address of an nginx of our own, and its version."""
    binary = shutil.which("nginx") or _unpacked(directory)
    port = _free_port()
    configuration = directory / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(directory=directory, port=port))
    process = subprocess.Popen([binary, "-p", str(directory), "-c", str(configuration)], stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}", _version(binary)
    finally:
        process.terminate()
        process.wait()


def _unpacked(directory: Path) -> str:
    """Debian's package, fetched by apt and unpacked: installing it would start the system's service, and need root."""
    directory.chmod(0o755)
    subprocess.run(["apt-get", "-qq", "download", "nginx"], cwd=directory, check=True, stderr=subprocess.DEVNULL)
    [package] = directory.glob("nginx_*.deb")
    subprocess.run(["dpkg-deb", "-x", str(package), str(directory / "nginx")], check=True)
    return str(directory / "nginx/usr/sbin/nginx")


def _version(binary: str) -> str:
    told = subprocess.run([binary, "-v"], capture_output=True, text=True, check=True).stderr
    return told.strip().rpartition("/")[2]


def _free_port() -> int:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait_for(port: int, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
        else:
            return
