// Sampling with the program's own random numbers.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Draws from the filtered distribution with one counter-based stream per picture.
///
/// Picture i of a batch draws what it would draw alone with the same seed and index.
public struct RandomSampler: TokenSampler, Sendable {
    private var generators: [RandomGenerator]

    /// - Parameters:
    ///   - seed: of the whole request.
    ///   - batch: pictures.
    public init(seed: UInt64, batch: Int) {
        generators = (0..<batch).map { RandomGenerator(seed: seed, stream: UInt64($0)) }
    }

    /// The numbers of one call in the order in which ``sample(_:)`` takes them, as bits of a Double.
    ///
    /// - Parameter count: tokens per picture.
    mutating func uniformBits(count: Int) -> [UInt64] {
        generators.indices.flatMap { picture in
            (0..<count).map { _ in generators[picture].nextUniform().bitPattern }
        }
    }

    public mutating func sample(_ table: LogitTable) -> [Int32] {
        precondition(table.batch == generators.count, "RandomSampler: another batch")
        var codes: [Int32] = []
        codes.reserveCapacity(table.batch * table.count)
        for picture in 0..<table.batch {
            for token in 0..<table.count {
                codes.append(
                    InverseCDF.draw(
                        table, row: picture * table.count + token,
                        uniform: generators[picture].nextUniform()))
            }
        }
        return codes
    }

    public mutating func skip(_ tokens: Int) {
        // A uniform number takes two words.
        generators = generators.map {
            RandomGenerator(
                seed: $0.seed, stream: $0.stream, position: $0.position + 2 * UInt64(tokens))
        }
    }
}
