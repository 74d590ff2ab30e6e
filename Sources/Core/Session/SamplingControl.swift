// The live connection between a running sampler and whoever watches it.
// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Lets one side watch, change, pause and cancel a sampler that runs on another thread.
///
/// The sampler calls ``row(forScale:proposed:)`` when it begins a scale, ``checkpoint()`` between
/// layers, ``wantsPreview()`` and ``report(_:)`` after every pass. Everything else may be called
/// from any thread.
public final class SamplingControl: @unchecked Sendable {
    private let condition = NSCondition()
    private var pendingRows: [Int: [Int]] = [:]
    private var paused = false
    private var stepsAllowed = 0
    private let observer: (@Sendable (PassReport) -> Void)?
    private let previewWanted: @Sendable () -> Bool

    /// The flag that ends the work.
    public let cancellation: Cancellation

    /// Creates a control.
    ///
    /// - Parameters:
    ///   - cancellation: shared with the job that runs the sampler.
    ///   - previewWanted: asked after every pass, on the sampler's thread; a decode is spared when
    ///     it says no.
    ///   - observer: called after every pass, on the sampler's thread.
    public init(
        cancellation: Cancellation = Cancellation(),
        previewWanted: @escaping @Sendable () -> Bool = { false },
        observer: (@Sendable (PassReport) -> Void)? = nil
    ) {
        self.cancellation = cancellation
        self.previewWanted = previewWanted
        self.observer = observer
    }

    // MARK: The watching side

    /// Replaces the row of a scale that has not begun; a later call for the same scale wins.
    ///
    /// The caller has checked the row against p_k²; scales already begun keep theirs.
    public func setRow(_ row: [Int], scale: Int) {
        condition.withLock { pendingRows[scale] = row }
    }

    /// Holds the sampler after its present pass.
    public func pause() {
        condition.withLock { paused = true }
    }

    /// Lets a paused sampler go on.
    public func resume() {
        condition.withLock {
            paused = false
            stepsAllowed = 0
            condition.broadcast()
        }
    }

    /// Lets a paused sampler make one more pass.
    public func step() {
        condition.withLock {
            stepsAllowed += 1
            condition.broadcast()
        }
    }

    /// Whether the sampler is held.
    public var isPaused: Bool { condition.withLock { paused } }

    // MARK: The sampler's side

    /// The row to run for a scale that begins now.
    public func row(forScale scale: Int, proposed: [Int]) -> [Int] {
        condition.withLock { pendingRows[scale] ?? proposed }
    }

    /// The rows that will run after `scale`, as known now.
    public func plannedRows(_ proposed: [[Int]]) -> [[Int]] {
        condition.withLock {
            proposed.enumerated().map { pendingRows[$0.offset] ?? $0.element }
        }
    }

    /// Ends the work when it was cancelled. Cheap: call it between layers.
    ///
    /// - Throws: `CancellationError`.
    public func checkpoint() throws {
        try cancellation.check()
    }

    /// Whether passes are looked at as they come, or may have to wait.
    public var isWatched: Bool { observer != nil || isPaused }

    /// Whether anybody would look at a preview now.
    public func wantsPreview() -> Bool { previewWanted() }

    /// Publishes a pass, then waits while paused.
    ///
    /// - Throws: `CancellationError` when cancelled while waiting.
    public func report(_ report: PassReport) throws {
        observer?(report)
        condition.lock()
        defer { condition.unlock() }
        while paused && stepsAllowed == 0 && !cancellation.isCancelled {
            _ = condition.wait(until: Date(timeIntervalSinceNow: 0.05))
        }
        if paused && stepsAllowed > 0 { stepsAllowed -= 1 }
        try cancellation.check()
    }
}
