# Timing of two programs in turn, and the table of their ratios.
# SPDX-License-Identifier: Apache-2.0
"""What the scripts of this folder share: the workbench's side, turns, options, output."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Callable

try:
    import torch
except ImportError:
    sys.exit("PyTorch is missing: install it with `pip install torch`, then run this again.")

# Workers of both sides spin for a while after a parallel piece of work. Between two turns they
# get the time to fall asleep, so that neither side pays for the other's spinning.
PAUSE = 0.03


# Share of a turn during which some runnable thread had no core; more means that other programs run.
# The library whose threads wait for one another more often suffers more, so such turns are repeated.
MOST_WAITING = 0.1
MOST_REPEATED = 4


def waiting_seconds() -> float | None:
    """Seconds since boot in which some thread of the machine waited for a core, if Linux says so."""
    try:
        fields = Path("/proc/pressure/cpu").read_text().split("\n")[0].split()
        return int(fields[-1].removeprefix("total=")) * 1e-6
    except (OSError, ValueError, IndexError):
        return None


def is_disturbed(turn: Callable[[], Any]) -> bool:
    """Runs a turn and says whether other programs took cores from it."""
    start, before = time.perf_counter(), waiting_seconds()
    turn()
    after = waiting_seconds()
    if before is None or after is None:
        return False
    return after - before > MOST_WAITING * (time.perf_counter() - start)


class Peer:
    """A child process that answers a line of JSON with a line of JSON."""

    def __init__(self, command: list[str]) -> None:
        self.command = command
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def measure(self, request: dict[str, Any], repeats: int = 1) -> dict[str, Any]:
        """Asks for one measurement; `seconds` is the mean of `repeats` runs."""
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps({**request, "repeats": repeats}) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            sys.exit(f"`{' '.join(self.command)}` ended at the request {request}.")
        answer = json.loads(line)
        if "error" in answer:
            sys.exit(f"`{self.command[0]}` refused {request}: {answer['error']}")
        return answer

    def close(self) -> None:
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process.wait()


@dataclass
class Comparison:
    """One thing measured on both sides, run by run; times in seconds."""

    name: str
    ours: list[float]
    theirs: list[float]
    gflop: float | None = None
    extra: dict[str, float] = field(default_factory=dict)
    # Pairs that other programs disturbed although they were repeated.
    disturbed: int = 0

    @property
    def ratios(self) -> list[float]:
        return [a / b for a, b in zip(self.ours, self.theirs)]

    def summary(self) -> dict[str, Any]:
        ratios = self.ratios
        row: dict[str, Any] = {
            "name": self.name,
            "ours_ms": statistics.median(self.ours) * 1e3,
            "theirs_ms": statistics.median(self.theirs) * 1e3,
            "ratio": statistics.median(ratios),
            "ratio_min": min(ratios),
            "ratio_max": max(ratios),
        }
        if self.disturbed > 0:
            row["disturbed_runs"] = self.disturbed
        if self.gflop is not None:
            row["ours_gflops"] = self.gflop / statistics.median(self.ours)
            row["theirs_gflops"] = self.gflop / statistics.median(self.theirs)
        row.update(self.extra)
        return row


def in_turn(
    name: str,
    ours: Callable[[int], float],
    theirs: Callable[[], Any],
    runs: int,
    gflop: float | None = None,
    pause: float = PAUSE,
    burst: float = 0.02,
) -> Comparison:
    """Times two bodies A B B A A B ..., each measurement the mean of a burst of equal length.

    `ours` takes the number of repeats and returns mean seconds; `theirs` runs once per call.
    """
    ours(1)
    theirs()
    start = time.perf_counter()
    theirs()
    repeats = max(1, min(200, round(burst / max(time.perf_counter() - start, 1e-7))))

    def their_turn() -> float:
        if repeats > 1:  # Caches and clocks have cooled down in the pause.
            theirs()
        begin = time.perf_counter()
        for _ in range(repeats):
            theirs()
        return (time.perf_counter() - begin) / repeats

    def our_turn() -> float:
        if repeats > 1:
            ours(1)
        return ours(repeats)

    result = Comparison(name, [], [], gflop)
    result.disturbed = collect(our_turn, their_turn, runs, result.ours, result.theirs, pause)
    return result


def collect(
    our_turn: Callable[[], Any],
    their_turn: Callable[[], Any],
    runs: int,
    ours: list[Any],
    theirs: list[Any],
    pause: float = PAUSE,
) -> int:
    """Collects what both turns return, A B B A ...; pairs that were disturbed are run again.

    Returns how many pairs stayed disturbed.
    """
    disturbed = 0
    for run in range(runs):
        for attempt in range(1 + MOST_REPEATED):
            pair: dict[bool, Any] = {}

            def both() -> None:
                for is_ours in [True, False] if run % 2 == 0 else [False, True]:
                    time.sleep(pause)
                    pair[is_ours] = our_turn() if is_ours else their_turn()

            if not is_disturbed(both):
                break
        else:
            disturbed += 1
        ours.append(pair[True])
        theirs.append(pair[False])
    return disturbed


@dataclass
class Machine:
    """What the figures belong to."""

    processor: str
    cores: int
    threads: int
    vector_units: str
    torch: str
    system: str

    @staticmethod
    def here(threads: int) -> "Machine":
        fields: dict[str, str] = {}
        try:
            for line in Path("/proc/cpuinfo").read_text().splitlines():
                key, _, value = line.partition(":")
                fields.setdefault(key.strip(), value.strip())
        except OSError:
            pass
        return Machine(
            processor=fields.get("model name", platform.processor() or "unknown"),
            cores=os.cpu_count() or 1,
            threads=threads,
            vector_units=torch.backends.cpu.get_cpu_capability(),
            torch=torch.__version__,
            system=f"{platform.system()} {platform.machine()}",
        )


class Table:
    """Prints rows as they come, or everything as JSON at the end."""

    def __init__(self, machine: Machine, as_json: bool) -> None:
        self.machine = machine
        self.as_json = as_json
        self.rows: list[dict[str, Any]] = []
        if not as_json:
            m = machine
            print(f"{m.processor}, {m.cores} cores ({m.threads} threads used)")
            print(f"PyTorch {m.torch} ({m.vector_units}); ratio = ours / theirs, lower is better\n")
            print(
                f"{'':<46} {'ours ms':>10} {'theirs ms':>10} {'GFLOP/s':>15}"
                f" {'ratio':>6}  (min ... max)",
                flush=True,
            )

    def add(self, comparison: Comparison) -> None:
        row = comparison.summary()
        self.rows.append(row)
        if self.as_json:
            return
        rates = ""
        if "ours_gflops" in row:
            rates = f"{row['ours_gflops']:7.1f} {row['theirs_gflops']:7.1f}"
        print(
            f"{row['name']:<46} {row['ours_ms']:10.3f} {row['theirs_ms']:10.3f} {rates:>15}"
            f" {row['ratio']:6.2f}  ({row['ratio_min']:.2f} ... {row['ratio_max']:.2f})"
            + (f"  {comparison.disturbed} disturbed" if comparison.disturbed else ""),
            flush=True,
        )

    def heading(self, text: str) -> None:
        if not self.as_json:
            print(f"\n{text}", flush=True)

    def note(self, text: str) -> None:
        if not self.as_json:
            print(text, flush=True)

    def finish(self, **more: Any) -> None:
        if self.as_json:
            print(json.dumps({"machine": asdict(self.machine), "rows": self.rows, **more}, indent=2))


def parser(description: str, runs: int) -> argparse.ArgumentParser:
    """The options that every script takes."""
    result = argparse.ArgumentParser(description=description)
    result.add_argument(
        "--workbench", default=None, help="the program; found in .build/release or PATH if left out"
    )
    result.add_argument("--threads", type=int, default=None, help="threads of both sides")
    result.add_argument("--runs", type=int, default=runs, help="measurements of each side")
    result.add_argument("--json", action="store_true", help="print one JSON document")
    return result


def start(options: argparse.Namespace) -> tuple[Peer, Table]:
    """Pins both sides to the same cores and threads and starts ours with an empty table."""
    table = Table(Machine.here(pin(options)), options.json)
    return workbench(options, table.machine.threads), table


def workbench(options: argparse.Namespace, threads: int) -> Peer:
    """A new process of ours."""
    program = find_workbench(options.workbench)
    return Peer([program, "bench", "peer", "--threads", str(threads)])


def pin(options: argparse.Namespace) -> int:
    """Keeps this process and its children on as many cores as threads were asked for."""
    available = sorted(os.sched_getaffinity(0))
    threads = options.threads or len(available)
    if not 1 <= threads <= len(available):
        sys.exit(f"--threads is {threads}; this machine offers 1 to {len(available)}.")
    if options.runs < 1:
        sys.exit(f"--runs is {options.runs}; give 1 or more.")
    os.sched_setaffinity(0, available[:threads])
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    return threads


def find_workbench(given: str | None) -> str:
    """The program to measure."""
    if given is not None:
        if not os.access(given, os.X_OK):
            sys.exit(f"{given}: this is no program; give the path of workbench.")
        return given
    built = Path(__file__).resolve().parents[2] / ".build" / "release" / "workbench"
    if os.access(built, os.X_OK):
        return str(built)
    found = shutil.which("workbench")
    if found is None:
        sys.exit(
            "workbench was not found: build it with `swift build -c release`, "
            "or give its path with --workbench."
        )
    return found


def training_steps(
    options: argparse.Namespace,
    name: str,
    operation: str,
    batches: list[int],
    make: Callable[[int], Any],
    gflop: Callable[[int], float],
) -> None:
    """Times whole training steps of one model in turn, batch by batch, and prints the table.

    `make` gives the step of a batch: callable, with its `model`. `gflop` is its work in 10^9 operations.
    """
    peer, table = start(options)
    for batch in batches:
        step = make(batch)
        request = {"op": operation, "shape": [batch]}
        ours = peer.measure(request)["figures"]["parameters"]
        theirs = sum(p.numel() for p in step.model.parameters())
        if ours != theirs:
            sys.exit(f"The models differ: {ours:.0f} parameters against {theirs}.")

        def our_turn(repeats: int, request: dict[str, Any] = request) -> float:
            return peer.measure(request, repeats)["seconds"]

        row = in_turn(f"{name}, batch {batch}", our_turn, step, options.runs)
        row.gflop = gflop(batch)
        summary = row.summary()
        row.extra = {
            "ours_images_per_second": batch / summary["ours_ms"] * 1e3,
            "theirs_images_per_second": batch / summary["theirs_ms"] * 1e3,
        }
        table.add(row)
        table.note(
            f"  images/s: ours {row.extra['ours_images_per_second']:.0f}, "
            f"theirs {row.extra['theirs_images_per_second']:.0f}"
        )
    peer.close()
    table.finish()
