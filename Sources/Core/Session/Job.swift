// Long work with progress, estimate and cancellation. SPDX-License-Identifier: Apache-2.0
import Foundation

/// A snapshot of one piece of long work; panes draw it, commands print it.
public struct Job: Sendable, Equatable, Identifiable {
    /// Where the work stands.
    public enum State: Sendable, Equatable {
        case queued
        case running
        case paused
        case cancelling
        case cancelled
        case done
        /// The sentence that says why.
        case failed(String)

        /// Whether nothing more will happen.
        public var isFinished: Bool {
            switch self {
            case .cancelled, .done, .failed: true
            case .queued, .running, .paused, .cancelling: false
            }
        }
    }

    public let id: Int
    public var title: String
    /// What it is doing now, "scale 3, mask step 2".
    public var phase: String
    public var step: Int
    /// Steps in all; 0 while unknown.
    public var total: Int
    public var state: State
    public var queuedAt: Date
    public var startedAt: Date?
    public var finishedAt: Date?
    /// Seconds still to go, from an exponentially weighted rate; nil before three steps.
    public var remaining: Double?

    public init(id: Int, title: String, queuedAt: Date = Date()) {
        self.id = id
        self.title = title
        self.phase = ""
        self.step = 0
        self.total = 0
        self.state = .queued
        self.queuedAt = queuedAt
    }
}
