"""When work runs: the pipeline, one flow per stage, the command that `dvc.yaml` names."""
