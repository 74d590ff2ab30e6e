#!/usr/bin/env python3
# A training step of the small class-pose autoencoder: eager PyTorch and ours, in turn.
# SPDX-License-Identifier: Apache-2.0
"""Times ssl-sym's small configuration: filters built anew, forward, loss, backward, Adam."""

from __future__ import annotations

import turns  # Says what to do when PyTorch is missing.
import torch
from symmetry_network import SIDE, Autoencoder

# Products and sums of a picture's forward pass in 10^6: encoder and decoder.
FORWARD = 97 + 27


class Step:
    """A model with a fixed batch."""

    def __init__(self, batch: int) -> None:
        self.model = Autoencoder()
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=2e-3, fused=True)
        self.images = torch.rand(batch, 1, SIDE, SIDE)

    def __call__(self) -> float:
        loss = self.model.loss(self.images, 0.06)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss.item()


def main() -> None:
    options = turns.parser(__doc__, runs=9)
    options.add_argument("--batch", type=int, action="append", help="64 and 384 if left out")
    arguments = options.parse_args()
    turns.training_steps(
        arguments,
        "symmetry step",
        "symmetry_step",
        arguments.batch or [64, 384],
        Step,
        lambda batch: 6e-3 * batch * FORWARD,
    )


if __name__ == "__main__":
    main()
