// What processes that train together say to each other. SPDX-License-Identifier: Apache-2.0

/// Processes that work on one training, each with a device of its own.
///
/// Every process makes the same calls in the same order with tensors of the same shapes; a call
/// returns in one process only once the others have made it too, as far as the device is concerned.
public protocol ProcessGroup: AnyObject, Sendable {
    /// This process's place.
    var rank: ProcessRank { get }
    /// Every tensor becomes its mean over the processes, in place.
    ///
    /// - Precondition: contiguous float32.
    func average(_ tensors: [Tensor])
    /// The tensors of all processes joined along the first axis, in the order of ranks.
    func gathered(_ tensor: Tensor) -> Tensor
    /// Every tensor becomes that of the first process, in place.
    ///
    /// - Precondition: contiguous.
    func broadcast(_ tensors: [Tensor])
}

/// A group of one.
public final class SingleProcess: ProcessGroup {
    public let rank = ProcessRank()

    public init() {}

    public func average(_ tensors: [Tensor]) {}
    public func gathered(_ tensor: Tensor) -> Tensor { tensor }
    public func broadcast(_ tensors: [Tensor]) {}
}

extension ProcessRank {
    /// This process's part of a batch: parts are consecutive, in the order of ranks.
    ///
    /// Sizes differ by one at most where the processes do not divide the batch.
    public func share(of count: Int) -> Range<Int> {
        (count * rank / size)..<(count * (rank + 1) / size)
    }

    /// This process's part of a list.
    public func share<Element>(of all: [Element]) -> [Element] {
        size == 1 ? all : Array(all[share(of: all.count)])
    }
}
