#!/usr/bin/env python3
# PyTorch on a GPU: attention with a dense mask, and a training step of HMAR-d16 built on it.
# SPDX-License-Identifier: Apache-2.0
"""Times what `workbench bench attention` and `workbench bench training` time, in plain PyTorch.

Attention: 24 heads of 64 at the token maps of 1024 pixels, batch 4, bf16, block-diagonal additive mask.
Training step: depth 16 at the token maps of 256 pixels, bf16 autocast, fused AdamW, clipping.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
from collections.abc import Callable

try:
    import torch
    import torch.nn.functional as F
    from torch import nn
except ImportError:
    sys.exit("gpu_dense_mask.py needs PyTorch with CUDA: pip install torch")

SIDES = {
    256: (1, 2, 3, 4, 5, 6, 8, 10, 13, 16),
    512: (1, 2, 3, 4, 6, 9, 13, 18, 24, 32),
    1024: (1, 2, 3, 4, 5, 7, 9, 12, 16, 21, 27, 36, 48, 64),
}


def dense_mask(side: int, causal: bool = False) -> torch.Tensor:
    """0 where a token sees another, else -inf; [1, 1, L, L] in bf16."""
    counts = [s * s for s in SIDES[side]]
    level = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts)).cuda()
    seen = level[:, None] >= level if causal else level[:, None] == level
    mask = torch.zeros(seen.shape, device="cuda", dtype=torch.bfloat16)
    return mask.masked_fill_(~seen, -math.inf)[None, None]


def milliseconds(body: Callable[[], object], runs: int) -> float:
    """The median of `runs` runs after three that do not count."""
    for _ in range(3):
        body()
    times = []
    for _ in range(runs):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        body()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end))
    return statistics.median(times)


class Block(nn.Module):
    """Self-attention and feed-forward, both modulated and gated by the condition."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.modulation = nn.Linear(width, 6 * width)
        self.qkv = nn.Linear(width, 3 * width)
        self.scale = nn.Parameter(torch.full((1, heads, 1, 1), math.log(4)))
        self.projection = nn.Linear(width, width)
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor, c: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """One block over [B, L, C]."""
        g1, g2, s1, s2, b1, b2 = self.modulation(F.silu(c))[:, None].chunk(6, -1)
        batch, length, width = x.shape
        h = F.layer_norm(x, (width,), eps=1e-6) * (1 + s1) + b1
        q, k, v = self.qkv(h).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        q = F.normalize(q, dim=-1) * self.scale.clamp_max(math.log(100)).exp()
        q, k = q.to(v.dtype), F.normalize(k, dim=-1).to(v.dtype)
        h = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=1.0)
        x = x + self.projection(h.transpose(1, 2).reshape(x.shape)) * g1
        h = F.layer_norm(x, (width,), eps=1e-6) * (1 + s2) + b2
        return x + self.fc2(F.gelu(self.fc1(h), approximate="tanh")) * g2


class Network(nn.Module):
    """HMAR's phase 1 without its input embedding, which costs next to nothing."""

    def __init__(self, depth: int, vocabulary: int = 4096) -> None:
        super().__init__()
        width = 64 * depth
        self.classes = nn.Embedding(1001, width)
        self.word = nn.Linear(32, width)
        self.blocks = nn.ModuleList(Block(width, depth) for _ in range(depth))
        self.modulation = nn.Linear(width, 2 * width)
        self.head = nn.Linear(width, vocabulary)

    def forward(self, rows: torch.Tensor, label: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Logits [B, L, V]."""
        c = self.classes(label)
        x = self.word(rows) + c[:, None]
        for block in self.blocks:
            x = block(x, c, mask)
        scale, shift = self.modulation(F.silu(c))[:, None].chunk(2, -1)
        return self.head(F.layer_norm(x, (x.shape[-1],), eps=1e-6) * (1 + scale) + shift)


def attention(runs: int) -> dict[str, float]:
    """Forward, and forward and backward, in milliseconds."""
    length = sum(s * s for s in SIDES[1024])
    mask = dense_mask(1024)
    q, k, v = (
        torch.randn(4, 24, length, 64, device="cuda", dtype=torch.bfloat16, requires_grad=True)
        for _ in range(3)
    )
    with torch.no_grad():
        forward = milliseconds(
            lambda: F.scaled_dot_product_attention(q, k, v, attn_mask=mask), runs
        )
    gradient = torch.randn_like(v)

    def both() -> None:
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        torch.autograd.grad(out, (q, k, v), gradient)

    return {"attention_forward_ms": forward, "attention_both_ms": milliseconds(both, runs)}


def training(depth: int, batch: int, runs: int) -> dict[str, float]:
    """A whole step in milliseconds, and pictures a second."""
    torch.backends.cuda.matmul.allow_tf32 = True
    network = Network(depth).cuda()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4, betas=(0.9, 0.95), fused=True)
    length = sum(s * s for s in SIDES[256])
    mask = dense_mask(256)
    rows = torch.randn(batch, length, 32, device="cuda")
    label = torch.randint(1000, (batch,), device="cuda")
    target = torch.randint(4096, (batch, length), device="cuda")
    weight = torch.rand(length, device="cuda")

    def step() -> None:
        with torch.autocast("cuda", dtype=torch.bfloat16):
            logits = network(rows, label, mask)
        loss = F.cross_entropy(logits.flatten(0, 1).float(), target.flatten(), reduction="none")
        (loss.view(batch, length) * weight).mean().backward()
        nn.utils.clip_grad_norm_(network.parameters(), 2)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    time = milliseconds(step, runs)
    return {"training_step_ms": time, "pictures_per_second": 1e3 * batch / time}


def main() -> None:
    """Prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--depth", type=int, default=16)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--runs", type=int, default=10)
    arguments = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("gpu_dense_mask.py: PyTorch finds no GPU")
    figures: dict[str, object] = {
        "gpu": torch.cuda.get_device_name(),
        "torch": torch.__version__,
    }
    figures |= attention(arguments.runs)
    torch.cuda.empty_cache()
    figures |= training(arguments.depth, arguments.batch, arguments.runs)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
