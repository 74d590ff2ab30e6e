#!/usr/bin/env python3
# PyTorch operators and ours on the same shapes, in turn.
# SPDX-License-Identifier: Apache-2.0
"""Times convolution, linear layers, attention, norms and AdamW of both sides in one run."""

from __future__ import annotations

from typing import Any, Callable

import turns  # Says what to do when PyTorch is missing.
import torch
import torch.nn.functional as F

# The published 256-pixel model: token maps, and rows of a pass with guidance (two sequences).
SIDES = (1, 2, 3, 4, 5, 6, 8, 10, 13, 16)
WIDTH = 1024
HEADS = 16
VOCABULARY = 4096

# [batch, in, out, side, kernel] of the decoder's layers.
DECODER = [
    (1, 160, 160, 256, 3),
    (1, 320, 160, 256, 3),
    (1, 160, 3, 256, 3),
    (1, 320, 320, 128, 3),
    (1, 320, 320, 64, 3),
    (1, 640, 640, 16, 3),
    (1, 320, 160, 128, 1),
]
# Layers of the digits model's tokenizer, one picture and a training batch.
DIGITS = [
    (1, 32, 32, 28, 3),
    (1, 64, 64, 7, 3),
    (32, 32, 32, 28, 3),
    (32, 32, 32, 14, 3),
    (32, 64, 64, 7, 3),
]


