"""Find a Prefect API without importing Prefect, which takes seconds."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from http.client import HTTPException
from urllib.parse import urlparse

from tryon.errors import TryOnError

API_URL_ENV = "PREFECT_API_URL"
DEFAULT_URL = "http://127.0.0.1:4200/api"  # address of `prefect server start`
CONNECT_TIMEOUT = 5.0  # timeout in seconds for the API of PREFECT_API_URL
PROBE_TIMEOUT = 0.5  # timeout in seconds for the default address, which is on this machine
HEARTBEAT_INTERVAL = 30  # seconds between two heartbeats of a flow run, Prefect's minimum
TAG = "fitting-room"  # tag of all runs of this project, to tell them apart from other runs on the same server


class ApiError(TryOnError):
    """The Prefect API of PREFECT_API_URL does not answer."""


def send_heartbeats() -> None:
    """Enable heartbeats in flow runs of this process and its children. Must be called before Prefect is imported.

    They make the end of a run half a second slower.
    """
    os.environ.setdefault("PREFECT_FLOWS_HEARTBEAT_FREQUENCY", str(HEARTBEAT_INTERVAL))


def api_url(default: str = DEFAULT_URL) -> str | None:
    """Return the API to use: that of PREFECT_API_URL, else `default` if a Prefect server answers there, else None.

    If PREFECT_API_URL is set to an empty string, the result is None.

    Raises:
        ApiError: PREFECT_API_URL is set and does not answer.
    """
    url = os.environ.get(API_URL_ENV)
    if url is None:
        return default if is_reachable(default, PROBE_TIMEOUT) else None
    if not url:
        return None
    if not is_reachable(url, CONNECT_TIMEOUT):
        raise ApiError(
            f"no Prefect API answers at {url} ({API_URL_ENV})",
            hint=f"Start the server, or unset {API_URL_ENV} to run without Prefect.",
        )
    return url


def is_reachable(url: str, seconds: float) -> bool:
    """Return whether a Prefect API answers at `url` within `seconds`.

    Its health endpoint returns `true`. A request for a login counts as an answer; another program's page does not.
    """
    handlers = [urllib.request.ProxyHandler({})] if is_loopback(url) else []  # no proxy for this machine
    try:
        with urllib.request.build_opener(*handlers).open(f"{url.rstrip('/')}/health", timeout=seconds) as response:
            return response.read(16).strip() == b"true"
    except urllib.error.HTTPError as error:
        return error.code in (401, 403)
    except (OSError, ValueError, HTTPException):  # HTTPException: not an HTTP server
        return False


def is_loopback(url: str) -> bool:
    """Return whether `url` has a loopback address, which other machines cannot reach."""
    return urlparse(url).hostname in ("127.0.0.1", "localhost", "::1")
