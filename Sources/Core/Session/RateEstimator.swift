// Remaining time from measured steps. SPDX-License-Identifier: Apache-2.0

/// Estimates remaining time from an exponentially weighted mean of the seconds per step.
public struct RateEstimator: Sendable, Equatable {
    private var secondsPerStep: Double?
    private var lastStep = 0
    private var lastTime: Double?
    private var samples = 0
    /// Weight of the newest step, 0…1.
    private let weight: Double

    public init(weight: Double = 0.3) {
        self.weight = weight
    }

    /// Notes that `step` steps were done at `time` (seconds of any monotonic clock).
    public mutating func record(step: Int, time: Double) {
        guard let last = lastTime else {
            lastTime = time
            lastStep = step
            return
        }
        guard step > lastStep else { return }
        let perStep = (time - last) / Double(step - lastStep)
        secondsPerStep = secondsPerStep.map { $0 + weight * (perStep - $0) } ?? perStep
        samples += step - lastStep
        lastStep = step
        lastTime = time
    }

    /// Seconds to go until `total`; nil before three steps were seen.
    public func remaining(total: Int) -> Double? {
        guard samples >= 3, let secondsPerStep, total > 0 else { return nil }
        return max(0, Double(total - lastStep) * secondsPerStep)
    }
}
