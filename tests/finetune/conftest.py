"""The fixtures of the training loop: a small workspace and settings of runs that take a second."""

from __future__ import annotations

from tests.training.conftest import enough_memory as enough_memory
from tests.training.conftest import finetune_settings as finetune_settings
from tests.training.conftest import one_thread as one_thread
from tests.training.conftest import pretrain_settings as pretrain_settings
from tests.training.conftest import workspace as workspace
