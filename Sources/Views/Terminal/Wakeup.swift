// Wakes the event loop from any thread.
// SPDX-License-Identifier: Apache-2.0
import CTerm
import Glibc

/// A descriptor that becomes readable when any thread asks for attention.
nonisolated public final class Wakeup: Sendable {
    /// What the loop polls.
    let descriptor: Int32

    public init() { descriptor = cterm_eventfd() }

    deinit { close(descriptor) }

    /// Makes the loop run once more soon; cheap, and safe from any thread.
    public func wake() {
        var one: UInt64 = 1
        _ = write(descriptor, &one, 8)
    }

    /// Takes all wake-ups that are waiting; returns whether there were any.
    @discardableResult
    func drain() -> Bool {
        var count: UInt64 = 0
        return read(descriptor, &count, 8) == 8
    }
}
