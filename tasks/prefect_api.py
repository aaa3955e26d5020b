"""Is there a Prefect API to talk to? Answered without importing Prefect, which takes seconds."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from http.client import HTTPException
from urllib.parse import urlparse

from tryon.errors import TryOnError

API_URL_ENV = "PREFECT_API_URL"
DEFAULT_URL = "http://127.0.0.1:4200/api"
"""Where `prefect server start` listens."""

CONNECT_TIMEOUT = 5.0
"""Seconds that an API gets which somebody asked for."""

PROBE_TIMEOUT = 0.5
"""Seconds that the default address gets: on this machine, it is there or it is not."""


HEARTBEAT_INTERVAL = 30
"""Seconds between two heartbeats of a flow run, the least that Prefect takes."""

TAG = "fitting-room"
"""On every run of this project, so that nobody else's runs on the same server are taken for one."""


class ApiError(TryOnError):
    """The Prefect API that was asked for does not answer."""


def send_heartbeats() -> None:
    """Have flow runs of this process and its children tell the server that they live; call it before importing Prefect.

    The end of a run takes half a second longer for it.
    """
    os.environ.setdefault("PREFECT_FLOWS_HEARTBEAT_FREQUENCY", str(HEARTBEAT_INTERVAL))


def api_url(default: str = DEFAULT_URL) -> str | None:
    """The API to use: the one that PREFECT_API_URL names, else `default` if a Prefect server answers there, else None.

    PREFECT_API_URL set to nothing means none, whoever answers at `default`.

    Raises:
        ApiError: PREFECT_API_URL is set and nothing answers there.
    """
    url = os.environ.get(API_URL_ENV)
    if url is None:
        return default if is_reachable(default, PROBE_TIMEOUT) else None
    if not url:
        return None
    if not is_reachable(url, CONNECT_TIMEOUT):
        remedy = f"Start it, or unset {API_URL_ENV} to run without Prefect."
        raise ApiError(API_URL_ENV, expected="names a Prefect API that answers", found=url, hint=remedy)
    return url


def is_reachable(url: str, seconds: float) -> bool:
    """Does a Prefect API answer at `url` within `seconds`?

    Its health page says `true`. A page that asks for a login is taken for an answer as well, another program's is not.
    """
    # A proxy has no business between two processes of one machine.
    handlers = [urllib.request.ProxyHandler({})] if is_loopback(url) else []
    try:
        with urllib.request.build_opener(*handlers).open(f"{url.rstrip('/')}/health", timeout=seconds) as answer:
            return answer.read(16).strip() == b"true"
    except urllib.error.HTTPError as error:
        return error.code in (401, 403)
    except (OSError, ValueError, HTTPException):  # the last: whoever answers does not speak HTTP
        return False


def is_loopback(url: str) -> bool:
    """Does `url` name this machine by its loopback address, which no other machine can reach?"""
    return urlparse(url).hostname in ("127.0.0.1", "localhost", "::1")
