"""When work runs: the pipeline, one flow per stage, the command that `dvc.yaml` names."""

import tasks as tasks  # switches analytics off before anything here imports Prefect
