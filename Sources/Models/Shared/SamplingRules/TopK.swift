// The top-k filter.
// SPDX-License-Identifier: Apache-2.0

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
        guard count > 0, count < logits.count else { return }
        let threshold = Self.kthLargest(Array(logits), count)
        for i in logits.indices where logits[i] < threshold { logits[i] = -.infinity }
    }

    /// The k-th largest value, k counted from 1, by quickselect in a copy.
    private static func kthLargest(_ values: [Float], _ k: Int) -> Float {
        var values = values
        return values.withUnsafeMutableBufferPointer { v in
            var (low, high) = (0, v.count - 1)
            let target = k - 1
            while low < high {
                let pivot = v[(low + high) / 2]
                var (i, j) = (low, high)
                while i <= j {
                    while v[i] > pivot { i += 1 }
                    while v[j] < pivot { j -= 1 }
                    if i <= j {
                        v.swapAt(i, j)
                        i += 1
                        j -= 1
                    }
                }
                if target <= j {
                    high = j
                } else if target >= i {
                    low = i
                } else {
                    break
                }
            }
            return v[target]
        }
    }
}
