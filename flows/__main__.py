"""`python -m flows` runs the pipeline."""

from flows.pipeline_command import main

raise SystemExit(main())
