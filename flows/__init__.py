"""Prefect flows: the pipeline, one flow per stage, and the command of `dvc.yaml`."""

import tasks as tasks  # disables telemetry before Prefect is imported
