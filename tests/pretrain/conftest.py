"""Fixtures of tests/training: a small workspace and settings of one-second runs."""

from __future__ import annotations

from tests.training.conftest import enough_memory as enough_memory
from tests.training.conftest import finetune_settings as finetune_settings
from tests.training.conftest import one_thread as one_thread
from tests.training.conftest import pretrain_settings as pretrain_settings
from tests.training.conftest import workspace as workspace
