// Whole pictures of published size on a GPU. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import Models

/// A sample from the request to the pictures on the host: time per pass, decode, memory.
struct DevicePictureBenchmarks {
    let session: HMARSession
    let device: any Device
    let schedule: SamplingSchedule
    let work: TransformerWork
    /// Of one picture.
    let decoderFlop: Double
    let batch: Int
    let cancellation: Cancellation

    func run(variant: SamplingVariant, mode: ComputeMode, runs: Int) throws -> [BenchRow] {
        let request = SamplingRequest(
            variant: variant, classLabel: 0, count: batch, seed: 1, topK: 900, topP: 0.95,
            schedule: schedule, mode: mode)
        device.resetMemoryPeak()
        // The first runs pass by pass, the second is recorded.
        for _ in 0..<2 { _ = try sample(request) }
        var (totals, results): ([Double], [SamplingResult]) = ([], [])
        for _ in 0..<max(5, runs) {
            let (seconds, result) = try sample(request)
            totals.append(seconds)
            results.append(result)
        }
        let log = DevicePassLog()
        _ = try session.sample(
            request, control: SamplingControl(cancellation: cancellation, observer: log.add))
        let flops = work.passes(rows: schedule.rows, variant: variant, mode: mode)
        let transformer = flops.joined().reduce(0, +) * Double(batch)
        let decoder = decoderFlop * Double(batch)
        var total = BenchRow(
            batch == 1 ? "picture" : "\(batch) pictures", times: totals,
            flop: transformer + decoder)
        total.section =
            "\(variant.rawValue), \(mode.rawValue) mode, \(session.geometry.imageSize) pixels, "
            + "\(schedule.passCount) passes"
        func median(_ part: (SamplingResult) -> Double) -> Double {
            Benchmark.median(results.map(part))
        }
        var rows = [
            total,
            BenchRow(
                "  passes", seconds: median { $0.secondsPerScale.reduce(0, +) },
                gflop: transformer / 1e9),
            BenchRow("  decode", seconds: median(\.decodeSeconds), gflop: decoder / 1e9),
        ]
        let passes = zip(log.reports, flops.joined())
        for (report, flop) in passes {
            let side = schedule.patchNums[report.scale]
            rows.append(
                BenchRow(
                    "  scale \(report.scale), \(side)×\(side), "
                        + (report.step == 0 ? "next-scale" : "mask step \(report.step)"),
                    seconds: report.seconds, gflop: flop * Double(batch) / 1e9))
        }
        if let memory = device.memoryInUse {
            rows.append(
                BenchRow("  peak device memory", value: Double(memory.peak) / 1e9, unit: "GB"))
        }
        return rows.under(total.section ?? "")
    }

    private func sample(_ request: SamplingRequest) throws -> (Double, SamplingResult) {
        let start = ProcessInfo.processInfo.systemUptime
        let result = try session.sample(
            request, control: SamplingControl(cancellation: cancellation))
        return (ProcessInfo.processInfo.systemUptime - start, result)
    }
}

/// Keeps the reports of one sample.
private final class DevicePassLog: @unchecked Sendable {
    private let lock = NSLock()
    private var list: [PassReport] = []

    var reports: [PassReport] { lock.withLock { list } }

    @Sendable func add(_ report: PassReport) { lock.withLock { list.append(report) } }
}
