// Runs jobs one after the other on a thread of its own. SPDX-License-Identifier: Apache-2.0
import Foundation

/// Runs long work one job at a time on its own thread, and tells watchers about every change.
///
/// Model work never runs in Swift tasks: two busy tasks on two cores starve every other one
/// (see Decisions in Core's documentation).
public final class JobQueue: @unchecked Sendable {
    /// What a job's work is handed.
    public final class Handle: @unchecked Sendable {
        /// The job's identity.
        public let id: Int
        /// Set when the job is cancelled.
        public let cancellation = Cancellation()
        private let update: @Sendable (Int, Int, String) -> Void

        fileprivate init(id: Int, update: @escaping @Sendable (Int, Int, String) -> Void) {
            self.id = id
            self.update = update
        }

        /// Publishes progress: steps done, steps in all, and what is being done.
        public func progress(_ step: Int, of total: Int, phase: String = "") {
            update(step, total, phase)
        }
    }

    private struct Entry {
        var job: Job
        var handle: Handle
        var work: (@Sendable (Handle) throws -> Void)?
        var rate = RateEstimator()
    }

    private let condition = NSCondition()
    private var entries: [Entry] = []
    private var nextID = 1
    private var stopping = false
    private var queuePaused = false
    private let onChange: @Sendable () -> Void

    /// Creates a queue and its thread.
    ///
    /// - Parameters:
    ///   - niceness: of its thread and of those that jobs start (see ``ThreadPriority``).
    ///   - onChange: called from any thread after every change; keep it short (wake a loop).
    public init(niceness: Int32 = 0, onChange: @escaping @Sendable () -> Void = {}) {
        self.onChange = onChange
        // Jobs compute where the queue's maker does.
        let device = currentDevice
        let thread = Thread { [weak self] in
            ThreadPriority.lowerCurrent(to: niceness)
            withDevice(device) {
                while let next = self?.takeNext() { self?.run(next) }
            }
        }
        thread.name = "jobs"
        thread.stackSize = 16 << 20
        thread.start()
    }

    /// Adds a job to the end of the queue and returns its identity.
    @discardableResult
    public func submit(_ title: String, work: @escaping @Sendable (Handle) throws -> Void) -> Int {
        let id = condition.withLock { () -> Int in
            let id = nextID
            nextID += 1
            let handle = Handle(id: id) { [weak self] step, total, phase in
                self?.update(id: id, step: step, total: total, phase: phase)
            }
            entries.append(Entry(job: Job(id: id, title: title), handle: handle, work: work))
            condition.broadcast()
            return id
        }
        onChange()
        return id
    }

    /// Snapshots of all jobs, oldest first.
    public var jobs: [Job] { condition.withLock { entries.map(\.job) } }

    /// Cancels a job: a queued one at once, a running one at its next look at the flag.
    public func cancel(_ id: Int) {
        condition.withLock {
            guard let i = entries.firstIndex(where: { $0.job.id == id }) else { return }
            guard !entries[i].job.state.isFinished else { return }
            entries[i].handle.cancellation.cancel()
            if entries[i].job.state == .queued {
                entries[i].job.state = .cancelled
                entries[i].job.finishedAt = Date()
                entries[i].work = nil
            } else {
                entries[i].job.state = .cancelling
            }
            condition.broadcast()
        }
        onChange()
    }

    /// Moves a queued job one place up (−1) or down (+1) among the queued ones.
    public func move(_ id: Int, by offset: Int) {
        condition.withLock {
            guard let i = entries.firstIndex(where: { $0.job.id == id }) else { return }
            let j = i + offset
            guard entries.indices.contains(j), entries[i].job.state == .queued,
                entries[j].job.state == .queued
            else { return }
            entries.swapAt(i, j)
        }
        onChange()
    }

    /// Whether queued jobs are held back.
    public var isPaused: Bool { condition.withLock { queuePaused } }

    /// Holds back or releases queued jobs; a running job goes on.
    public func setPaused(_ value: Bool) {
        condition.withLock {
            queuePaused = value
            condition.broadcast()
        }
        onChange()
    }

    /// Forgets a job that waits or has finished; a running one stays.
    public func remove(_ id: Int) {
        condition.withLock {
            entries.removeAll {
                $0.job.id == id && ($0.job.state == .queued || $0.job.state.isFinished)
            }
            condition.broadcast()
        }
        onChange()
    }

    /// Forgets finished jobs.
    public func clearFinished() {
        condition.withLock { entries.removeAll { $0.job.state.isFinished } }
        onChange()
    }

    /// Cancels everything and ends the thread after the running job has stopped.
    public func shutDown() {
        condition.withLock {
            stopping = true
            for i in entries.indices where !entries[i].job.state.isFinished {
                entries[i].handle.cancellation.cancel()
            }
            condition.broadcast()
        }
    }

    /// Waits until no job is queued or running, at most `seconds`; for commands and tests.
    @discardableResult
    public func waitUntilIdle(seconds: Double = .infinity) -> Bool {
        let deadline = seconds.isFinite ? Date(timeIntervalSinceNow: seconds) : .distantFuture
        condition.lock()
        defer { condition.unlock() }
        while entries.contains(where: { !$0.job.state.isFinished }) {
            if !condition.wait(until: deadline) { return false }
        }
        return true
    }

    // MARK: The thread

    private func takeNext() -> Int? {
        condition.lock()
        defer { condition.unlock() }
        while true {
            if stopping { return nil }
            if !queuePaused, let i = entries.firstIndex(where: { $0.job.state == .queued }) {
                entries[i].job.state = .running
                entries[i].job.startedAt = Date()
                return entries[i].job.id
            }
            condition.wait()
        }
    }

    private func run(_ id: Int) {
        onChange()
        let found = condition.withLock {
            entries.first { $0.job.id == id }.map { ($0.handle, $0.work) }
        }
        guard let (handle, work) = found, let work else { return }
        var state = Job.State.done
        do {
            try work(handle)
            try currentDevice.throwPendingError()
        } catch is CancellationError {
            state = .cancelled
        } catch {
            state = .failed(String(describing: error))
        }
        condition.withLock {
            if let i = entries.firstIndex(where: { $0.job.id == id }) {
                entries[i].job.state = state
                entries[i].job.finishedAt = Date()
                entries[i].job.remaining = nil
                entries[i].work = nil
            }
            condition.broadcast()
        }
        onChange()
    }

    private func update(id: Int, step: Int, total: Int, phase: String) {
        let now = ProcessInfo.processInfo.systemUptime
        condition.withLock {
            guard let i = entries.firstIndex(where: { $0.job.id == id }) else { return }
            entries[i].rate.record(step: step, time: now)
            entries[i].job.step = step
            entries[i].job.total = total
            if !phase.isEmpty { entries[i].job.phase = phase }
            entries[i].job.remaining = entries[i].rate.remaining(total: total)
        }
        onChange()
    }
}