class Bench:
    """One row per call."""

    def __init__(self, peer: turns.Peer, table: turns.Table, runs: int) -> None:
        self.peer = peer
        self.table = table
        self.runs = runs

    def row(
        self,
        name: str,
        request: dict[str, Any],
        theirs: Callable[[], Any],
        gflop: float | None = None,
        backward: bool = False,
    ) -> None:
        if backward:
            request = {**request, "backward": True}
            name += ", backward"

        def ours(repeats: int) -> float:
            return self.peer.measure(request, repeats)["seconds"]

        # Backward passes need recorded forward passes; everything else runs as inference does.
        with torch.inference_mode(not backward):
            self.table.add(turns.in_turn(name, ours, theirs, self.runs, gflop))

    def conv2d(self, batch: int, inputs: int, outputs: int, side: int, kernel: int) -> None:
        x = torch.randn(batch, inputs, side, side)
        weight = torch.randn(outputs, inputs, kernel, kernel)
        bias = torch.randn(outputs)
        request = {"op": "conv2d", "shape": [batch, inputs, outputs, side, kernel]}
        name = f"conv {kernel}x{kernel} {batch}x{inputs}->{outputs} @ {side}x{side}"
        gflop = 2e-9 * batch * inputs * outputs * side**2 * kernel**2
        padding = kernel // 2
        self.row(name, request, lambda: F.conv2d(x, weight, bias, padding=padding), gflop)
        self.row(
            name,
            request,
            backward_of(lambda *a: F.conv2d(*a, padding=padding), x, weight, bias),
            2 * gflop,
            backward=True,
        )

    def linear(self, rows: int, inputs: int, outputs: int) -> None:
        x = torch.randn(rows, inputs)
        weight = torch.randn(outputs, inputs)
        bias = torch.randn(outputs)
        self.row(
            f"linear {rows}x{inputs} -> {outputs}",
            {"op": "linear", "shape": [rows, inputs, outputs]},
            lambda: F.linear(x, weight, bias),
            2e-9 * rows * inputs * outputs,
        )

    def attention(self, batch: int, tokens: int) -> None:
        shape = (batch, HEADS, tokens, WIDTH // HEADS)
        q, k, v = torch.randn(shape), torch.randn(shape), torch.randn(shape)
        self.row(
            f"attention {batch}x{HEADS} heads, {tokens} tokens of {shape[3]}",
            {"op": "attention", "shape": list(shape)},
            lambda: F.scaled_dot_product_attention(q, k, v),
            4e-9 * batch * WIDTH * tokens**2,
        )

    def block_attention(self, batch: int, sides: tuple[int, ...], heads: int, width: int) -> None:
        """The training sequence of all maps: intervals on our side, a dense mask in PyTorch."""
        blocks = [side**2 for side in sides]
        scale_of = torch.repeat_interleave(torch.arange(len(blocks)), torch.tensor(blocks))
        mask = scale_of[:, None] == scale_of[None, :]
        shape = (batch, heads, sum(blocks), width)
        tensors = [torch.randn(shape) for _ in range(3)]
        request = {"op": "attention", "shape": list(shape), "blocks": blocks}
        name = f"block-diagonal {batch}x{heads} heads, {shape[2]} tokens of {width}"
        # The work of the pairs that see each other, whatever either side computes beyond.
        gflop = 4e-9 * batch * heads * width * sum(n**2 for n in blocks)

        def forward(*qkv: torch.Tensor) -> torch.Tensor:
            return F.scaled_dot_product_attention(*qkv, attn_mask=mask)

        self.row(name, request, lambda: forward(*tensors), gflop)
        self.row(name, request, backward_of(forward, *tensors), 2.5 * gflop, backward=True)

    def group_norm_silu(self, batch: int, channels: int, side: int, backward: bool) -> None:
        x = torch.randn(batch, channels, side, side)
        weight, bias = torch.randn(channels), torch.randn(channels)
        request = {"op": "group_norm_silu", "shape": [batch, channels, side]}
        name = f"GroupNorm+SiLU {batch}x{channels} @ {side}x{side}"

        def forward(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
            return F.silu(F.group_norm(x, 32, weight, bias, 1e-6), inplace=not backward)

        if backward:
            self.row(name, request, backward_of(forward, x, weight, bias), backward=True)
        else:
            self.row(name, request, lambda: forward(x, weight, bias))

    def layer_norm(self, batch: int, tokens: int, width: int, backward: bool) -> None:
        x = torch.randn(batch, tokens, width)
        scale, shift = torch.randn(batch, 1, width), torch.randn(batch, 1, width)
        request = {"op": "layer_norm", "shape": [batch, tokens, width]}
        name = f"modulated LayerNorm {batch}x{tokens}x{width}"

        def forward(x: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
            return F.layer_norm(x, (width,), eps=1e-6).mul(scale.add(1)).add_(shift)

        if backward:
            self.row(name, request, backward_of(forward, x, scale, shift), backward=True)
        else:
            self.row(name, request, lambda: forward(x, scale, shift))

    def adamw(self, count: int) -> None:
        weight = torch.nn.Parameter(torch.randn(count))
        weight.grad = torch.randn(count)
        optimizer = torch.optim.AdamW(
            [weight], lr=1e-4, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.05, fused=True
        )
        request = {"op": "adamw", "shape": [count]}

        def ours(repeats: int) -> float:
            return self.peer.measure(request, repeats)["seconds"]

        name = f"AdamW, {count / 1e6:g} M parameters in one tensor"
        self.table.add(turns.in_turn(name, ours, optimizer.step, self.runs))


def backward_of(
    forward: Callable[..., torch.Tensor], *inputs: torch.Tensor
) -> Callable[[], Any]:
    """The gradients with respect to every input, without the forward pass."""
    leaves = [x.requires_grad_() for x in inputs]
    y = forward(*leaves)
    dy = torch.randn_like(y)
    return lambda: torch.autograd.grad(y, leaves, dy, retain_graph=True)


def convolutions(bench: Bench, quick: bool) -> None:
    for shape in (DECODER + DIGITS) if not quick else DECODER[3:6] + DIGITS[2:3]:
        bench.conv2d(*shape)


def products(bench: Bench, quick: bool) -> None:
    layers = [
        (WIDTH, 3 * WIDTH),
        (WIDTH, WIDTH),
        (WIDTH, 4 * WIDTH),
        (4 * WIDTH, WIDTH),
        (WIDTH, VOCABULARY),
    ]
    for side in SIDES if not quick else (1, 6, 16):
        for inputs, outputs in layers if not quick else layers[:1]:
            bench.linear(2 * side**2, inputs, outputs)


def attention(bench: Bench, quick: bool) -> None:
    for side in SIDES if not quick else (4, 16):
        bench.attention(2, side**2)
    bench.block_attention(2, SIDES, HEADS, WIDTH // HEADS)
    if not quick:
        bench.block_attention(32, (1, 2, 3, 4, 6, 8), 6, 32)


def norms(bench: Bench, quick: bool) -> None:
    for batch, channels, side in [(1, 160, 256), (1, 320, 64), (1, 640, 16), (32, 32, 28)]:
        bench.group_norm_silu(batch, channels, side, backward=False)
    bench.group_norm_silu(32, 32, 28, backward=True)
    for shape in [(2, 16, WIDTH), (2, 256, WIDTH), (32, 130, 192)]:
        bench.layer_norm(*shape, backward=False)
    bench.layer_norm(32, 130, 192, backward=True)


def optimizer(bench: Bench, quick: bool) -> None:
    for count in (1 << 18, 1 << 23):
        bench.adamw(count)


GROUPS = {
    "convolution": convolutions,
    "linear": products,
    "attention": attention,
    "norms": norms,
    "optimizer": optimizer,
}


def main() -> None:
    options = turns.parser(__doc__, runs=9)
    options.add_argument("--group", choices=sorted(GROUPS), action="append", help="only these")
    options.add_argument("--quick", action="store_true", help="few shapes of each group")
    arguments = options.parse_args()
    peer, table = turns.start(arguments)
    bench = Bench(peer, table, arguments.runs)
    for name in arguments.group or GROUPS:
        table.heading(name)
        GROUPS[name](bench, arguments.quick)
    peer.close()
    table.finish()


if __name__ == "__main__":
    main()
