# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""What the benchmarks share: they take times in turns, hold ratios against targets, and write a report.

A benchmark prints its measurements and its claims. `--out FILE` also writes them as JSON:
`{"claims": [{"what", "against", "ratio", "low", "high", "bound", "is_at_least", "met"}], "measurements": {...}, ...}`.
Each round does the same work on both sides and gives one ratio; `low` and `high` are the quartiles of these ratios.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gato_hub.system.files import write_json
from gato_hub.system.hardware import processor_name
from gato_hub.system.packages import package_versions
from gato_hub.system.provenance import git_commit


@dataclass(frozen=True)
class Claim:
    """A ratio and its target: at least `bound`, or at most `bound`."""

    what: str
    against: str
    ratio: float
    low: float
    high: float
    bound: float
    is_at_least: bool

    @property
    def met(self) -> bool:
        return self.ratio >= self.bound if self.is_at_least else self.ratio <= self.bound

    def __str__(self) -> str:
        sign = ">=" if self.is_at_least else "<="
        spread = f" ({self.low:.3f} to {self.high:.3f})" if self.low != self.high else ""
        state = "met" if self.met else "MISSED"
        return f"{self.what}, against {self.against}: {self.ratio:.3f}{spread}, {sign} {self.bound:g}: {state}"


def seconds(function: Callable[[], Any]) -> float:
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def in_turns(functions: Mapping[str, Callable[[], Any]], rounds: int, warm_up: int = 1) -> dict[str, list[float]]:
    """Seconds of each function in each round. The functions take turns, so a slow minute is slow for all of them."""
    for _ in range(warm_up):
        for function in functions.values():
            function()
    times: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            times[name].append(seconds(function))
    return times


def quartiles(values: list[float]) -> tuple[float, float, float]:
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def claim(
    what: str, against: str, ours: list[float], theirs: list[float], bound: float, is_at_least: bool = True
) -> Claim:
    """Their time over ours, round by round: how much faster we are. With `is_at_least=False`, our time over theirs."""
    ratios = [b / a if is_at_least else a / b for a, b in zip(ours, theirs, strict=True)]
    low, middle, high = quartiles(ratios)
    return Claim(what, against, middle, low, high, bound, is_at_least)


def number_claim(what: str, against: str, ratio: float, bound: float, is_at_least: bool) -> Claim:
    """A claim about a number without a spread, such as peak memory."""
    return Claim(what, against, ratio, ratio, ratio, bound, is_at_least)


def spread(times: Mapping[str, list[float]]) -> dict[str, dict[str, float]]:
    """Median and quartiles in milliseconds, for the JSON."""
    rows = {}
    for name, values in times.items():
        low, middle, high = quartiles([1e3 * value for value in values])
        rows[name] = {"milliseconds": round(middle, 3), "low": round(low, 3), "high": round(high, 3)}
    return rows


def parser_of(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--out", type=Path, help="a JSON file")
    return parser


def report(claims: list[Claim], measurements: Mapping[str, Any], out: Path | None) -> None:
    """Prints measurements and claims, and writes them to `out` unless it is None."""
    print(json.dumps(measurements, indent=1))
    for one in claims:
        print(one)
    if out is not None:
        about = {
            "machine": processor_name(),
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "git_commit": git_commit(),
            "versions": package_versions(("torch", "transformers")),
        }
        entries = [asdict(one) | {"met": one.met} for one in claims]
        write_json(out, {"claims": entries, "measurements": measurements, **about})


# ---------------------------------------------------------------------------------------------------------------
# Work
# ---------------------------------------------------------------------------------------------------------------


def metaworld_episodes(number: int, steps: int = 200, seed: int = 0) -> list[dict[str, Any]]:
    """Random episodes of the shape of Meta-World's: a step has 21 observed numbers and an action of 4."""
    random = np.random.default_rng(seed)
    return [
        {
            "task": "reach",
            "continuous_observations": random.normal(size=(steps, 21)).cumsum(0) * 0.1,
            "continuous_actions": random.uniform(-1, 1, (steps, 4)),
        }
        for _ in range(number)
    ]


def babyai_episodes(number: int, seed: int = 0) -> list[dict[str, Any]]:
    """Episodes of BabyAI's bot, as `gato collect` makes them."""
    from gato_hub.acting.rollout import run_expert
    from gato_hub.data.rows import episode_row
    from gato_hub.suites import find_task

    task = find_task("babyai/go-to-local")
    environment = task.make_environment()
    spaces = environment.observation_space, environment.action_space
    rollouts = [run_expert(task, environment, task.train_seeds[seed + index]) for index in range(number)]
    environment.close()
    return [episode_row(rollout, *spaces, task=task.id, expert=task.expert) for rollout in rollouts]


def picture_episodes(number: int, steps: int = 50, seed: int = 0) -> list[dict[str, Any]]:
    """Random episodes of the shape of Atari's: 84 x 84 screens."""
    random = np.random.default_rng(seed)
    return [
        {
            "task": "screens",
            "image_observations": list(random.integers(0, 256, (steps, 84, 84, 3), dtype=np.uint8)),
            "discrete_actions": random.integers(0, 18, steps),
        }
        for _ in range(number)
    ]


EPISODES = {"metaworld": metaworld_episodes, "babyai": babyai_episodes, "screens": picture_episodes}


def text_tokenizer(size: int):
    """A text tokenizer with `size` ids, most of them unused. The paper's vocabulary has 32000."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    pieces = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces += [f"unused{number}" for number in range(size - len(pieces))]
    tokenizer = Tokenizer(models.BPE(vocab={piece: number for number, piece in enumerate(pieces)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer)


def llama_like(config, window: int):
    """A Llama of the same shape as a `GatoConfig`: its layers and its vocabulary have as many parameters."""
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=config.vocab_size,
            hidden_size=config.hidden_size,
            intermediate_size=config.intermediate_size // 2,  # after the gate
            num_hidden_layers=config.num_hidden_layers,
            num_attention_heads=config.num_attention_heads,
            max_position_embeddings=window,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=None,
        )
    )


def packed_batch(processor, kind: str, rows: int, length: int) -> dict[str, torch.Tensor]:
    """A training batch of `rows` full rows, packed with windows of one kind of episodes."""
    from tokenization_gato import GatoDataCollator

    tokens_of_an_episode = {"metaworld": 5200, "babyai": 60, "screens": 1900}[kind]
    # An episode gives one window, so a row takes at least one.
    number = max(8, rows, 2 * rows * length // tokens_of_an_episode)
    collate = GatoDataCollator(processor, max_length=length, loss_on_observation_text=False, seed=0)
    batch = collate(EPISODES[kind](number))
    if len(batch["input_ids"]) < rows:
        raise ValueError(f"{number} episodes of {kind} fill only {len(batch['input_ids'])} of {rows} rows")
    ends = int((batch["input_ids"][:rows] == processor.image_token_id).sum())
    shape = batch["input_ids"].shape
    cut = {name: value[:rows] for name, value in batch.items() if tuple(value.shape[:2]) == tuple(shape)}
    for name in ("pixel_values", "patch_positions"):
        if name in batch:
            cut[name] = batch[name][:ends]
    return cut
