// Learning rate over a run. SPDX-License-Identifier: Apache-2.0
import Foundation

/// Warm-up, hold, then decay to a floor.
public struct LearningRateSchedule: Sendable, Equatable {
    /// How the rate falls after the hold.
    public enum Decay: String, Sendable, CaseIterable, Codable {
        case linear
        case cosine
        case none
    }

    /// The highest rate.
    public var peak: Float
    /// Steps of linear warm-up, from `start · peak`.
    public var warmUpSteps: Int
    /// Steps in all.
    public var totalSteps: Int
    /// Share of the steps after warm-up for which the peak is held, 0…1.
    public var hold: Float
    /// The last rate as a share of the peak.
    public var floor: Float
    /// The first rate as a share of the peak.
    public var start: Float
    public var decay: Decay

    public init(
        peak: Float, warmUpSteps: Int, totalSteps: Int, hold: Float = 0.05, floor: Float = 0.1,
        start: Float = 0.005, decay: Decay = .linear
    ) {
        self.peak = peak
        self.warmUpSteps = warmUpSteps
        self.totalSteps = totalSteps
        self.hold = hold
        self.floor = floor
        self.start = start
        self.decay = decay
    }

    /// The rate of a step, counted from 0.
    ///
    /// Source: VAR's `lin0` rule: after warm-up the rate is held for a share `hold` of the rest,
    /// then falls along a line to `floor · peak`.
    /// - Parameter share: the share of the run that is over by another measure, such as time; the
    ///   larger of both counts after the warm-up.
    public func rate(step: Int, share: Float = 0) -> Float {
        if step < warmUpSteps {
            return peak * (start + (1 - start) * Float(step) / Float(max(1, warmUpSteps)))
        }
        let span = Float(max(1, totalSteps - 1 - warmUpSteps))
        let passed = min(1, max(share, Float(step - warmUpSteps) / span))
        if passed < hold || decay == .none { return peak }
        let rest = (1 - passed) / max(1e-6, 1 - hold)
        switch decay {
        case .linear: return peak * (floor + (1 - floor) * rest)
        case .cosine: return peak * (floor + (1 - floor) * (0.5 - 0.5 * cos(Float.pi * rest)))
        case .none: return peak
        }
    }
}
