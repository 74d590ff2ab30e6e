// The top-k filter.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Keeps the k most likely codes; 0 keeps all.
///
/// Codes strictly below the k-th largest logit are removed, so ties with the k-th survive.
public struct TopK: Sendable, Equatable {
    /// k; 0 = all.
    public let count: Int

    /// - Throws: ``SamplingError/outOfRange(name:found:allowed:)`` for a negative k.
    public init(_ count: Int) throws(SamplingError) {
        guard count >= 0 else {
            throw .outOfRange(name: "top-k", found: "\(count)", allowed: "0 (all) or more")
        }
        self.count = count
    }

    /// Sets what is removed to −∞.
    public func apply(to logits: UnsafeMutableBufferPointer<Float>) {
        CategoricalSampling.keepLargest(count, of: logits)
    }
}
