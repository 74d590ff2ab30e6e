// Sampling speed of a shipped model. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// Times loading, sampling with and without previews, and each scale.
struct ModelBenchmarks {
    let access: ModelAccess
    let name: String

    func run(_ bench: Benchmark) throws -> [BenchRow] {
        var rows = [
            try bench.time("load \(name)") {
                _ = try access.load(name, cancellation: bench.cancellation)
            }
        ]
        let model = try access.imageModel(name, cancellation: bench.cancellation)
        for variant in model.variants {
            rows += try sampling(bench, model, variant)
        }
        rows.append(
            BenchRow(
                "peak resident memory", value: Double(ResidentMemory.peakBytes) / 1e6, unit: "MB"))
        return rows
    }

    private func sampling(
        _ bench: Benchmark, _ model: any ImageSampling, _ variant: SamplingVariant
    ) throws -> [BenchRow] {
        let defaults = model.card.defaults
        let patchNums = model.geometry.patchNums
        var schedule = SamplingSchedule.nextScaleOnly(patchNums: patchNums)
        if variant == .hmar, let rows = defaults.schedule {
            schedule = try SamplingSchedule(patchNums: patchNums, rows: rows)
        }
        var request = SamplingRequest(
            variant: variant, classLabel: 0, seed: 1, cfg: defaults.cfg ?? 1.5,
            topK: defaults.topK ?? 0, topP: defaults.topP ?? 0, schedule: schedule)
        let label = "sample \(variant.rawValue)"
        request.mode = .exact
        var rows = [
            try bench.time("\(label), exact mode") {
                _ = try model.sample(request, control: SamplingControl())
            }
        ]
        request.mode = .fast
        rows.append(
            try bench.time("\(label), fast mode") {
                _ = try model.sample(request, control: SamplingControl())
            })
        let clock = PreviewClock()
        rows.append(
            try bench.time("\(label), fast mode, preview of every pass") {
                clock.start()
                _ = try model.sample(
                    request,
                    control: SamplingControl(
                        previewWanted: { true }, observer: { _ in clock.preview() }))
            })
        rows.append(bench.row("\(label), first preview", times: Array(clock.first.dropFirst())))
        let result = try model.sample(request, control: SamplingControl())
        for (scale, seconds) in result.secondsPerScale.enumerated() {
            let side = patchNums[scale]
            rows.append(
                BenchRow(
                    "  scale \(scale), \(side)×\(side), \(schedule.rows[scale].count) passes",
                    value: seconds * 1e3, unit: "ms"))
        }
        rows.append(BenchRow("  decode", value: result.decodeSeconds * 1e3, unit: "ms"))
        rows.append(
            BenchRow("  key/value cache", value: Double(result.cacheBytes) / 1e3, unit: "kB"))
        return rows
    }
}

/// Notes when the first preview of each run comes.
private final class PreviewClock: @unchecked Sendable {
    private let lock = NSLock()
    private var begun = 0.0
    private var isWaiting = false
    private var times: [Double] = []

    /// Seconds to the first preview of every run, the warm-up first.
    var first: [Double] { lock.withLock { times } }

    func start() {
        lock.withLock {
            begun = ProcessInfo.processInfo.systemUptime
            isWaiting = true
        }
    }

    func preview() {
        lock.withLock {
            guard isWaiting else { return }
            isWaiting = false
            times.append(ProcessInfo.processInfo.systemUptime - begun)
        }
    }
}
