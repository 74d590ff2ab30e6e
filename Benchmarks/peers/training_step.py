#!/usr/bin/env python3
# A training step of a small HMAR: plain PyTorch and ours, in turn.
# SPDX-License-Identifier: Apache-2.0
"""Times HMAR's phase 1 at d = 6, C = 192: forward, weighted loss, backward, clipping, AdamW."""

from __future__ import annotations

import math

import turns  # Says what to do when PyTorch is missing.
import torch
import torch.nn.functional as F
from torch import nn

SIDES = (1, 2, 3, 4, 6, 8)
COUNTS = [side**2 for side in SIDES]
LENGTH = sum(COUNTS)
DEPTH, WIDTH, HEADS = 6, 192, 6
CLASSES, VOCABULARY, LATENT = 16, 512, 16


class Block(nn.Module):
    """Self-attention and feed-forward, both modulated and gated by the condition."""

    def __init__(self) -> None:
        super().__init__()
        self.modulation = nn.Linear(WIDTH, 6 * WIDTH)
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.q_bias = nn.Parameter(torch.zeros(WIDTH))
        self.v_bias = nn.Parameter(torch.zeros(WIDTH))
        self.register_buffer("k_bias", torch.zeros(WIDTH))
        self.scale = nn.Parameter(torch.full((1, HEADS, 1, 1), math.log(4)))
        self.projection = nn.Linear(WIDTH, WIDTH)
        self.fc1 = nn.Linear(WIDTH, 4 * WIDTH)
        self.fc2 = nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        parts = self.modulation(condition)[:, None].chunk(6, -1)
        gamma1, gamma2, scale1, scale2, shift1, shift2 = parts
        x = x + self.attend(norm(x) * (1 + scale1) + shift1) * gamma1
        hidden = F.gelu(self.fc1(norm(x) * (1 + scale2) + shift2), approximate="tanh")
        return x + self.fc2(hidden) * gamma2

    def attend(self, x: torch.Tensor) -> torch.Tensor:
        batch = x.shape[0]
        bias = torch.cat([self.q_bias, self.k_bias, self.v_bias])
        qkv = F.linear(x, self.qkv.weight, bias).view(batch, LENGTH, 3, HEADS, WIDTH // HEADS)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        q = F.normalize(q, dim=-1) * self.scale.clamp_max(math.log(100)).exp()
        k = F.normalize(k, dim=-1)
        # Tokens see their own map only, so every map is one dense attention: less work than a
        # masked attention over the whole sequence, and faster on a CPU.
        parts = [q.split(COUNTS, 2), k.split(COUNTS, 2), v.split(COUNTS, 2)]
        mixed = [F.scaled_dot_product_attention(*qkv, scale=1.0) for qkv in zip(*parts)]
        y = torch.cat(mixed, 2).transpose(1, 2).reshape(batch, LENGTH, WIDTH)
        return self.projection(y)


class NextScale(nn.Module):
    """The next-scale network of HMAR's first phase."""

    def __init__(self) -> None:
        super().__init__()
        self.word = nn.Linear(LATENT, WIDTH)
        self.classes = nn.Embedding(CLASSES + 1, WIDTH)
        self.start = nn.Parameter(torch.randn(1, 1, WIDTH) * 0.02)
        self.positions = nn.Parameter(torch.randn(1, LENGTH, WIDTH) * 0.02)
        self.levels = nn.Embedding(len(SIDES), WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(DEPTH))
        self.head_modulation = nn.Linear(WIDTH, 2 * WIDTH)
        self.head = nn.Linear(WIDTH, VOCABULARY)
        level = torch.repeat_interleave(torch.arange(len(SIDES)), torch.tensor(COUNTS))
        self.register_buffer("level", level)

    def forward(self, labels: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        condition = self.classes(labels)
        x = torch.cat([condition[:, None] + self.start, self.word(rows)], 1)
        x = x + self.positions + self.levels(self.level)
        activated = F.silu(condition)
        for block in self.blocks:
            x = block(x, activated)
        scale, shift = self.head_modulation(activated)[:, None].chunk(2, -1)
        return self.head(norm(x) * (1 + scale) + shift)


def norm(x: torch.Tensor) -> torch.Tensor:
    return F.layer_norm(x, (WIDTH,), eps=1e-6)


def token_weights() -> torch.Tensor:
    """HMAR's weights of the loss: a Gaussian over the reversed relative sides, per token."""
    sides = torch.tensor(SIDES, dtype=torch.float64) / SIDES[-1]
    z = (sides.flip(0) - sides.mean()) / sides.std()
    per_scale = torch.exp(-z.square() / 2)
    per_scale /= per_scale.sum()
    counts = torch.tensor(COUNTS)
    return torch.repeat_interleave(per_scale / counts, counts).float()


class Step:
    """A model with a fixed batch."""

    def __init__(self, batch: int) -> None:
        self.model = NextScale()
        decayed = [p for p in self.model.parameters() if p.ndim >= 2]
        plain = [p for p in self.model.parameters() if p.ndim < 2]
        self.optimizer = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}],
            lr=3e-4,
            betas=(0.9, 0.95),
            eps=1e-8,
            fused=True,
        )
        self.batch = batch
        self.labels = torch.randint(CLASSES + 1, (batch,))
        self.rows = torch.randn(batch, LENGTH - 1, LATENT)
        self.tokens = torch.randint(VOCABULARY, (batch * LENGTH,))
        self.weights = token_weights()

    def __call__(self) -> float:
        logits = self.model(self.labels, self.rows)
        losses = F.cross_entropy(logits.view(-1, VOCABULARY), self.tokens, reduction="none")
        loss = (losses.view(self.batch, LENGTH) * self.weights).sum() / self.batch
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 2.0)
        self.optimizer.step()
        return loss.item()


def gflop(batch: int) -> float:
    """Work of a step in 10^9 operations: products and attention, backward twice the forward."""
    per_token = DEPTH * 24 * WIDTH**2 + 2 * WIDTH * VOCABULARY + 2 * LATENT * WIDTH
    attention = DEPTH * 4 * WIDTH * sum(n**2 for n in COUNTS)
    modulation = (DEPTH * 6 + 2) * 2 * WIDTH**2
    return 3e-9 * batch * (LENGTH * per_token + attention + modulation)


def main() -> None:
    options = turns.parser(__doc__, runs=15)
    options.add_argument("--batch", type=int, action="append", help="32 and 64 if left out")
    arguments = options.parse_args()
    turns.training_steps(
        arguments, "training step", "training_step", arguments.batch or [32, 64], Step, gflop
    )


if __name__ == "__main__":
    main()
