"""Prefect tasks: thin wrappers around `tryon`, DVC calls and artifacts.

Importing this package disables the telemetry of Prefect and DVC; Prefect reads these variables when it is imported.
"""

import os

for _name, _value in {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
    "DVC_NO_ANALYTICS": "true",
}.items():
    os.environ.setdefault(_name, _value)
