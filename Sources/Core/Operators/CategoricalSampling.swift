// Filters and draws from one row of logits, on the host. SPDX-License-Identifier: Apache-2.0
import Foundation

/// The rules by which a code is chosen from a row of logits; −∞ marks what is removed.
public enum CategoricalSampling {
    /// e^x in single precision; 0 for −∞.
    @inline(__always)
    public static func exponential(_ x: Float) -> Float { exp(x) }

    /// Keeps the `count` largest; those equal to the smallest of them survive too; 0 keeps all.
    public static func keepLargest(_ count: Int, of logits: UnsafeMutableBufferPointer<Float>) {
        guard count > 0, count < logits.count else { return }
        let threshold = kthLargest(Array(logits), count)
        for i in logits.indices where logits[i] < threshold { logits[i] = -.infinity }
    }

    /// Removes, in ascending order, what has a cumulative probability of at most 1 − p; equal logits go
    /// in index order, and the largest always stays. 0 keeps all.
    public static func keepNucleus(
        _ probability: Double, of logits: UnsafeMutableBufferPointer<Float>
    ) {
        guard probability > 0, logits.count > 1 else { return }
        // What was removed before has probability 0 and stays removed.
        let order = logits.indices.filter { logits[$0] > -.infinity }.sorted { a, b in
            logits[a] != logits[b] ? logits[a] < logits[b] : a < b
        }
        guard order.count > 1 else { return }
        let largest = logits[order[order.count - 1]]
        var total: Float = 0
        let weights = order.map { index -> Float in
            let weight = exp(logits[index] - largest)
            total += weight
            return weight
        }
        // Accumulated in double, compared in float: what the reference does with float logits.
        let limit = Float(1 - probability)
        var cumulative = 0.0
        for position in 0..<(order.count - 1) {
            cumulative += Double(weights[position] / total)
            if Float(cumulative) > limit { break }
            logits[order[position]] = -.infinity
        }
    }

    /// The first code i with Σ_{j ≤ i} p_j > u · Σ p, in double.
    public static func draw(_ logits: UnsafeBufferPointer<Float>, uniform: Double) -> Int {
        let largest = logits.max() ?? 0
        var total = 0.0
        for x in logits { total += Double(exponential(x - largest)) }
        let target = uniform * total
        var cumulative = 0.0
        var last = 0
        for (i, x) in logits.enumerated() {
            let weight = Double(exponential(x - largest))
            guard weight > 0 else { continue }
            cumulative += weight
            last = i
            if cumulative > target { break }
        }
        return last
    }

    /// Softmax probability of one code.
    public static func probability(of code: Int, _ logits: UnsafeBufferPointer<Float>) -> Float {
        let largest = logits.max() ?? 0
        var total: Float = 0
        for x in logits { total += exponential(x - largest) }
        return exponential(logits[code] - largest) / total
    }

    /// Entropy in bits, and the `count` likeliest codes, likeliest first and the lower on ties.
    public static func summary(
        _ logits: UnsafeBufferPointer<Float>, count: Int
    ) -> (entropy: Float, likeliest: [(code: Int, probability: Float)]) {
        let largest = logits.max() ?? 0
        var total: Float = 0
        var weighted: Float = 0
        var best: [(code: Int, logit: Float)] = []
        for (i, x) in logits.enumerated() {
            let shifted = x - largest
            let weight = exponential(shifted)
            total += weight
            weighted += weight * shifted
            if best.count < count || shifted > best[best.count - 1].logit {
                let place = best.firstIndex { shifted > $0.logit } ?? best.count
                best.insert((i, shifted), at: place)
                if best.count > count { best.removeLast() }
            }
        }
        let nats = log(total) - weighted / total
        return (
            max(0, nats / log(2)), best.map { ($0.code, exponential($0.logit) / total) }
        )
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
