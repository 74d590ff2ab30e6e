// The tokens of a whole data set, encoded once.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Tokens and labels of every picture of a data set, each in one or more changed copies.
public struct TokenCache: Sendable {
    /// Pictures.
    public let count: Int
    /// Copies of every picture; one unless it was changed.
    public let copies: Int
    /// Tokens per picture, L.
    public let length: Int
    private let tokens: [UInt16]
    private let labels: [Int32]

    /// Encodes a data set.
    ///
    /// - Parameters:
    ///   - dataset: pictures of the tokenizer's size.
    ///   - augmentation: changes every copy by a draw of its own.
    ///   - copies: of every picture.
    ///   - limit: encodes only the first pictures.
    ///   - parallel: processes that encode a share each and exchange what they found.
    ///   - progress: pictures done and in all, copies counted.
    /// - Throws: errors of the pictures; `CancellationError`.
    /// - Precondition: at most 65,536 codes.
    public init(
        encoding dataset: any Dataset, tokenizer: VQVAE,
        augmentation: PictureAugmentation = .none, copies: Int = 1, seed: UInt64 = 0,
        batch: Int = 64, limit: Int? = nil, parallel: DataParallel = .single,
        cancellation: Cancellation,
        progress: (Int, Int) -> Void = { _, _ in }
    ) throws {
        precondition(tokenizer.configuration.vocabulary <= 1 << 16, "codes are kept in 16 bits")
        precondition(copies >= 1, "\(copies) copies of every picture")
        let count = min(dataset.count, limit ?? dataset.count)
        let length = tokenizer.configuration.tokenCount
        let total = count * copies
        let steps = (total + batch - 1) / batch
        var tokens: [UInt16] = []
        tokens.reserveCapacity(total * length)
        let loader = BatchLoader(dataset, augmentation: augmentation, seed: seed) { step in
            // Steps beyond the last are prepared in vain; they repeat the last picture.
            let first = min(step * batch, total - 1)
            return (first..<min(first + batch, total)).map { $0 % count }
        }
        let share = (steps + parallel.rank.size - 1) / parallel.rank.size
        let first = min(steps, share * parallel.rank.rank)
        for step in first..<min(first + share, steps) {
            try cancellation.check()
            let maps = tokenizer.tokens(try loader.batch(step: step).images)
            tokens += Tensor.concatenated(maps, axis: 1).int32s().map { UInt16($0) }
            progress(min((step + 1) * batch, total), total)
        }
        if !parallel.isAlone {
            // All shares are made as long as the largest.
            let own = tokens.map { Int32($0) }
            let padded = own + Array(repeating: 0, count: share * batch * length - own.count)
            let all = parallel.group.gathered(
                Tensor(int32: padded, shape: [share * batch, length]))
            tokens = all.int32s().prefix(total * length).map { UInt16($0) }
        }
        self.count = count
        self.copies = copies
        self.length = length
        self.tokens = tokens
        labels = (0..<count).map { Int32(dataset.label(at: $0)) }
    }

    /// Tokens and labels that are drawn, for measurements of speed.
    package init(drawing count: Int, length: Int, vocabulary: Int, classCount: Int, seed: UInt64) {
        var generator = RandomGenerator(seed: seed)
        self.count = count
        self.length = length
        copies = 1
        tokens = (0..<(count * length)).map { _ in
            UInt16(generator.nextInt(below: vocabulary))
        }
        labels = (0..<count).map { _ in Int32(generator.nextInt(below: classCount)) }
    }

    /// A copy of each picture drawn at random, as an index for ``tokens(_:)``.
    func drawn(_ indices: [Int], generator: inout RandomGenerator) -> [Int] {
        guard copies > 1 else { return indices }
        return indices.map { $0 + count * generator.nextInt(below: copies) }
    }

    /// Tokens [B, L] of some pictures; indices from ``count`` on mean further copies.
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
