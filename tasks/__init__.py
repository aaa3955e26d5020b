"""How a stage's work becomes Prefect tasks: thin wrappers around `tryon`, DVC calls, artifacts.

Importing this package switches off what Prefect and DVC would report home; Prefect looks as it is imported itself.
"""

import os

for _name, _value in {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
    "DVC_NO_ANALYTICS": "true",
}.items():
    os.environ.setdefault(_name, _value)
