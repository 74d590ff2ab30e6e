#!/usr/bin/env python3
# One picture of HMAR: the public reference and ours, in turn, on the same weights.
# SPDX-License-Identifier: Apache-2.0
"""Times a whole class-conditional sample, batch 1 with guidance, decode included.

The reference is run from a checkout that you give and is not part of this repository. Its random
weights are saved as the public checkpoints are (.pth) and read by the workbench, so both sides
compute the same numbers; a greedy sample of both is compared before anything is timed.
"""

from __future__ import annotations

import base64
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import turns

SIDES = (1, 2, 3, 4, 5, 6, 8, 10, 13, 16)
# The sampler's default: mask steps at the second and third map.
DEFAULT = [[1], [1, 3], [1, 1, 2, 5]] + [[side**2] for side in SIDES[3:]]
NEXT_SCALE = [[side**2] for side in SIDES]


def sampling(variant: str, mode: str, **more: Any) -> dict[str, Any]:
    settings = {
        "variant": variant,
        "mode": mode,
        "classLabel": 3,
        "seed": 1,
        "cfg": 1.5,
        "topK": 900,
        "topP": 0.96,
        "schedule": DEFAULT if variant == "hmar" else NEXT_SCALE,
    }
    return {**settings, **more}


class Sides:
    """Ours and a reference, each in a process of its own."""

    def __init__(self, ours: turns.Peer, kind: str, folder: Path, options: Any, threads: int):
        self.ours = ours
        self.kind = kind
        script = Path(__file__).resolve().parent / "reference.py"
        self.theirs = turns.Peer(
            [sys.executable, str(script), str(folder), kind]
            + ["--depth", str(options.depth), "--threads", str(threads)]
        )
        self.files = {
            "weights": str(Path(options.weights_folder) / f"{kind}-d{options.depth}.pth"),
            "tokenizer": str(Path(options.weights_folder) / f"{kind}-vae.pth"),
        }
        self.theirs.measure({"op": "save", **self.files})

    def our_sample(self, settings: dict[str, Any]) -> dict[str, Any]:
        return self.ours.measure({"op": "hmar_sample", **self.files, "sampling": settings})

    def their_sample(self, settings: dict[str, Any]) -> dict[str, Any]:
        return self.theirs.measure({"op": "hmar_sample", "sampling": settings})

    def check(self, table: turns.Table) -> float:
        """Largest difference of a greedy sample's pixels, of 255."""
        variant = "var" if self.kind == "var" else "hmar-next-scale"
        settings = sampling(variant, "exact", topK=1, topP=0, wantsPicture=True)
        a, b = (
            base64.b64decode(answer["picture"])
            for answer in (self.our_sample(settings), self.their_sample(settings))
        )
        if len(a) != len(b):
            sys.exit(f"The pictures have {len(a)} and {len(b)} bytes.")
        worst = max(abs(x - y) for x, y in zip(a, b))
        mean = statistics.fmean(abs(x - y) for x, y in zip(a, b))
        table.note(
            f"{self.kind}: greedy next-scale sample on the same weights: "
            f"pixels differ by {worst} of 255 at most, {mean:.4f} on average"
        )
        return worst

    def compare(self, table: turns.Table, variant: str, mode: str, runs: int) -> None:
        settings = sampling(variant, mode)
        self.our_sample(settings)
        self.their_sample(settings)
        ours: list[dict[str, Any]] = []
        theirs: list[dict[str, Any]] = []
        disturbed = turns.collect(
            lambda: self.our_sample(settings),
            lambda: self.their_sample(settings),
            runs,
            ours,
            theirs,
        )
        name = f"{variant}, {mode} mode"
        for part, key in [("", None), (": transformer", "transformer_"), (": decode", "decode_")]:
            times = [
                [a["seconds"] if key is None else a["figures"][key + "seconds"] for a in side]
                for side in (ours, theirs)
            ]
            table.add(turns.Comparison(name + part, times[0], times[1], disturbed=disturbed))
        peaks = [max(a["figures"]["peak_bytes"] for a in side) / 1e9 for side in (ours, theirs)]
        table.rows[-3].update(ours_peak_gb=peaks[0], theirs_peak_gb=peaks[1])
        table.note(f"  peak resident memory: ours {peaks[0]:.2f} GB, theirs {peaks[1]:.2f} GB")


def main() -> None:
    options = turns.parser(__doc__, runs=3)
    options.add_argument(
        "--reference", type=Path, metavar="DIR", help="a checkout of NVlabs/HMAR"
    )
    options.add_argument(
        "--var-reference", type=Path, metavar="DIR", help="a checkout of FoundationVision/VAR"
    )
    options.add_argument("--depth", type=int, default=16, help="of the published size, 16 to 30")
    options.add_argument("--mode", choices=["fast", "exact"], action="append", help="both if absent")
    options.add_argument(
        "--weights-folder",
        help="where the random weights are written (2.3 GB); a temporary folder if left out",
    )
    arguments = options.parse_args()
    folders = {"hmar": arguments.reference, "var": arguments.var_reference}
    folders = {kind: folder for kind, folder in folders.items() if folder is not None}
    if not folders:
        sys.exit("Nothing to compare with: give --reference DIR, --var-reference DIR or both.")
    for folder in folders.values():
        if not (folder / "models" / "__init__.py").is_file():
            sys.exit(f"{folder}: there is no models/__init__.py; give a checkout of the public code.")
    with tempfile.TemporaryDirectory(prefix="workbench-peers-") as temporary:
        arguments.weights_folder = arguments.weights_folder or temporary
        Path(arguments.weights_folder).mkdir(parents=True, exist_ok=True)
        run(arguments, folders)


def run(arguments: Any, folders: dict[str, Path]) -> None:
    threads = turns.pin(arguments)
    table = turns.Table(turns.Machine.here(threads), arguments.json)
    differences = {}
    for kind, folder in folders.items():
        # A new process of ours for each, so that peaks of memory are each model's own.
        ours = turns.workbench(arguments, threads)
        sides = Sides(ours, kind, folder, arguments, threads)
        differences[kind] = sides.check(table)
        modes = [("hmar", mode) for mode in arguments.mode or ["fast", "exact"]]
        for variant, mode in modes if kind == "hmar" else [("var", "exact")]:
            sides.compare(table, variant, mode, arguments.runs)
        ours.close()
        sides.theirs.close()
    command = " ".join(["python3", *sys.argv])
    table.note(f"\ncommand: {command}")
    table.finish(command=command, worst_pixel_difference=differences)


if __name__ == "__main__":
    main()
