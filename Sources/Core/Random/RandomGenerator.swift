// Counter-based random numbers. SPDX-License-Identifier: Apache-2.0
import CKernels
import Foundation

/// Philox4x32-10: random numbers as a function of (seed, stream, counter), the same on every device.
///
/// A value: copying it copies its position, and its whole state is three numbers, so a training run
/// can be resumed exactly.
/// Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
public struct RandomGenerator: Sendable, Equatable, Codable, RandomNumberGenerator {
    /// The key.
    public let seed: UInt64
    /// Independent sequences of one seed.
    public let stream: UInt64
    /// 32-bit words drawn so far.
    public private(set) var position: UInt64
    // In registers: an array here would be a trip to the heap for every normal deviate.
    private var block = SIMD4<UInt32>()
    private var blockIndex: UInt64 = .max

    /// Creates a generator at a position of a stream.
    public init(seed: UInt64, stream: UInt64 = 0, position: UInt64 = 0) {
        self.seed = seed
        self.stream = stream
        self.position = position
    }

    private enum CodingKeys: String, CodingKey { case seed, stream, position }

    public static func == (a: RandomGenerator, b: RandomGenerator) -> Bool {
        (a.seed, a.stream, a.position) == (b.seed, b.stream, b.position)
    }

    /// The next 32 random bits.
    public mutating func nextWord() -> UInt32 {
        let index = position / 4
        if index != blockIndex {
            let counter = SIMD4<UInt32>(
                truncatingIfNeeded: SIMD4<UInt64>(index, index >> 32, stream, stream >> 32))
            let key = SIMD2<UInt32>(truncatingIfNeeded: SIMD2<UInt64>(seed, seed >> 32))
            withUnsafeBytes(of: (counter, key)) { input in
                withUnsafeMutableBytes(of: &block) { output in
                    let words = input.bindMemory(to: UInt32.self)
                    guard let first = words.baseAddress,
                        let result = output.bindMemory(to: UInt32.self).baseAddress
                    else { return }
                    ck_philox4x32(first, first + 4, result)
                }
            }
            blockIndex = index
        }
        let word = block[Int(position % 4)]
        position += 1
        return word
    }

    /// The next 64 random bits; also serves Swift's own shuffles.
    public mutating func next() -> UInt64 {
        let low = UInt64(nextWord())
        return UInt64(nextWord()) << 32 | low
    }

    /// Uniform in [0, 1) with 53 random bits.
    public mutating func nextUniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Uniform in [0, 1) with 24 random bits.
    public mutating func nextFloat() -> Float { Float(nextWord() >> 8) * 0x1p-24 }

    /// Standard normal, by Box and Muller; two uniforms each.
    public mutating func nextNormal() -> Double {
        let radius = (-2 * log(1 - nextUniform())).squareRoot()
        return radius * cos(2 * Double.pi * nextUniform())
    }

    /// Uniform in 0..<bound, without bias.
    ///
    /// - Precondition: `bound ≥ 1`.
    public mutating func nextInt(below bound: Int) -> Int {
        precondition(bound >= 1, "nextInt(below: \(bound))")
        return Int.random(in: 0..<bound, using: &self)
    }

    /// 0..<count in random order.
    public mutating func permutation(_ count: Int) -> [Int] {
        var order = Array(0..<count)
        guard count > 1 else { return order }
        for i in stride(from: count - 1, to: 0, by: -1) {
            order.swapAt(i, nextInt(below: i + 1))
        }
        return order
    }

    /// A generator of the same seed whose sequence is independent of this one.
    public func split(_ child: UInt64) -> RandomGenerator {
        // Streams of different parents must not meet: mix the parent's in.
        var mixed = stream &* 0x9E37_79B9_7F4A_7C15 &+ child &+ 1
        mixed ^= mixed >> 31
        mixed &*= 0xBF58_476D_1CE4_E5B9
        mixed ^= mixed >> 29
        return RandomGenerator(seed: seed, stream: mixed)
    }
}
