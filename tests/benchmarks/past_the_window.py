# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Compares an agent with a memory to one that re-encodes its last window of tokens.

The two are equal until the window is full. After that the memory's keys and values still come from tokens that saw
older ones (Transformer-XL), while the re-encoded tail has forgotten these. The agent with a memory plays. At each of
its action tokens the script re-encodes the tail and compares the two distributions over legal tokens: half the sum of
the absolute differences (0 is equal, 1 is disjoint), and whether the likeliest token is the same. Then each agent
plays whole episodes alone.

    python tests/benchmarks/past_the_window.py CHECKPOINT mujoco/hopper classic-control/cart-pole --window 256

The tasks must show numbers, not pictures or texts.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import torch

from gato_hub.checkpoints.loading import load_checkpoint
from gato_hub.suites import find_task
from gato_hub.system.files import write_json
from modeling_gato import GatoAgent


class TwofoldAgent(GatoAgent):
    """Keeps all tokens that it reads, and acts by its memory or by a re-encoded tail. For one environment.

    Attributes:
        by: What it acts by, "memory" or "tail".
        compares: Whether it computes both and fills `differences`.
        differences: `(tokens read, half the sum of differences, same likeliest token, seconds of the tail)` of each
            action token.
    """

    def __init__(self, *arguments, by="memory", compares=False, **options):
        super().__init__(*arguments, **options)
        self.by, self.compares = by, compares
        self.tokens = torch.empty(2, 0, dtype=torch.long)
        self.differences = []

    def reset(self, mask=None):
        super().reset(mask)
        self.tokens = self.tokens[:, :0]

    def keep(self, module, arguments, inputs):
        if inputs.get("past_key_values") is not self.memory:
            return
        if inputs.get("pixel_values") is not None:
            raise ValueError("this benchmark reads no pictures")
        new = torch.stack([inputs["input_ids"][0], inputs["local_position_ids"][0]])
        if "attention_mask" in inputs:
            new = new[:, inputs["attention_mask"][0].bool()]
        self.tokens = torch.cat([self.tokens, new], 1)

    def _logits(self, hidden, low, high):
        by_memory = super()._logits(hidden, low, high)
        if self.by == "memory" and not self.compares:
            return by_memory
        started = time.perf_counter()
        ids, places = self.tokens[:, None, -self.window :]
        read = self.model.model(input_ids=ids, local_position_ids=places, use_cache=False).last_hidden_state[:, -1]
        by_tail = super()._logits(read, low, high)
        seconds = time.perf_counter() - started
        if self.compares:
            apart = (by_memory.softmax(-1) - by_tail.softmax(-1)).abs().sum().item() / 2
            same = bool(by_memory.argmax() == by_tail.argmax())
            self.differences.append((self.tokens.shape[1], apart, same, seconds))
        return by_memory if self.by == "memory" else by_tail


def play(task, seeds, model, processor, **options):
    """Plays an episode for each seed. Returns the agent and the returns of the episodes."""
    environment = task.make_environment()
    agent = TwofoldAgent(
        model,
        processor,
        environment.action_space,
        num_envs=None,
        observation_space=environment.observation_space,
        seed=0,
        **options,
    )
    hook = model.model.register_forward_pre_hook(agent.keep, with_kwargs=True)
    returns = []
    for seed in seeds:
        observation, _ = environment.reset(seed=seed)
        agent.reset()
        done, total = False, 0.0
        while not done:
            observation, reward, terminated, truncated, _ = environment.step(agent.act(observation))
            total += float(reward)
            done = terminated or truncated
        returns.append(total)
    hook.remove()
    environment.close()
    return agent, returns


def measure(task_id, model, processor, episodes):
    task = find_task(task_id)
    window = model.config.max_position_embeddings
    seeds = task.evaluation_seeds[:episodes]
    agent, returns = play(task, seeds, model, processor, compares=True)
    results = {"window": window, "returns by memory": returns, "windows read": []}
    last = max(length for length, *_ in agent.differences)
    for low in range(0, last, window):
        part = [one for one in agent.differences if low < one[0] <= low + window]
        results["windows read"].append(
            {
                "tokens": [low + 1, min(low + window, last)],
                "action tokens": len(part),
                "mean difference": statistics.fmean(one[1] for one in part),
                "largest difference": max(one[1] for one in part),
                "same likeliest token": statistics.fmean(one[2] for one in part),
                "milliseconds of the tail": 1e3 * statistics.median(one[3] for one in part),
            }
        )
    results["returns by the tail"] = play(task, seeds, model, processor, by="tail")[1]
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("tasks", nargs="+")
    parser.add_argument(
        "--window", type=int, nargs="*", default=[], help="Tokens of the window; the checkpoint's own by default."
    )
    parser.add_argument("--episodes", type=int, default=5)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    model, processor = load_checkpoint(arguments.checkpoint)
    results = {}
    for window in arguments.window or [model.config.max_position_embeddings]:
        model.config.max_position_embeddings = window
        for task_id in arguments.tasks:
            results[f"{task_id}, window {window}"] = result = measure(task_id, model, processor, arguments.episodes)
            print(f"{task_id}, window of {window} tokens, {arguments.episodes} episodes")
            for one in result["windows read"]:
                print(
                    f"  tokens {one['tokens'][0]} to {one['tokens'][1]}: distributions differ by "
                    f"{one['mean difference']:.4f} (at most {one['largest difference']:.4f}), the likeliest token is "
                    f"the same in {one['same likeliest token']:.1%} of {one['action tokens']}"
                )
            for by in ("memory", "the tail"):
                values = result[f"returns by {by}"]
                print(f"  return by {by}: {statistics.fmean(values):.1f}, {json.dumps([round(v, 1) for v in values])}")
    if arguments.out:
        write_json(arguments.out, results)


if __name__ == "__main__":
    main()
