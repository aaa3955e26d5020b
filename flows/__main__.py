"""`python -m flows` runs the pipeline."""

from flows.launch import main

raise SystemExit(main())
