// The controls of running samplers, reachable from the main thread by run.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// Holds what is said to a run until its sampler is there to hear it.
nonisolated final class ControlTable: @unchecked Sendable {
    private struct Entry {
        var control: SamplingControl?
        var job: Int?
        var rows: [Int: [Int]] = [:]
        var isPaused = false
        var isCancelled = false
    }

    private let lock = NSLock()
    private var entries: [Int: Entry] = [:]

    func add(run: Int) { lock.withLock { entries[run] = Entry() } }

    /// Notes the job of a run; returns whether the run was cancelled before.
    func setJob(_ job: Int, run: Int) -> Bool {
        lock.withLock {
            entries[run]?.job = job
            return entries[run]?.isCancelled ?? false
        }
    }

    /// Gives a sampler's control everything that was said before it began.
    func begin(run: Int, control: SamplingControl) {
        let entry = lock.withLock { () -> Entry in
            entries[run, default: Entry()].control = control
            return entries[run] ?? Entry()
        }
        for (scale, row) in entry.rows { control.setRow(row, scale: scale) }
        if entry.isPaused { control.pause() }
        if entry.isCancelled { control.cancellation.cancel() }
    }

    func end(run: Int) { lock.withLock { entries[run] = nil } }

    func setRow(_ row: [Int], scale: Int, run: Int) {
        let control = lock.withLock { () -> SamplingControl? in
            entries[run]?.rows[scale] = row
            return entries[run]?.control
        }
        control?.setRow(row, scale: scale)
    }

    func setPaused(_ value: Bool, run: Int) {
        let control = lock.withLock { () -> SamplingControl? in
            entries[run]?.isPaused = value
            return entries[run]?.control
        }
        if value { control?.pause() } else { control?.resume() }
    }

    func step(run: Int) { lock.withLock { entries[run]?.control }?.step() }

    /// The job to cancel, if it is known.
    func cancel(run: Int) -> Int? {
        lock.withLock {
            entries[run]?.isCancelled = true
            return entries[run]?.job
        }
    }
}
