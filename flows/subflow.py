"""Runs a flow in this process as a child of a task run in another one, so that Prefect shows both as one tree.

Prefect does this for flows that call flows within a process. Across processes it takes two calls that Prefect has but
does not promise to keep; without them the flow runs just the same and stands beside its parent in the list of runs.
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
    """Run `flow` under the task run that the environment names, or by itself if it names none.

    Args:
        flow: what is run.
        parameters: its parameters.
        context: entered and left as part of the flow, whose run fails if that raises.
    """
    own = flow.with_options()
    own.fn = _wrap_in_context(context or nullcontext(), flow.fn)
    with tags(TAG):
        return _run(own, parameters, os.environ.get(PARENT_TASK_RUN))


def _wrap_in_context(around: AbstractContextManager[object], work: Callable[..., Result]) -> Callable[..., Result]:
    @wraps(work)
    def surrounded(*arguments: Any, **named: Any) -> Result:
        with around:
            return work(*arguments, **named)

    # Names in annotations mean what they mean in the flow's module, not in this one.
    vars(surrounded)["__signature__"] = signature(work, eval_str=True)
    return surrounded


def _run(flow: Flow[..., Result], parameters: dict[str, Any], parent: str | None) -> Result:
    if parent is None:
        return flow(**parameters)
    try:
        from prefect.flow_engine import run_flow

        with get_client(sync_client=True) as client:
            flow_run = client.create_flow_run(
                flow, parameters=flow.serialize_parameters(parameters), parent_task_run_id=UUID(parent), tags=[TAG]
            )
    except (ImportError, AttributeError, TypeError, HTTPStatusError):  # another version of Prefect, or of its server
        return flow(**parameters)
    return run_flow(flow, flow_run=flow_run, parameters=parameters)  # pyright: ignore[reportReturnType]
