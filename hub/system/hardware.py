# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The machine: its name, and what it can compute."""

from __future__ import annotations

import platform
from pathlib import Path


def processor_name() -> str:
    """Returns the name of the CPU."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def hardware(processes: int = 1) -> str:
    """Returns the machine of `processes` processes, as in "8 x NVIDIA H200" or "AMD EPYC, 2 threads"."""
    import torch

    times = f"{processes} x " if processes > 1 else ""
    if torch.cuda.is_available():
        return times + torch.cuda.get_device_name()
    threads = torch.get_num_threads()
    return f"{times}{processor_name()}, {threads} thread{'s' if threads > 1 else ''}"


def has_native_bfloat16() -> bool:
    """Returns whether bfloat16 is faster than float32 here. Where a processor only emulates it, it is slower."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported()
    # Where torch is too old to tell, float32 is the safe answer.
    capabilities: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"))
