// Whole pictures of published size. SPDX-License-Identifier: Apache-2.0
import Core
import Models

/// Exact and fast mode in turn: time per pass and scale, decode, rates, memory.
struct PictureBenchmarks {
    let session: HMARSession
    let variant: SamplingVariant
    let schedule: SamplingSchedule
    let work: TransformerWork
    let decoderFlop: Double

    /// - Parameter modes: exact and fast, or one of them.
    func run(
        modes: [ComputeMode], runs: Int, warmsUp: Bool, cancellation: Cancellation
    ) throws -> (rows: [BenchRow], figures: [PictureFigures]) {
        let meters = modes.map {
            PictureMeter(
                session, schedule: schedule, variant: variant, mode: $0, cancellation: cancellation)
        }
        if warmsUp { try meters.last?.run(isWarmUp: true) }
        for _ in 0..<runs { for meter in meters { try meter.run() } }
        var rows: [BenchRow] = []
        for meter in meters { rows += self.rows(meter.summary) }
        if meters.count == 2 {
            var row = BenchRow("fast mode against exact mode")
            row.ratio = Benchmark.median(zip(meters[0].totals, meters[1].totals).map { $0 / $1 })
            row.reference = "the speed of exact mode, in turn"
            rows.append(row)
        }
        return (rows, meters.map(\.summary))
    }

    private func rows(_ figures: PictureFigures) -> [BenchRow] {
        let flops = work.passes(rows: schedule.rows, variant: variant, mode: figures.mode)
        let flat = flops.flatMap { $0 }
        let section =
            "\(variant.rawValue), \(figures.mode.rawValue) mode, \(figures.imageSize)×"
            + "\(figures.imageSize), \(schedule.passCount) passes"
        let transformer = flat.reduce(0, +)
        let passes = figures.passSeconds.reduce(0, +)
        var total = BenchRow("picture", seconds: figures.totalSeconds)
        total.gflops = (transformer + decoderFlop) / figures.totalSeconds / 1e9
        (total.fastestMS, total.medianMS, total.slowestMS) = (
            figures.totals[0] * 1e3, figures.totals[1] * 1e3, figures.totals[2] * 1e3
        )
        (total.value, total.unit) = (nil, nil)
        var rows = [
            total,
            BenchRow("  transformer", seconds: passes, gflop: transformer / 1e9),
            BenchRow("  decode", seconds: figures.decodeSeconds, gflop: decoderFlop / 1e9),
            BenchRow("  transformer, work", value: transformer / 1e9, unit: "GFLOP"),
            BenchRow(
                "  transformer, work as published",
                value: work.published(rows: schedule.rows, variant: variant) / 1e9, unit: "GFLOP"),
            BenchRow("  decode, work", value: decoderFlop / 1e9, unit: "GFLOP"),
        ]
        for (scale, side) in schedule.patchNums.enumerated() {
            rows.append(
                BenchRow(
                    "  scale \(scale), \(side)×\(side)", seconds: figures.secondsPerScale[scale],
                    gflop: flops[scale].reduce(0, +) / 1e9))
            guard flops[scale].count > 1 else { continue }
            let first = schedule.rows[..<scale].reduce(0) { $0 + $1.count }
            for (step, flop) in flops[scale].enumerated() {
                rows.append(
                    BenchRow(
                        step == 0 ? "    next-scale pass" : "    mask step \(step)",
                        seconds: figures.passSeconds[first + step], gflop: flop / 1e9))
            }
        }
        rows += Self.memoryRows(figures)
        return rows.map { row in
            var row = row
            row.section = section
            return row
        }
    }

    private static func memoryRows(_ figures: PictureFigures) -> [BenchRow] {
        func megabytes(_ bytes: Int) -> Double { Double(bytes) / 1e6 }
        let remark = figures.peaksAreSeparate ? "" : " (of the whole process)"
        return [
            BenchRow("  weights", value: megabytes(figures.weightBytes), unit: "MB"),
            BenchRow(
                "  key/value cache", value: megabytes(figures.cacheBytes), unit: "MB"),
            BenchRow(
                "  beyond the weights, transformer" + remark,
                value: megabytes(figures.transformerMemory), unit: "MB"),
            BenchRow(
                "  beyond the weights, decoder" + remark,
                value: megabytes(figures.decoderMemory), unit: "MB"),
            BenchRow(
                "  peak resident",
                value: megabytes(max(figures.transformerPeak, figures.decoderPeak)), unit: "MB"),
        ]
    }
}
