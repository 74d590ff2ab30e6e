// Where a training stands, as its run folder says. SPDX-License-Identifier: Apache-2.0
import Foundation

/// What a training process says about itself in `status.json`; rewritten about once a second.
public struct TrainingStatus: Sendable, Equatable, Codable {
    public enum Phase: String, Sendable, Codable {
        /// Reads data and earlier stages, encodes tokens.
        case preparing
        case running
        case paused
        /// Ended by a person after a checkpoint.
        case stopped
        /// All steps are made and the weights are written.
        case done
        /// Ended by an error; `problem` says which.
        case failed
        /// The process is gone without having said so: killed, or the machine went down.
        case lost

        /// Whether the process is at work or waits to go on.
        public var isActive: Bool { self == .preparing || self == .running || self == .paused }
    }

    public var format = 1
    public var phase: Phase
    /// The recipe's name.
    public var name: String
    /// The recipe's system.
    public var system: String
    /// "multi-scale VQ-VAE tokenizer".
    public var title: String
    /// The recipe file, absolute.
    public var recipe: String
    /// The data folder given; nil if it was left to the recipe.
    public var data: String?
    /// What it computes on, "CPU, 2 threads".
    public var device: String
    public var step: Int
    /// Steps in all; 0 while unknown.
    public var total: Int
    /// From an exponentially weighted rate.
    public var stepsPerSecond: Double?
    /// Seconds still to go at that rate.
    public var remaining: Double?
    /// The step of the last checkpoint.
    public var checkpointStep: Int?
    public var process: Int32
    /// Seconds since 1970 when it began, and when this was written.
    public var startedAt: Double
    public var updatedAt: Double
    /// What ended it.
    public var problem: String?

    public init(
        phase: Phase = .preparing, name: String, system: String, title: String = "",
        recipe: String, data: String? = nil, device: String = "", step: Int = 0, total: Int = 0,
        process: Int32 = getpid(), startedAt: Double = Date().timeIntervalSince1970
    ) {
        self.phase = phase
        self.name = name
        self.system = system
        self.title = title
        self.recipe = recipe
        self.data = data
        self.device = device
        self.step = step
        self.total = total
        self.process = process
        self.startedAt = startedAt
        updatedAt = startedAt
    }
}
