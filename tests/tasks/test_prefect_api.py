"""Finding a Prefect API: by PREFECT_API_URL, at the default address, or another program on its port."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tasks.prefect_api import API_URL_ENV, ApiError, api_url, is_loopback

UNREACHABLE = "http://127.0.0.1:9/api"


def serve(code: int, body: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(code if self.path == "/api/health" else 404)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/api"
        server.shutdown()


@pytest.fixture
def not_http() -> Iterator[str]:
    """A server that speaks first, as mail and shell servers do."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            while True:
                try:
                    with server.accept()[0] as connection:
                        connection.sendall(b"220 welcome\r\n")
                except OSError:
                    return

        threading.Thread(target=greet, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/api"
        server.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def prefect_like() -> Iterator[str]:
    yield from serve(200, b"true")


@pytest.fixture
def login_required() -> Iterator[str]:
    yield from serve(401, b"login required")


@pytest.fixture
def another_program() -> Iterator[str]:
    yield from serve(200, b"<!doctype html>")


def test_api_of_the_environment_has_to_answer(monkeypatch, prefect_like, login_required) -> None:
    for url in (prefect_like, prefect_like + "/", login_required):
        monkeypatch.setenv(API_URL_ENV, url)
        assert api_url(default=UNREACHABLE) == url
    monkeypatch.setenv(API_URL_ENV, UNREACHABLE)
    with pytest.raises(ApiError, match=f"{UNREACHABLE} .*{API_URL_ENV}"):
        api_url(default=prefect_like)


def test_default_is_used_only_if_it_is_prefect(monkeypatch, prefect_like, another_program, not_http) -> None:
    monkeypatch.delenv(API_URL_ENV, raising=False)
    assert api_url(default=prefect_like) == prefect_like
    assert api_url(default=another_program) is None
    assert api_url(default=not_http) is None
    assert api_url(default=UNREACHABLE) is None


def test_empty_url_means_none(monkeypatch, prefect_like) -> None:
    monkeypatch.setenv(API_URL_ENV, "")
    assert api_url(default=prefect_like) is None


def test_loopback_bypasses_the_proxy(monkeypatch, prefect_like) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv(API_URL_ENV, prefect_like)
    assert api_url() == prefect_like


@pytest.mark.parametrize("host", ["127.0.0.1:4200", "localhost", "[::1]:80"])
def test_loopback_addresses(host) -> None:
    assert is_loopback(f"http://{host}/api")


@pytest.mark.parametrize(
    "host", ["api.prefect.cloud", "10.0.0.5:4200", "127.0.0.1.example.org", "localhost.example.org"]
)
def test_other_addresses_are_not_loopback(host) -> None:
    assert not is_loopback(f"https://{host}/api")
