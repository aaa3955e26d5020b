"""Finding a Prefect API without Prefect: asked for, there by default, or something else on its port."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tasks.prefect_api import API_URL_ENV, ApiError, api_url, is_loopback

NOBODY = "http://127.0.0.1:9/api"


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
    """Greets whoever connects, the way a mail or a shell server does."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            while True:
                try:
                    with server.accept()[0] as caller:
                        caller.sendall(b"220 welcome\r\n")
                except OSError:
                    return

        threading.Thread(target=greet, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/api"
        server.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def prefect_like() -> Iterator[str]:
    yield from serve(200, b"true")


@pytest.fixture
def locked() -> Iterator[str]:
    yield from serve(401, b"who are you?")


@pytest.fixture
def another_program() -> Iterator[str]:
    yield from serve(200, b"<!doctype html>")


def test_an_api_that_is_named_has_to_answer(monkeypatch, prefect_like, locked) -> None:
    for url in (prefect_like, prefect_like + "/", locked):
        monkeypatch.setenv(API_URL_ENV, url)
        assert api_url(default=NOBODY) == url
    monkeypatch.setenv(API_URL_ENV, NOBODY)
    with pytest.raises(ApiError, match="names a Prefect API that answers"):
        api_url(default=prefect_like)


def test_without_a_name_the_default_is_taken_if_it_is_prefect(
    monkeypatch, prefect_like, another_program, not_http
) -> None:
    monkeypatch.delenv(API_URL_ENV, raising=False)
    assert api_url(default=prefect_like) == prefect_like
    assert api_url(default=another_program) is None
    assert api_url(default=not_http) is None
    assert api_url(default=NOBODY) is None


def test_an_empty_name_means_none(monkeypatch, prefect_like) -> None:
    monkeypatch.setenv(API_URL_ENV, "")
    assert api_url(default=prefect_like) is None


def test_a_proxy_does_not_come_between(monkeypatch, prefect_like) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv(API_URL_ENV, prefect_like)
    assert api_url() == prefect_like


@pytest.mark.parametrize("host", ["127.0.0.1:4200", "localhost", "[::1]:80"])
def test_loopback_is_this_machine(host) -> None:
    assert is_loopback(f"http://{host}/api")


@pytest.mark.parametrize(
    "host", ["api.prefect.cloud", "10.0.0.5:4200", "127.0.0.1.example.org", "localhost.example.org"]
)
def test_any_other_name_may_be_another_machine(host) -> None:
    assert not is_loopback(f"https://{host}/api")
