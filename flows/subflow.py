"""Run a flow as a child of a task run in another process, so that Prefect shows one tree.

Prefect supports this within a process. Across processes it takes two calls outside Prefect's public API; if they are
missing, the flow runs without a parent.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from inspect import signature
from typing import Any, TypeVar
from uuid import UUID

from httpx import HTTPStatusError
from prefect import Flow, get_client, tags

from tasks.prefect_api import TAG
from tasks.subprocesses import PARENT_TASK_RUN

Result = TypeVar("Result")


def run_as_subflow(
    flow: Flow[..., Result], parameters: dict[str, Any], context: AbstractContextManager[object] | None = None
) -> Result:
    """Run `flow` as a child of the task run in the environment variable `PARENT_TASK_RUN`, if it is set.

    Args:
        flow: the flow.
        parameters: its parameters.
        context: context manager around the flow's function; if it raises, the flow run fails.
    """
    wrapped = flow.with_options()
    wrapped.fn = _wrap_in_context(context or nullcontext(), flow.fn)
    with tags(TAG):
        return _run(wrapped, parameters, os.environ.get(PARENT_TASK_RUN))


def _wrap_in_context(context: AbstractContextManager[object], function: Callable[..., Result]) -> Callable[..., Result]:
    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Result:
        with context:
            return function(*args, **kwargs)

    # Annotations are strings; resolve them in the module of the flow, not in this one.
    vars(wrapper)["__signature__"] = signature(function, eval_str=True)
    return wrapper


def _run(flow: Flow[..., Result], parameters: dict[str, Any], parent: str | None) -> Result:
    if parent is None:
        return flow(**parameters)
    try:
        from prefect.flow_engine import run_flow

        with get_client(sync_client=True) as client:
            flow_run = client.create_flow_run(
                flow, parameters=flow.serialize_parameters(parameters), parent_task_run_id=UUID(parent), tags=[TAG]
            )
    except (ImportError, AttributeError, TypeError, HTTPStatusError):  # another version of Prefect or of its server
        return flow(**parameters)
    return run_flow(flow, flow_run=flow_run, parameters=parameters)  # pyright: ignore[reportReturnType]
