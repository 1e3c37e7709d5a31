# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Results of evaluations as the tests of summaries, tables and comparisons need them."""

from gato_hub.suites import registered_task

SOLVED, HARD, RETURN = "babyai/go-to-local", "babyai/pickup-loc", "classic-control/pendulum"


def episodes(values, success=True, first_seed=0):
    return [
        {
            "seed": first_seed + number,
            "return": float(value),
            "success": bool(value) if success else None,
            "length": 10,
        }
        for number, value in enumerate(values)
    ]


def control(values, score="success"):
    return {"kind": "control", "score": score, "episodes": episodes(values, score == "success"), "seconds": 1.0}


def entries_of_six_tasks():
    """Control tasks of two suites, one without a reference, one that failed, and captions."""
    pendulum = registered_task(RETURN)
    expert, random = (pendulum.value(score) for score in (pendulum.expert_score, pendulum.random_score))
    broken = control([1, 1, 0, 1])
    broken["episodes"][2]["error"] = "step 3: RuntimeError: lost"
    return {
        SOLVED: control([1] * 19 + [0]),
        HARD: broken,
        RETURN: control([expert, expert, random, random], "return"),
        "atari/alien": control([1.0, 2.0], "return"),
        "minigrid/unlock": {"kind": "control", "score": "success", "episodes": [], "failure": "ValueError: too long"},
        "captions/shapes": {
            "kind": "documents",
            "score": "exact match",
            "rows": 2,
            "matches": [True, False],
            "answers": ["a", "b"],
            "exact_match": 0.5,
            "bleu": 40.0,
            "chrf": 50.0,
        },
    }


def finished(successes, returns):
    """Episodes as the evaluator writes them, from their successes and returns."""
    return [
        {"seed": 100 + number, "return": value, "success": success, "length": 5 + number}
        for number, (success, value) in enumerate(zip(successes, returns, strict=True))
    ]
