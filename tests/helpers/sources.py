# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Collected episodes as sources, and the spaces of their tasks."""

from gato_hub.data.files import parquet_files
from gato_hub.data.source import EpisodeSource
from gato_hub.suites import find_task


def source_of(folder, task_id, **options):
    return EpisodeSource(parquet_files(str(folder / task_id)), **options)


def spaces_of(task_id):
    if task_id.startswith("captions"):
        return {}
    environment = find_task(task_id).make_environment()
    return {"observation_space": environment.observation_space, "action_space": environment.action_space}
