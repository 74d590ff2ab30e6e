// What making one picture costs. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import Models

/// Times and memory of one kind of picture.
struct PictureFigures: Codable {
    var variant: SamplingVariant
    var mode: ComputeMode
    var imageSize: Int
    /// S_k of every scale.
    var schedule: [[Int]]
    /// Seconds of every pass in order, medians of the runs.
    var passSeconds: [Double] = []
    var secondsPerScale: [Double] = []
    var decodeSeconds = 0.0
    /// The fastest, median and slowest picture.
    var totals: [Double] = []
    /// Bytes of all weights of transformer and tokenizer.
    var weightBytes = 0
    /// Bytes of keys and values at their largest.
    var cacheBytes = 0
    /// The most that was resident while tokens were made and while they were decoded.
    var transformerPeak = 0
    var decoderPeak = 0
    /// Whether both peaks are of their own part, and not of the process so far.
    var peaksAreSeparate = true

    var totalSeconds: Double { totals.count == 3 ? totals[1] : 0 }
    /// Memory beyond the weights while tokens were made.
    var transformerMemory: Int { max(0, transformerPeak - weightBytes) }
    /// Memory beyond the weights while they were decoded.
    var decoderMemory: Int { max(0, decoderPeak - weightBytes) }
    /// Memory beyond the weights over the whole picture.
    var memory: Int { max(transformerMemory, decoderMemory) }
}

/// Makes pictures and notes what they cost.
final class PictureMeter {
    let session: HMARSession
    private let schedule: SamplingSchedule
    private let variant: SamplingVariant
    private let mode: ComputeMode
    private let cancellation: Cancellation
    private var runs: [(passes: [Double], scales: [Double], decode: Double, total: Double)] = []
    private var figures: PictureFigures

    init(
        _ session: HMARSession, schedule: SamplingSchedule, variant: SamplingVariant,
        mode: ComputeMode, cancellation: Cancellation
    ) {
        self.session = session
        self.schedule = schedule
        self.variant = variant
        self.mode = mode
        self.cancellation = cancellation
        figures = PictureFigures(
            variant: variant, mode: mode, imageSize: session.geometry.imageSize,
            schedule: schedule.rows, weightBytes: session.weightBytes)
    }

    /// Makes one picture.
    ///
    /// - Parameter isWarmUp: its times do not count; its memory does.
    func run(isWarmUp: Bool = false) throws {
        let request = SamplingRequest(
            variant: variant, classLabel: 0, seed: 1, schedule: schedule, mode: mode)
        let log = PassLog()
        figures.peaksAreSeparate = ResidentMemory.resetPeak() && figures.peaksAreSeparate
        let start = ProcessInfo.processInfo.systemUptime
        let result = try session.sample(
            request,
            control: SamplingControl(cancellation: cancellation, observer: { log.add($0) }))
        let total = ProcessInfo.processInfo.systemUptime - start
        figures.transformerPeak = max(figures.transformerPeak, log.transformerPeak)
        figures.decoderPeak = max(figures.decoderPeak, ResidentMemory.peakBytes)
        figures.cacheBytes = max(figures.cacheBytes, result.cacheBytes)
        if !isWarmUp {
            runs.append((log.seconds, result.secondsPerScale, result.decodeSeconds, total))
        }
    }

    /// Medians of the runs so far.
    var summary: PictureFigures {
        func medians(_ lists: [[Double]]) -> [Double] {
            (lists.first ?? []).indices.map { i in Benchmark.median(lists.map { $0[i] }) }
        }
        var summary = figures
        summary.passSeconds = medians(runs.map(\.passes))
        summary.secondsPerScale = medians(runs.map(\.scales))
        summary.decodeSeconds = Benchmark.median(runs.map(\.decode))
        let totals = runs.map(\.total)
        summary.totals = [totals.min() ?? 0, Benchmark.median(totals), totals.max() ?? 0]
        return summary
    }

    /// Seconds of every picture in the order in which they were made.
    var totals: [Double] { runs.map(\.total) }
}

/// Notes the passes of one picture, on the sampler's thread.
private final class PassLog: @unchecked Sendable {
    private let lock = NSLock()
    private var times: [Double] = []
    private var peak = 0

    var seconds: [Double] { lock.withLock { times } }
    /// The peak when the last pass ended.
    var transformerPeak: Int { lock.withLock { peak } }

    func add(_ report: PassReport) {
        lock.withLock {
            times.append(report.seconds)
            guard report.pass == report.passCount else { return }
            peak = ResidentMemory.peakBytes
            // What follows is the decoder's.
            ResidentMemory.resetPeak()
        }
    }
}
