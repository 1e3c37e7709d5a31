# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The time of an action with a full window, against two peers, in turns in one run.

- A Llama of transformers with the same shape reads the same new tokens with a cache of the same length. It is the
  limit.
- The same agent without a memory reads its whole window again at every step.

The script also measures how the time grows with the length of the episode and with the number of environments. A step
is like Meta-World's (21 observed numbers, an action of 4, 26 tokens) or like BabyAI's (a picture of four patches, a
direction, an action of one token, 7 tokens). It prints medians and ratios, and writes them as JSON.

    python tests/benchmarks/acting.py --sizes mini small --observations metaworld --out acting.json
"""

import itertools
import statistics
import time
from dataclasses import dataclass

import numpy as np
import torch
from gymnasium import spaces
from gymnasium.vector.utils import batch_space
from measuring import llama_like, number_claim, parser_of, report
from transformers import DynamicCache

from modeling_gato import GatoAgent, GatoConfig, GatoForCausalLM
from tokenization_gato import GatoProcessor

ENVIRONMENTS = 16
# What the time is compared with, and the largest ratio that meets the target.
BOUNDS = {
    "llama": ("a cached Llama's forward of the same tokens", 1.15),
    "re-encoding": ("re-encoding the window", 1.0),
    "each of 16 / one alone": ("one environment alone, each of 16", 0.35),
}


@dataclass(frozen=True)
class Kind:
    """The spaces of a kind of task, and the tokens of a step: `seen` with the separator, and `done`."""

    observation: spaces.Space
    action: spaces.Space
    seen: int
    done: int


METAWORLD = Kind(spaces.Box(-1, 1, (21,), np.float32), spaces.Box(-1, 1, (4,), np.float32), seen=22, done=4)
BABYAI = Kind(
    spaces.Dict(direction=spaces.Discrete(4), image=spaces.Box(0, 255, (32, 32, 3), np.uint8)),
    spaces.Discrete(7),
    seen=6,
    done=1,
)
KINDS = {"metaworld": METAWORLD, "babyai": BABYAI}


def milliseconds(function):
    started = time.perf_counter()
    function()
    return 1e3 * (time.perf_counter() - started)


def alternating(functions, rounds):
    """Median and quartiles of each function's times in milliseconds, taken in turns."""
    times = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            times[name].append(milliseconds(function))
    quartiles = {name: statistics.quantiles(values, n=4) for name, values in times.items()}
    return {name: {"median": middle, "quartiles": [low, high]} for name, (low, middle, high) in quartiles.items()}


def actor(model, processor, kind, num_envs, steps):
    """Returns a function that acts once, for an agent that has already acted `steps` times."""
    agent = GatoAgent(model, processor, kind.action, num_envs=num_envs, observation_space=kind.observation, seed=0)
    space = batch_space(kind.observation, num_envs)
    space.seed(0)
    observations = itertools.cycle([space.sample() for _ in range(64)])

    def act():
        agent.act(next(observations))

    for _ in range(steps):
        act()
    return act


def llama_reader(config, window, kind):
    """Returns functions for a Llama of this shape with a full cache: one reads the tokens of a step, one undoes it."""
    llama = llama_like(config, 2 * window).eval()
    cache = DynamicCache(config=llama.config)
    new_tokens = kind.seen + kind.done

    @torch.no_grad()
    def read(length):
        ids = torch.randint(0, config.vocab_size, (1, length))
        return llama(ids, past_key_values=cache, use_cache=True, logits_to_keep=1)

    read(window - new_tokens)

    def step():
        read(kind.seen + 1)  # and the last action token of the step before
        for _ in range(kind.done - 1):
            read(1)

    def back():
        cache.crop(-new_tokens)

    return step, back, llama


def reader_of_everything(model, window, kind):
    """Returns a function that reads the whole window for each action token, as an agent without a memory does."""
    ids = torch.randint(0, 256, (1, window - kind.done))

    @torch.no_grad()
    def step():
        for number in range(kind.done):
            model(ids[:, : window - kind.done + number], use_cache=False, logits_to_keep=1)

    return step


def measure(size, positions, kind, rounds):
    processor = GatoProcessor()
    torch.manual_seed(0)
    config = getattr(GatoConfig, size)(**processor.model_kwargs, position_embedding_type=positions)
    model = GatoForCausalLM(config).eval()
    window = config.max_position_embeddings
    full = window // (kind.seen + kind.done) + 1
    llama_step, llama_back, _ = llama_reader(config, window, kind)
    one = actor(model, processor, kind, 1, full)

    def llama():
        llama_step()

    results = {"window": window, "parameters": model.num_parameters()}
    functions = {"agent": one, "llama": llama}
    times = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            times[name].append(milliseconds(function))
        llama_back()
    for name, values in times.items():
        low, middle, high = statistics.quantiles(values, n=4)
        results[name] = {"median": middle, "quartiles": [low, high]}
    results |= alternating({"re-encoding": reader_of_everything(model, window, kind)}, max(4, rounds // 10))
    # Once the window is full the time stays the same, so a large model plays fewer than a thousand steps.
    late = f"after {1000 if size in ('nano', 'mini') else 3 * full} steps"
    long = actor(model, processor, kind, 1, int(late.split()[1]))
    results |= alternating({"after 10 steps": actor(model, processor, kind, 1, 10), late: long}, rounds // 2)
    many = actor(model, processor, kind, ENVIRONMENTS, full)
    results |= alternating({f"{ENVIRONMENTS} environments": many, "one environment": one}, max(4, rounds // 5))
    agent = results["agent"]["median"]
    results["ratios"] = {
        "llama": agent / results["llama"]["median"],
        "re-encoding": agent / results["re-encoding"]["median"],
        f"{late} / after 10": results[late]["median"] / results["after 10 steps"]["median"],
        "each of 16 / one alone": results[f"{ENVIRONMENTS} environments"]["median"]
        / ENVIRONMENTS
        / results["one environment"]["median"],
        "actions a second": 1e3 / agent,
    }
    return results


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--sizes", nargs="+", default=["mini", "small"])
    parser.add_argument("--positions", default="rotary", choices=("rotary", "transformer_xl"))
    parser.add_argument("--observations", default="metaworld", choices=KINDS)
    parser.add_argument("--rounds", type=int, default=40)
    arguments = parser.parse_args()
    results, claims = {}, []
    for size in arguments.sizes:
        results[size] = measure(size, arguments.positions, KINDS[arguments.observations], arguments.rounds)
        millions = results[size]["parameters"] / 1e6
        print(f"{size}, {arguments.positions}, {arguments.observations}, {millions:.1f} M parameters")
        for name, value in results[size].items():
            if isinstance(value, dict) and "median" in value:
                low, high = value["quartiles"]
                print(f"  {name}: {value['median']:.2f} ms ({low:.2f} to {high:.2f})")
        what = f"{size}, {arguments.observations}, {arguments.positions}"
        for name, value in results[size]["ratios"].items():
            print(f"  {name}: {value:.3f}")
            if name in BOUNDS:
                against, bound = BOUNDS[name]
                claims.append(number_claim(f"time of an action, {what}", against, value, bound, is_at_least=False))
            elif "/ after 10" in name:
                late = name.partition(" /")[0]
                claims.append(number_claim(f"time of an action {late}, {what}", "after 10", value, 1.2, False))
            elif name == "actions a second" and size == "small" and arguments.observations == "metaworld":
                claims.append(number_claim(f"actions a second, {what}", "20 Hz", value, 20, is_at_least=True))
    report(claims, results, arguments.out)


if __name__ == "__main__":
    main()
