# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import os

from hypothesis import settings

# Tests run in several processes, which would wait for each other's threads. Read when torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# No test needs a network; without one the Hub is asked again and again. Read when huggingface_hub is imported.
os.environ.setdefault("HF_HUB_OFFLINE", "1")

# The same examples in every run; `HYPOTHESIS_PROFILE=search` looks for new ones. No deadline: how long an example
# takes says how busy the machine is.
settings.register_profile("fixed", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("search", max_examples=3000, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))

# Files go to the processes in this order: one that takes minutes and comes last lets the others wait.
LONGEST_FILES = (
    "training/test_resuming.py",
    "sharing/test_push.py",
    "space/test_space.py",
    "evaluation/test_evaluate.py",
    "quickstart/test_quickstart.py",
    "modeling/test_ecosystem.py",
    "tests/test_readme.py",
    "data/test_collect.py",
)


def pytest_collection_modifyitems(items):
    places = {name: place for place, name in enumerate(LONGEST_FILES)}
    items.sort(key=lambda item: places.get("/".join(item.path.parts[-2:]), len(places)))
