// The tokens of a whole data set, encoded once.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Tokens and labels of every picture of a data set.
public struct TokenCache: Sendable {
    /// Pictures.
    public let count: Int
    /// Tokens per picture, L.
    public let length: Int
    private let tokens: [UInt16]
    private let labels: [Int32]

    /// Encodes a data set.
    ///
    /// - Parameters:
    ///   - dataset: pictures of the tokenizer's size.
    ///   - limit: encodes only the first pictures.
    ///   - progress: pictures done and in all.
    /// - Throws: errors of the pictures; `CancellationError`.
    /// - Precondition: at most 65,536 codes.
    public init(
        encoding dataset: any Dataset, tokenizer: VQVAE, batch: Int = 64, limit: Int? = nil,
        cancellation: Cancellation, progress: (Int, Int) -> Void = { _, _ in }
    ) throws {
        precondition(tokenizer.configuration.vocabulary <= 1 << 16, "codes are kept in 16 bits")
        let count = min(dataset.count, limit ?? dataset.count)
        let length = tokenizer.configuration.tokenCount
        var tokens: [UInt16] = []
        tokens.reserveCapacity(count * length)
        for start in stride(from: 0, to: count, by: batch) {
            try cancellation.check()
            let indices = Array(start..<min(start + batch, count))
            let maps = tokenizer.tokens(try dataset.batch(indices).images)
            tokens += Tensor.concatenated(maps, axis: 1).int32s().map { UInt16($0) }
            progress(start + indices.count, count)
        }
        self.count = count
        self.length = length
        self.tokens = tokens
        labels = (0..<count).map { Int32(dataset.label(at: $0)) }
    }

    /// Tokens [B, L] of some pictures.
    func tokens(_ indices: [Int]) -> Tensor {
        var values: [Int32] = []
        values.reserveCapacity(indices.count * length)
        for index in indices {
            for token in tokens[(index * length)..<((index + 1) * length)] {
                values.append(Int32(token))
            }
        }
        return Tensor(int32: values, shape: [indices.count, length])
    }

    /// Labels of some pictures.
    func labels(_ indices: [Int]) -> [Int32] { indices.map { labels[$0] } }
}
