# The public HMAR or VAR as a peer: it answers requests for samples, line by line.
# SPDX-License-Identifier: Apache-2.0
"""Runs a checkout of the public code with random weights; started by hmar_sample.py.

Nothing of the public code is part of this repository: the folder of a checkout is given. Two
modules that sampling on a CPU does not use are replaced by empty ones where they cannot be
imported: the Triton kernel of training, and wandb.
"""

from __future__ import annotations

import argparse
import base64
import importlib
import importlib.util
import json
import sys
import time
import types
from pathlib import Path
from typing import Any

import torch

PATCH_NUMS = (1, 2, 3, 4, 5, 6, 8, 10, 13, 16)


def stub_missing_modules() -> None:
    """Empty stand-ins for what only training on a GPU needs."""
    if importlib.util.find_spec("triton") is None or not torch.cuda.is_available():
        attention = types.ModuleType("attn.block_sparse_attn_interface")

        class BlockSparseAttention(torch.nn.Module):
            """Never called in sampling."""

            def __init__(self, *arguments: Any, **options: Any) -> None:
                super().__init__()

        attention.BlockSparseAttention = BlockSparseAttention  # type: ignore[attr-defined]
        sys.modules[attention.__name__] = attention
    if importlib.util.find_spec("wandb") is None:
        sys.modules["wandb"] = types.ModuleType("wandb")


def build(folder: Path, kind: str, depth: int) -> tuple[torch.nn.Module, torch.nn.Module]:
    """The tokenizer and the transformer of a checkout, without weights."""
    sys.path.insert(0, str(folder))
    stub_missing_modules()
    models = importlib.import_module("models")
    name = f"build_vae_{kind}"
    if not hasattr(models, name):
        sys.exit(f"{folder}: models/__init__.py has no {name}; give a checkout of the public code.")
    return getattr(models, name)(
        V=4096,
        Cvae=32,
        ch=160,
        share_quant_resi=4,
        device="cpu",
        patch_nums=PATCH_NUMS,
        num_classes=1000,
        depth=depth,
        shared_aln=False,
        attn_l2_norm=True,
    )


def draw_weights(model: torch.nn.Module) -> None:
    """Random weights that keep activations of order 1, so that results can be compared."""
    for name, parameter in model.named_parameters():
        if name.endswith("scale_mul_1H11"):
            continue
        values = torch.randn_like(parameter)
        if parameter.ndim == 1:
            # Gains of norms stay near 1, biases near 0.
            values = values * 0.1 + (1 if name.endswith("weight") else 0)
        elif "emb" not in name and "pos_" not in name:
            fan_in = parameter[0].numel()
            # SiLU, residual sums and gates all let activations grow: half the variance keeps them.
            values = values * (0.5 / fan_in) ** 0.5
        parameter.data = values


def peak_bytes() -> int:
    """The most memory this process has had resident."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


class Reference:
    def __init__(self, folder: Path, kind: str, depth: int) -> None:
        self.kind = kind
        self.tokenizer, self.transformer = build(folder, kind, depth)
        for model in (self.tokenizer, self.transformer):
            draw_weights(model)
            model.eval()
        self.decode_seconds = 0.0
        decode = self.tokenizer.fhat_to_img

        def timed_decode(fhat: torch.Tensor) -> torch.Tensor:
            start = time.perf_counter()
            image = decode(fhat)
            self.decode_seconds = time.perf_counter() - start
            return image

        self.tokenizer.fhat_to_img = timed_decode

    def save(self, request: dict[str, Any]) -> dict[str, Any]:
        """Writes both state dicts as the published files hold them."""
        torch.save(self.tokenizer.state_dict(), request["tokenizer"])
        torch.save(self.transformer.state_dict(), request["weights"])
        return {}

    def sample(self, s: dict[str, Any]) -> dict[str, Any]:
        common = dict(g_seed=s["seed"], cfg=s["cfg"], top_k=s["topK"], top_p=s["topP"])
        start = time.perf_counter()
        with torch.inference_mode():
            if self.kind == "var":
                image = self.transformer.autoregressive_infer_cfg(1, s["classLabel"], **common)
            else:
                image = self.transformer.generate(
                    1,
                    s["classLabel"],
                    mask=s["variant"] == "hmar",
                    mask_schedule=s["schedule"],
                    **common,
                )
        seconds = time.perf_counter() - start
        answer: dict[str, Any] = {
            "seconds": seconds,
            "figures": {
                "decode_seconds": self.decode_seconds,
                "transformer_seconds": seconds - self.decode_seconds,
                "peak_bytes": peak_bytes(),
            },
        }
        if s.get("wantsPicture"):
            pixels = (image[0].permute(1, 2, 0) * 255).round().clamp(0, 255).to(torch.uint8)
            answer["picture"] = base64.b64encode(pixels.numpy().tobytes()).decode()
        return answer


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("kind", choices=["hmar", "var"])
    options.add_argument("--depth", type=int, default=16)
    options.add_argument("--threads", type=int, required=True)
    arguments = options.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    # Answers have standard output to themselves; the public code may print.
    answers, sys.stdout = sys.stdout, sys.stderr
    reference = Reference(arguments.folder, arguments.kind, arguments.depth)
    for line in sys.stdin:
        request = json.loads(line)
        if request["op"] == "save":
            answer = reference.save(request)
        else:
            answer = reference.sample(request["sampling"])
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
