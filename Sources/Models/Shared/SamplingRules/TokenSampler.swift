// How codes are chosen from logits; injectable, so that runs can be compared.
// SPDX-License-Identifier: Apache-2.0
import Core

/// The logits of one sampler call, on the host.
public struct LogitTable: Sendable {
    /// Pictures B.
    public let batch: Int
    /// Tokens per picture, n.
    public let count: Int
    /// Codes V.
    public let vocabulary: Int
    /// Guided logits [B, n, V] before any filter.
    public let raw: [Float]
    /// The same after top-k and top-p; −∞ = removed.
    public let filtered: [Float]

    /// Filters guided logits.
    ///
    /// - Precondition: `raw.count == batch · count · vocabulary`.
    public init(
        raw: [Float], batch: Int, count: Int, vocabulary: Int, topK: TopK, topP: TopP
    ) {
        precondition(raw.count == batch * count * vocabulary, "LogitTable: \(raw.count) logits")
        self.batch = batch
        self.count = count
        self.vocabulary = vocabulary
        self.raw = raw
        var filtered = raw
        if topK.count > 0 || topP.probability > 0 {
            filtered.withUnsafeMutableBufferPointer { all in
                for row in 0..<(batch * count) {
                    let part = UnsafeMutableBufferPointer(
                        rebasing: all[(row * vocabulary)..<((row + 1) * vocabulary)])
                    topK.apply(to: part)
                    topP.apply(to: part)
                }
            }
        }
        self.filtered = filtered
    }

    /// The first index of the largest value of a row.
    static func argmax(_ values: [Float], row: Int, length: Int) -> Int32 {
        values.withUnsafeBufferPointer { all in
            let start = row * length
            var best = 0
            for i in 1..<max(length, 1) where all[start + i] > all[start + best] { best = i }
            return Int32(best)
        }
    }

    /// Softmax probability of one code under the filtered logits of a row.
    func confidence(row: Int, code: Int32) -> Float {
        filtered.withUnsafeBufferPointer { all in
            CategoricalSampling.probability(
                of: Int(code),
                UnsafeBufferPointer(
                    rebasing: all[(row * vocabulary)..<((row + 1) * vocabulary)]))
        }
    }
}

/// Chooses one code for every row of a call.
///
/// A sampler may keep state (a position in a random stream, a call counter): a generation calls it
/// once per pass, in order.
public protocol TokenSampler {
    /// - Returns: `batch · count` codes, row-major.
    /// - Throws: ``SamplingError``.
    mutating func sample(_ table: LogitTable) throws -> [Int32]
    /// Goes on as if so many tokens of each picture had been drawn.
    mutating func skip(_ tokens: Int)
}

extension TokenSampler {
    public mutating func skip(_ tokens: Int) {}
}
