// The top-p (nucleus) filter.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Keeps the smallest set of most likely codes whose probability reaches p; 0 keeps all.
///
/// Codes are sorted ascending and those whose cumulative probability is at most 1 − p are removed;
/// the most likely one always stays. Equal logits are taken in index order.
/// Source: Holtzman et al., "The curious case of neural text degeneration", arXiv 1904.09751.
public struct TopP: Sendable, Equatable {
    /// p in 0…1; 0 = all.
    public let probability: Double

    /// - Throws: ``SamplingError/outOfRange(name:found:allowed:)`` outside 0…1.
    public init(_ probability: Double) throws(SamplingError) {
        guard probability >= 0, probability <= 1 else {
            throw .outOfRange(name: "top-p", found: "\(probability)", allowed: "0 (all) to 1")
        }
        self.probability = probability
    }

    /// Sets what is removed to −∞; −∞ on entry counts as probability 0.
    public func apply(to logits: UnsafeMutableBufferPointer<Float>) {
        CategoricalSampling.keepNucleus(probability, of: logits)
    }
}
