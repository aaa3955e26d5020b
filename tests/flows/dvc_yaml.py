"""A `dvc.yaml` with the first stages of the project, without code dependencies."""

from __future__ import annotations


def first_stages(command: str) -> str:
    """Return a `dvc.yaml` with `download` and `agnostic`, to which further stages can be appended.

    Args:
        command: the command that runs a stage ("python -m flows.stage_command").
    """
    return _STAGES.replace("COMMAND", command)


_STAGES = """stages:
  download:
    cmd: exec COMMAND download
    deps: [data/source.json]
    params: [seed, download]
    outs:
      - data/index/upper_body.parquet: {persist: true}
      - data/index/lower_body.parquet: {persist: true}
      - data/index/dresses.parquet: {persist: true}
      - data/index/findings.parquet: {persist: true}
  agnostic:
    matrix: {category: [upper_body, lower_body, dresses]}
    cmd: "exec COMMAND agnostic ${item.category}"
    deps: ["data/index/${item.category}.parquet"]
    params: [image.size, agnostic]
    outs: ["data/manifests/${item.category}.parquet", "data/manifests/${item.category}_images.parquet"]
"""
