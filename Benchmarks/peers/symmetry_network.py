# The small class-pose autoencoder in plain PyTorch.
# SPDX-License-Identifier: Apache-2.0
"""Written from the published formulas, not from anybody's code; symmetry_step.py times it.

Fields are 2h scalars, then h vectors of two channels. Names of parameters are our own: `load` takes
the weights that `workbench train` writes.
"""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

SIDE = 28
LAYERS = ((7, 1), (5, 2), (5, 2), (5, 2), (5, 2), (3, 2))


def basis(kernel: int, source: int, target: int) -> torch.Tensor:
    """Sampled filters [elements, target + 1, source + 1, K, K] between fields of two frequencies."""
    centre, last = (kernel - 1) / 2, kernel // 2
    y, x = np.mgrid[0:kernel, 0:kernel]
    x, y = x - centre, centre - y
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    origin = radius < 1e-9
    angle[origin] = 0
    found = []
    for ring in range((kernel + 1) // 2):
        sigma = 0.005 if ring == 0 else 0.4 if ring == last else 0.6
        limit = 0 if ring == 0 else min(2 * ring, 2 if ring == last else 2 * ring - (ring + 1) % 2)
        profile = np.exp(-((radius - ring) ** 2) / (2 * sigma**2))
        for phase in (0.0,) if source == target == 0 else (0.0, math.pi / 2):
            for mirrored in (False, True) if source == target == 1 else (False,):
                frequency = source + target if mirrored else abs(source - target)
                if frequency > limit:
                    continue
                t = frequency * angle + phase
                sign = -1 if mirrored else 1
                cos, sin = np.cos(t), np.sin(t)
                if source == target == 1:
                    block = np.array([[cos, -sign * sin], [sin, sign * cos]])
                elif source == target == 0:
                    block = cos[None, None]
                else:
                    block = np.array([cos, sin]).reshape(target + 1, source + 1, kernel, kernel)
                block = block * profile
                if frequency:
                    block[..., origin] = 0
                energy = (block**2).sum() / (target + 1)
                if energy * (target + 1) > 1e-2:
                    found.append(block / math.sqrt(energy))
    return torch.tensor(np.array(found), dtype=torch.float32)


class Steerable(nn.Module):
    """Steerable convolution without bias; the filter is built in every training step."""

    def __init__(self, inputs: tuple[int, int], outputs: tuple[int, int], kernel: int, pad: int):
        super().__init__()
        self.inputs, self.outputs, self.kernel, self.pad = inputs, outputs, kernel, pad
        parts, self.blocks, start = [], [], 0
        for source in (0, 1):
            for target in (0, 1):
                if inputs[source] == 0 or outputs[target] == 0:
                    continue
                found = basis(kernel, source, target) if kernel > 1 or source == target else None
                if found is None or len(found) == 0:
                    continue
                self.register_buffer(f"basis{source}{target}", found)
                count = outputs[target] * inputs[source] * len(found)
                self.blocks.append((source, target, start, start + count))
                start += count
        for source, target, begin, end in self.blocks:
            reached = sum(1 for block in self.blocks if block[1] == target)
            elements = len(getattr(self, f"basis{source}{target}"))
            deviation = 1 / math.sqrt(reached * inputs[source] * elements)
            parts.append(torch.randn(end - begin) * deviation)
        self.weights = nn.Parameter(torch.cat(parts))

    def filter(self) -> torch.Tensor:
        (s0, v0), (s1, v1), k = self.inputs, self.outputs, self.kernel
        rows: list[list[torch.Tensor]] = [[], []]
        made = {}
        for source, target, begin, end in self.blocks:
            found = getattr(self, f"basis{source}{target}")
            weights = self.weights[begin:end].view(-1, len(found))
            part = weights @ found.flatten(1)
            n, m = self.outputs[target], self.inputs[source]
            part = part.view(n, m, target + 1, source + 1, k, k).permute(0, 2, 1, 3, 4, 5)
            made[source, target] = part.reshape(n * (target + 1), m * (source + 1), k, k)
        for target, size in ((0, s1), (1, 2 * v1)):
            for source, width in ((0, s0), (1, 2 * v0)):
                if size and width:
                    empty = self.weights.new_zeros(size, width, k, k)
                    rows[target].append(made.get((source, target), empty))
        return torch.cat([torch.cat(row, 1) for row in rows if row], 0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.conv2d(x, self.filter(), padding=self.pad)


class FieldNorm(nn.Module):
    """Batch norm and nonlinearity of scalars and vectors."""

    def __init__(self, scalars: int, vectors: int, log_bias: nn.Parameter | None = None):
        super().__init__()
        self.scalars = scalars
        self.norm = nn.BatchNorm2d(scalars)
        self.scale = nn.Parameter(torch.ones(vectors))
        self.register_buffer("variance", torch.ones(vectors))
        self.log_bias = nn.Parameter(torch.zeros(vectors)) if log_bias is None else log_bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scalars = F.relu(self.norm(x[:, : self.scalars]))
        v = x[:, self.scalars :].unflatten(1, (-1, 2))
        if self.training:
            with torch.no_grad():
                count = v.shape[0] * v.shape[3] * v.shape[4]
                power = v.square().sum(2).mean((0, 2, 3)) / 2 * count / (count - 1)
                self.variance.lerp_(power, 0.1)
        factor = self.scale / (self.variance + 1e-5).sqrt()
        v = v * factor[:, None, None, None]
        length = (v.square().sum(2, keepdim=True) + 1e-24).sqrt()
        gain = F.relu(length - self.log_bias.exp()[:, None, None, None]) / length.clamp_min(1e-10)
        return torch.cat([scalars, (v * gain).flatten(1, 2)], 1)


def disc(side: int) -> torch.Tensor:
    axis = torch.arange(side) - (side - 1) / 2
    return (axis[:, None].square() + axis.square() <= (side / 2) ** 2).float()


class Encoder(nn.Module):
    """Seven steerable convolutions, symmetric pooling behind the second and the fourth."""

    def __init__(self, h: int, width: int):
        super().__init__()
        self.width = width
        hidden, convolutions, norms = (2 * h, h), [], []
        for index, (kernel, pad) in enumerate(LAYERS):
            source = (1, 0) if index == 0 else hidden
            convolutions.append(Steerable(source, hidden, kernel, pad))
            norms.append(FieldNorm(2 * h, h, norms[1].log_bias if index == 2 else None))
        self.convolutions, self.norms = nn.ModuleList(convolutions), nn.ModuleList(norms)
        self.head = Steerable(hidden, (width, 1), 1, 0)
        tap = torch.tensor([1.0, 3.0, 3.0, 1.0])
        self.register_buffer("pool", (torch.outer(tap, tap) / 64).expand(4 * h, 1, 4, 4).clone())
        self.register_buffer("mask", disc(SIDE))
        last = disc(8)
        self.register_buffer("mean", last / last.sum())

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = images * self.mask
        for index, (convolution, norm) in enumerate(zip(self.convolutions, self.norms)):
            x = norm(convolution(x))
            if index in (1, 3):
                x = F.conv2d(x, self.pool, stride=2, padding=1, groups=x.shape[1])
        x = (x * self.mean).sum((2, 3))
        out = F.linear(x, self.head.filter().flatten(1))
        return out[:, : self.width], out[:, self.width :]


class Decoder(nn.Module):
    """Plain convolutions and bilinear resizing."""

    layers = ((2, 1), (4, 3), (8, 3), (16, 5), (28, 5))

    def __init__(self, width: int, d: int):
        super().__init__()
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(width if i == 0 else d, d, k, padding=k // 2), nn.BatchNorm2d(d),
                nn.Dropout2d(0.2), nn.ReLU(),
            )
            for i, (_, k) in enumerate(self.layers)
        )
        self.head = nn.Conv2d(d, 1, 1)

    def forward(self, embedding: torch.Tensor) -> torch.Tensor:
        x = embedding[:, :, None, None].expand(-1, -1, 2, 2)
        for (side, _), block in zip(self.layers, self.blocks):
            if x.shape[2] != side:
                x = F.interpolate(x, (side, side), mode="bilinear", align_corners=True)
            x = block(x)
        return self.head(x).sigmoid()


def turned(images: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
    """Pictures turned counter-clockwise; direction [B, 2] holds cosine and sine."""
    cos, sin = direction.unbind(1)
    zero = torch.zeros_like(cos)
    matrix = torch.stack([cos, -sin, zero, sin, cos, zero], 1).view(-1, 2, 3)
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)


class Autoencoder(nn.Module):
    """Encoder, decoder and the loss of a training step."""

    def __init__(self, h: int = 16, width: int = 64, d: int = 32):
        super().__init__()
        self.encoder, self.decoder = Encoder(h, width), Decoder(width, d)

    def loss(self, images: torch.Tensor, weight: float) -> torch.Tensor:
        embedding, vector = self.encoder(images)
        length = (vector.square().sum(1, keepdim=True) + 1e-24).sqrt()
        direction = vector / (length + 1e-4)
        reconstruction = turned(self.decoder(embedding), direction)
        loss = F.mse_loss(reconstruction, images)
        if weight > 0:
            group = (1 - direction[:, 0]).abs() + direction[:, 1].abs()
            loss = loss + weight * group.mean() / 3
        return loss

    def load(self, path: str | Path) -> None:
        """Takes the weights of a file that `workbench train` wrote."""
        data = Path(path).read_bytes()
        length = struct.unpack("<Q", data[:8])[0]
        header = json.loads(data[8 : 8 + length])
        header.pop("__metadata__", None)
        tensors = {}
        for name, entry in header.items():
            begin, end = (8 + length + offset for offset in entry["data_offsets"])
            values = np.frombuffer(data[begin:end], dtype=np.float32)
            tensors[name] = torch.from_numpy(values.copy()).view(entry["shape"])
        with torch.no_grad():
            for i, (convolution, norm) in enumerate(
                zip(self.encoder.convolutions, self.encoder.norms), 1
            ):
                block = f"encoder.block{i}."
                scalars = block + "1.merging.submodule_0.batch_norm_[1]."
                vectors = block + "1.merging.submodule_1.2_"
                convolution.weights.copy_(tensors[block + "0.weights"])
                for name in ("weight", "bias", "running_mean", "running_var"):
                    getattr(norm.norm, name).copy_(tensors[scalars + name])
                norm.scale.copy_(tensors[vectors + "weight"].flatten())
                norm.variance.copy_(tensors[vectors + "running_var"].flatten())
                norm.log_bias.copy_(
                    tensors[block + "2.merging.submodule_1.log_bias"].flatten()
                )
            self.encoder.head.weights.copy_(tensors["encoder.block_final.0.weights"])
            for i, block in enumerate(self.decoder.blocks, 1):
                for place, names in ((0, ("weight", "bias")), (1, ("weight", "bias", "running_mean", "running_var"))):
                    for name in names:
                        getattr(block[place], name).copy_(tensors[f"decoder.block{i}.{place}.{name}"])
            self.decoder.head.weight.copy_(tensors["decoder.block6.0.weight"])
            self.decoder.head.bias.copy_(tensors["decoder.block6.0.bias"])
