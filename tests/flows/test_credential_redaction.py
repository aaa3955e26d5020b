"""Credentials in the source URL and the environment reach no log, artifact or file."""

from __future__ import annotations

import json

import httpx
import pytest

pytestmark = pytest.mark.slow

SECRETS = {"password": "hunter2", "query": "t0ps3cret", "environment": "AKIAVERYSECRET"}
SOURCE = f"https://user:{SECRETS['password']}@data.example/dresscode.zip?token={SECRETS['query']}"


@pytest.mark.parametrize("with_api", [True, False])
def test_credentials_are_written_nowhere(project, server, monkeypatch, with_api) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRETS["environment"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", SECRETS["environment"])
    (project.root / "real.py").write_text("from flows.stage_command import main\n\nraise SystemExit(main())\n")
    project.set("download.source", SOURCE)
    url = server if with_api else ""
    texts = []
    for command in (
        ("real.py", "download"),
        ("-m", "flows"),
        ("-m", "flows", "--check-source"),
        ("-m", "tryon", "refresh-inputs"),
    ):
        done = project.python(*command, url=url)
        assert done.returncode == 2, done.stderr
        assert "https://***@data.example/dresscode.zip?***" in done.stderr
        texts.append(done.stdout + done.stderr)
    for kind in ("logs", "artifacts", "flow_runs", "task_runs", "flow_run_states", "task_run_states"):
        response = httpx.post(f"{server}/{kind}/filter", json={}, trust_env=False)
        texts.append(response.text if response.status_code == 200 else "")
    files = [path for path in project.root.rglob("*") if path.is_file() and path.name != "params.yaml"]
    texts += [path.read_bytes().decode(errors="replace") for path in files]
    for secret in SECRETS.values():
        assert not [text for text in texts if secret in text]
    assert json.loads((project.root / "data/source.json").read_text()) == {"source": "synthetic"}
