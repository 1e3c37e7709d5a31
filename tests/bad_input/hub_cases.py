# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""What each public function says to input it can't use: (name, call, type of the error, pattern of its message)."""

import numpy as np
from gymnasium import spaces

from gato_hub.collect import collect
from gato_hub.episodes import episode_features, read_episodes
from gato_hub.evaluate import evaluate_agent
from gato_hub.scores import score
from gato_hub.suites import find_task
from gato_hub.suites.babyai import draw_view

TASK = "babyai/go-to-local"
NOWHERE = "no/such/folder"

BAD_INPUT_CASES = [
    (
        "task_typo",
        lambda: find_task("babyai/go-to-loca"),
        ValueError,
        "no task 'babyai/go-to-loca'.*babyai/go-to-local",
    ),
    ("view_without_channels", lambda: draw_view(np.zeros((7, 7), np.uint8)), ValueError, r"not \(7, 7\)"),
    ("view_of_unknown_objects", lambda: draw_view(np.full((7, 7, 3), 99)), ValueError, "largest values are"),
    ("collect_no_episodes", lambda: collect(TASK, NOWHERE, 0), ValueError, "episodes must be at least 1, not 0"),
    ("collect_no_workers", lambda: collect(TASK, NOWHERE, 1, workers=0), ValueError, "workers must be at least 1"),
    ("collect_unknown_task", lambda: collect("chess", NOWHERE, 1), ValueError, "no task 'chess'"),
    (
        "collect_evaluation_seeds",
        lambda: collect(TASK, NOWHERE, 1, first_seed=2**31 - 5),
        ValueError,
        "training seeds",
    ),
    ("read_nowhere", lambda: read_episodes(NOWHERE), ValueError, "no episodes in no/such/folder"),
    (
        "episodes_of_an_unknown_space",
        lambda: episode_features(spaces.Sequence(spaces.Discrete(2)), spaces.Discrete(2)),
        ValueError,
        "is a Sequence",
    ),
    (
        "evaluate_no_seeds",
        lambda: evaluate_agent(find_task(TASK), [], None, None),
        ValueError,
        r"num_environments \(32\) and the number of seeds \(0\)",
    ),
    ("score_of_nothing", lambda: score(TASK, "agent", []), ValueError, "nothing to score"),
]
