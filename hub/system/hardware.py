# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""What a run computes on, and what that can do."""

from __future__ import annotations

import platform


def processor_name() -> str:
    """Of the CPU."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def hardware(processes: int = 1) -> str:
    """What `processes` processes compute on: "NVIDIA H200", "8 x NVIDIA H200", "AMD EPYC, 2 threads"."""
    import torch

    times = f"{processes} x " if processes > 1 else ""
    if torch.cuda.is_available():
        return times + torch.cuda.get_device_name()
    threads = torch.get_num_threads()
    return f"{times}{processor_name()}, {threads} thread{'s' if threads > 1 else ''}"


def has_native_bfloat16() -> bool:
    """Whether bfloat16 is faster than float32 here; a processor that only emulates it is slower."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported()
    # Where torch is too old to tell, float32 is the safe answer.
    capabilities: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"))
