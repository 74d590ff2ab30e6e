// A flag that ends long work. SPDX-License-Identifier: Apache-2.0
import Foundation

/// A flag set by one thread and looked at by another.
public final class Cancellation: @unchecked Sendable {
    private let lock = NSLock()
    private var cancelled = false

    public init() {}

    /// Whether the work should end.
    public var isCancelled: Bool { lock.withLock { cancelled } }

    /// Asks the work to end.
    public func cancel() { lock.withLock { cancelled = true } }

    /// Throws `CancellationError` once the flag is set.
    public func check() throws {
        if isCancelled { throw CancellationError() }
    }
}
