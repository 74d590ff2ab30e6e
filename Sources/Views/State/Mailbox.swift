// Where worker threads leave news for the main thread.
// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Actions from any thread, taken by the main one. Posting wakes the event loop.
nonisolated final class Mailbox: @unchecked Sendable {
    private let lock = NSLock()
    private var actions: [Action] = []
    private let wake: @Sendable () -> Void

    init(wake: @escaping @Sendable () -> Void) { self.wake = wake }

    func post(_ action: Action) {
        lock.withLock { actions.append(action) }
        wake()
    }

    /// Everything posted since the last time, oldest first.
    func take() -> [Action] {
        lock.withLock {
            let taken = actions
            actions = []
            return taken
        }
    }
}
