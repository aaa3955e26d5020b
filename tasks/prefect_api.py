"""Is there a Prefect API to talk to? Answered without importing Prefect, which takes seconds."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from http.client import HTTPException
from urllib.parse import urlparse

from tryon.errors import TryOnError

VARIABLE = "PREFECT_API_URL"
DEFAULT_URL = "http://127.0.0.1:4200/api"
"""Where `prefect server start` listens."""

PATIENCE = 5.0
"""Seconds that an API gets which somebody asked for."""

GLANCE = 0.5
"""Seconds that the default address gets: on this machine, it is there or it is not."""


HEARTBEAT = 30
"""Seconds between two heartbeats of a flow run, the least that Prefect takes."""

TAG = "fitting-room"
"""On every run of this project, so that nobody else's runs on the same server are taken for one."""


class ApiError(TryOnError):
    """The Prefect API that was asked for does not answer."""


def send_heartbeats() -> None:
    """Have flow runs of this process and its children tell the server that they live; call it before importing Prefect.

    The end of a run takes half a second longer for it.
    """
    os.environ.setdefault("PREFECT_FLOWS_HEARTBEAT_FREQUENCY", str(HEARTBEAT))


def api_url(default: str = DEFAULT_URL) -> str | None:
    """The API to use: the one that PREFECT_API_URL names, else `default` if a Prefect server answers there, else None.

    PREFECT_API_URL set to nothing means none, whoever answers at `default`.

    Raises:
        ApiError: PREFECT_API_URL is set and nothing answers there.
    """
    url = os.environ.get(VARIABLE)
    if url is None:
        return default if answers(default, GLANCE) else None
    if not url:
        return None
    if not answers(url, PATIENCE):
        remedy = f"Start it, or unset {VARIABLE} to run without Prefect."
        raise ApiError(VARIABLE, rule="names a Prefect API that answers", value=url, remedy=remedy)
    return url


def answers(url: str, seconds: float) -> bool:
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
