# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Measures the paper's sizes on one GPU in bf16.

Training on packed windows of the shape of Meta-World's: tokens a second, model FLOPs utilization (MFU) and memory.
Acting with a full window in 1 and in 64 environments: actions a second.

    python tests/benchmarks/gpu.py --sizes small baseline large --positions rotary --attention flash_attention_2
    python tests/benchmarks/gpu.py --sizes nano --device cpu --rounds 2          # a check that the script runs

MFU is the FLOPs of a second over `--peak`. A token counts 6 FLOPs a parameter, vocabulary included, and 6 x layers x
width x window for causal attention (Chowdhery et al., 2022, appendix B; halved, because half the scores are masked).
"""

import time

import torch
from acting import METAWORLD, actor
from measuring import number_claim, packed_batch, parser_of, quartiles, report, text_tokenizer

from modeling_gato import GatoConfig, GatoForCausalLM
from tokenization_gato import GatoProcessor

WINDOW = 1024
ROWS = {"nano": 2, "mini": 32, "small": 32, "baseline": 16, "large": 8}
PEAK = 989e12  # dense bf16 of an H100 or H200 (NVIDIA's data sheet)
MFU_BOUND, HERTZ_BOUND = 0.5, 20.0
WARM_UP = 3  # steps


def training(model, batch, device, rounds):
    """Returns the seconds of each step, and the peak memory in bytes (0 without a GPU)."""
    is_gpu = device.startswith("cuda")
    model.train()
    batch = {name: value.to(device) for name, value in batch.items()}
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=is_gpu)
    times = []
    if is_gpu:
        torch.cuda.reset_peak_memory_stats()
    for _ in range(WARM_UP + rounds):
        started = time.perf_counter()
        with torch.autocast(device.partition(":")[0], torch.bfloat16):
            loss = model(**batch).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if is_gpu:
            torch.cuda.synchronize()
        times.append(time.perf_counter() - started)
    return times[WARM_UP:], torch.cuda.max_memory_allocated() if is_gpu else 0


def acting(model, processor, num_envs, rounds):
    """Returns the actions a second of all environments together, with a full window."""
    model = model.eval()
    act = actor(model, processor, METAWORLD, num_envs, WINDOW // 26 + 1)
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        act()  # waits for the GPU: its actions come back to the CPU
        times.append(time.perf_counter() - started)
    return num_envs / quartiles(times)[1]


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--sizes", nargs="+", default=["small", "baseline", "large"], choices=ROWS)
    parser.add_argument("--positions", default="rotary", choices=("rotary", "transformer_xl"))
    parser.add_argument("--attention", default="sdpa", choices=("sdpa", "flash_attention_2", "flex_attention"))
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--peak", type=float, default=PEAK, help="bf16 FLOPs a second of the device")
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    processor = GatoProcessor(tokenizer=text_tokenizer(32000), repeat_text_observations=False)
    claims, measurements = [], {}
    for size in arguments.sizes:
        torch.manual_seed(0)
        config = getattr(GatoConfig, size)(**processor.model_kwargs, position_embedding_type=arguments.positions)
        config.use_cache = False
        model = GatoForCausalLM._from_config(config, attn_implementation=arguments.attention).to(arguments.device)
        batch = packed_batch(processor, "metaworld", ROWS[size], WINDOW)
        trained = torch.compile(model) if arguments.compile else model
        times, memory = training(trained, batch, arguments.device, arguments.rounds)
        tokens = batch["input_ids"].numel()
        attention = 6 * config.num_hidden_layers * config.hidden_size * WINDOW
        flops = tokens * (6 * model.num_parameters() + attention)
        low, middle, high = quartiles(times)
        agents = model.to(torch.bfloat16)
        key = f"{size}, {arguments.positions}, {arguments.attention}"
        measurements[key] = {
            "tokens a second": [round(tokens / value) for value in (high, middle, low)],
            "MFU": round(flops / middle / arguments.peak, 4),
            "peak gigabytes": round(memory / 2**30, 2),
            "actions a second, 1 environment": round(acting(agents, processor, 1, arguments.rounds), 1),
            "actions a second, 64 environments": round(acting(agents, processor, 64, 5), 1),
        }
        if size in ("baseline", "large"):
            what = f"model FLOPs utilization, {key}"
            claims.append(number_claim(what, "the device's peak", measurements[key]["MFU"], MFU_BOUND, True))
        if size == "large":
            hertz = measurements[key]["actions a second, 1 environment"]
            claims.append(number_claim(f"actions a second, {key}", "20 Hz", hertz, HERTZ_BOUND, True))
        del model, trained, agents
    report(claims, measurements, arguments.out)


if __name__ == "__main__":
    main()
