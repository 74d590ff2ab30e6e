// Jobs: order, failure, cancellation. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import Synchronization
import Testing

private struct Broken: Error, CustomStringConvertible {
    var description: String { "The disk is full." }
}

@Suite struct JobQueueTests {
    @Test func aFailedJobDoesNotStopTheNext() {
        let queue = JobQueue()
        let first = queue.submit("fails") { _ in throw Broken() }
        let second = queue.submit("works") { $0.progress(3, of: 3, phase: "counting") }
        #expect(queue.waitUntilIdle(seconds: 20))
        let jobs = queue.jobs
        #expect(jobs.first { $0.id == first }?.state == .failed("The disk is full."))
        #expect(jobs.first { $0.id == second }?.state == .done)
        #expect(jobs.first { $0.id == second }?.phase == "counting")
        queue.shutDown()
    }

    @Test func jobsAreAsNiceAsTheirQueueAndSoAreTheirThreads() {
        let queue = JobQueue(niceness: 7)
        let own = Mutex<Int32>(0)
        let started = Mutex<Int32>(0)
        queue.submit("looks") { _ in
            own.withLock { $0 = ThreadPriority.current }
            let done = DispatchSemaphore(value: 0)
            Thread {
                started.withLock { $0 = ThreadPriority.current }
                done.signal()
            }.start()
            done.wait()
        }
        #expect(queue.waitUntilIdle(seconds: 20))
        #expect(own.withLock { $0 } == 7)
        #expect(started.withLock { $0 } == 7)
        #expect(ThreadPriority.current < 7)
        queue.shutDown()
    }

    @Test func aCancelledJobEndsAsCancelled() {
        let queue = JobQueue()
        let started = DispatchSemaphore(value: 0)
        let running = queue.submit("long") { handle in
            started.signal()
            while true {
                try handle.cancellation.check()
                Thread.sleep(forTimeInterval: 0.001)
            }
        }
        let waiting = queue.submit("never") { _ in Issue.record("a cancelled job ran") }
        started.wait()
        queue.cancel(waiting)
        queue.cancel(running)
        #expect(queue.waitUntilIdle(seconds: 20))
        #expect(queue.jobs.map(\.state) == [.cancelled, .cancelled])
        queue.shutDown()
    }

    @Test func theEstimateComesAfterThreeSteps() {
        var rate = RateEstimator()
        for step in 0...2 { rate.record(step: step, time: Double(step) * 2) }
        #expect(rate.remaining(total: 10) == nil)
        rate.record(step: 3, time: 6)
        #expect(rate.remaining(total: 10).map { abs($0 - 14) < 1e-9 } == true)
    }
}
