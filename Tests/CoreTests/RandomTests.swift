// Random numbers against published answers and moments. SPDX-License-Identifier: Apache-2.0
import CKernels
import Core
import Testing

@Suite struct RandomTests {
    /// The known answers distributed with Random123 (Salmon et al., SC 2011), philox4x32 10 rounds.
    @Test(arguments: [
        (
            [UInt32](repeating: 0, count: 4), [UInt32(0), 0],
            [UInt32(0x6627_e8d5), 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
        ),
        (
            [UInt32](repeating: .max, count: 4), [UInt32.max, .max],
            [UInt32(0x408f_276d), 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        ),
        (
            [UInt32(0x243f_6a88), 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
            [UInt32(0xa409_3822), 0x299f_31d0],
            [UInt32(0xd16c_fe09), 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        ),
    ])
    func philoxGivesThePublishedAnswers(counter: [UInt32], key: [UInt32], expected: [UInt32]) {
        var out = [UInt32](repeating: 0, count: 4)
        ck_philox4x32(counter, key, &out)
        #expect(out == expected)
    }

    @Test func aGeneratorResumesFromItsPosition() {
        var whole = RandomGenerator(seed: 7, stream: 3)
        for _ in 0..<13 { _ = whole.nextWord() }
        var resumed = RandomGenerator(seed: 7, stream: 3, position: 13)
        for _ in 0..<20 { #expect(whole.nextWord() == resumed.nextWord()) }
    }

    @Test func momentsOfUniformAndNormalAreRight() {
        var generator = RandomGenerator(seed: 11)
        let n = 100_000
        let uniform = (0..<n).map { _ in generator.nextUniform() }
        let normal = (0..<n).map { _ in generator.nextNormal() }
        // Five standard errors: a false alarm in two million seeds.
        #expect(abs(uniform.reduce(0, +) / Double(n) - 0.5) < 5 * 0.2887 / Double(n).squareRoot())
        #expect(abs(normal.reduce(0, +) / Double(n)) < 5 / Double(n).squareRoot())
        let variance = normal.reduce(0) { $0 + $1 * $1 } / Double(n)
        #expect(abs(variance - 1) < 5 * (2 / Double(n)).squareRoot())
        #expect(uniform.allSatisfy { $0 >= 0 && $0 < 1 })
    }

    @Test func streamsAndSplitsDiffer() {
        let parent = RandomGenerator(seed: 1)
        var a = parent.split(0)
        var b = parent.split(1)
        var c = parent
        let words = [a.next(), b.next(), c.next()]
        #expect(Set(words).count == 3)
        #expect(RandomGenerator(seed: 1).permutation0(50).sorted() == Array(0..<50))
    }
}

extension RandomGenerator {
    fileprivate func permutation0(_ n: Int) -> [Int] {
        var copy = self
        return copy.permutation(n)
    }
}
