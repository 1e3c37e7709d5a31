# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Tokens a second and peak memory of a training step, against transformers' Llama and GPT-2 of the same shape.

A step is a forward pass, the loss, a backward pass and AdamW, on packed windows like those of Meta-World and BabyAI.
The peers read as many tokens and compute logits at every position, as their training does. "Same shape" means the same
width, layers, heads, vocabulary and window. The feed-forward layers of Llama and GPT-2 have as many parameters as
Gato's.

    python tests/benchmarks/training.py --size mini --out training_mini.json
    python tests/benchmarks/training.py --size small --data metaworld --precision float32 --rounds 3
"""

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import torch
from measuring import (
    EPISODES,
    claim,
    in_turns,
    llama_like,
    number_claim,
    packed_batch,
    parser_of,
    report,
    spread,
    text_tokenizer,
)
from transformers import GPT2Config, GPT2LMHeadModel

from gato_hub.system.hardware import has_native_bfloat16
from modeling_gato import GatoConfig, GatoForCausalLM
from tokenization_gato import GatoProcessor

WINDOW = 1024
# Rows of a step, ids of the text vocabulary, and the target with rotary and with Transformer-XL positions.
SIZES = {
    "mini": {"rows": 2, "text": 32000, "rotary": 2.5, "transformer_xl": 1.8},
    "small": {"rows": 1, "text": 32000, "rotary": 1.3, "transformer_xl": 1.0},
}
MEMORY_BOUND = 0.7
POSITIONS = ("rotary", "transformer_xl")
PEERS = ("llama", "gpt2")


def processor_of(size):
    return GatoProcessor(tokenizer=text_tokenizer(SIZES[size]["text"]), repeat_text_observations=False)


def build(name, size, processor):
    """Returns one of the four models, in training mode."""
    torch.manual_seed(0)
    positions = name if name in POSITIONS else "rotary"
    config = getattr(GatoConfig, size)(**processor.model_kwargs, position_embedding_type=positions)
    if name in POSITIONS:
        model = GatoForCausalLM(config)
    elif name == "llama":
        model = llama_like(config, WINDOW)
    else:
        model = GPT2LMHeadModel(
            GPT2Config(
                vocab_size=config.vocab_size,
                n_embd=config.hidden_size,
                n_inner=3 * config.intermediate_size // 4,  # as many parameters as the gated one
                n_layer=config.num_hidden_layers,
                n_head=config.num_attention_heads,
                n_positions=WINDOW,
                attn_pdrop=0.0,
                embd_pdrop=0.0,
                resid_pdrop=0.0,
                bos_token_id=None,
                eos_token_id=None,
            )
        )
    model.config.use_cache = False
    return model.train()


def stepper(model, batch, is_ours, precision):
    """Returns a function that makes one training step."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)  # as in Trainer
    if not is_ours:
        batch = {"input_ids": batch["input_ids"], "labels": batch["input_ids"]}

    def step():
        # A context manager can be entered only once, so each step makes its own.
        cast = torch.autocast("cpu", torch.bfloat16) if precision == "bfloat16" else contextlib.nullcontext()
        with cast:
            loss = model(**batch).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def peak_megabytes(name, size, data, precision):
    """Returns the peak memory that a model and two steps add, in megabytes. Measured in a process of its own."""
    code = f"import training; training.print_peak({name!r}, {size!r}, {data!r}, {precision!r})"
    folder = __file__.rpartition("/")[0]
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def print_peak(name, size, data, precision):
    processor = processor_of(size)
    batch = packed_batch(processor, data, SIZES[size]["rows"], WINDOW)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = peak_so_far()
    step = stepper(build(name, size, processor), batch, name in POSITIONS, precision)
    step()
    step()
    print(peak_so_far() - before)


def peak_so_far():
    """Returns the largest resident memory of this process so far, in megabytes. For Linux only."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--size", choices=SIZES, default="mini")
    parser.add_argument("--data", nargs="+", choices=EPISODES, default=["metaworld", "babyai"])
    # Without bfloat16 instructions a step takes thirty times as long.
    precisions = ["float32", "bfloat16"] if has_native_bfloat16() else ["float32"]
    parser.add_argument("--precision", nargs="+", choices=("float32", "bfloat16"), default=precisions)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    size, about = arguments.size, SIZES[arguments.size]
    processor = processor_of(size)
    claims, measurements = [], {}
    for data in arguments.data:
        batch = packed_batch(processor, data, about["rows"], WINDOW)
        tokens = batch["input_ids"].numel()
        for precision in arguments.precision:
            steps = {
                name: stepper(build(name, size, processor), batch, name in POSITIONS, precision)
                for name in (*POSITIONS, *PEERS)
            }
            times = in_turns(steps, arguments.rounds)
            del steps
            key = f"{size}, {data}, {precision}"
            measurements[key] = spread(times) | {
                "tokens of a step": tokens,
                "labeled": round(float((batch["labels"] != -100).float().mean()), 3),
            }
            for positions in POSITIONS:
                for peer in PEERS:
                    what = f"tokens a second in training, {key}, {positions}"
                    claims.append(claim(what, peer, times[positions], times[peer], about[positions]))
        peaks = {name: peak_megabytes(name, size, data, "float32") for name in (*POSITIONS, *PEERS)}
        measurements[f"{size}, {data}, peak megabytes"] = {name: round(value, 1) for name, value in peaks.items()}
        for peer in PEERS:
            ratio = peaks["rotary"] / peaks[peer]
            what = f"peak memory of training, {size}, {data}, rotary"
            claims.append(number_claim(what, peer, ratio, MEMORY_BOUND, is_at_least=False))
    report(claims, measurements, arguments.out)


if __name__ == "__main__":
    main()
