// Which codes start anew.
// SPDX-License-Identifier: Apache-2.0
import Core
import Testing

@testable import Models

@Suite struct CodeUsageTests {
    @Test func aScaleOfTooFewCodesGetsTheLeastUsedOfTheOthers() {
        var usage = CodeUsage(scaleCount: 2, vocabulary: 8)
        // The coarse scale has one code, 0; the fine one uses 1 to 7, 5 least, then 3.
        let fine: [Int32] = [1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 4, 5, 6, 6, 6, 7, 7, 7]
        usage.record([[0, 0, 0, 0, 0, 0, 0, 0], fine])
        var generator = RandomGenerator(seed: 1)
        let moves = usage.moves(shares: [3, 5], generator: &generator)
        #expect(moves == [.init(code: 5, scale: 0)])
        // A larger share is filled in larger steps, still not from codes that it uses.
        let more = usage.moves(shares: [8, 5], generator: &generator)
        #expect(more == [.init(code: 5, scale: 0), .init(code: 3, scale: 0)])
    }

    @Test func deadCodesMoveAndUsedOnesStay() {
        var usage = CodeUsage(scaleCount: 2, vocabulary: 6)
        usage.record([[0, 1, 0, 1], [2, 3, 2, 3]])
        var generator = RandomGenerator(seed: 2)
        let moves = usage.moves(shares: [2, 2], generator: &generator)
        #expect(moves.map(\.code).sorted() == [4, 5])
        usage.forgetRecent()
        usage.record([[0, 1, 4], [2, 3, 5]])
        #expect(usage.moves(shares: [1, 1], generator: &generator).isEmpty)
    }

    @Test func stateComesBack() throws {
        var usage = CodeUsage(scaleCount: 2, vocabulary: 4)
        usage.record([[0, 1], [2, 2, 3]])
        var state = TrainingState()
        usage.store(in: &state)
        var other = CodeUsage(scaleCount: 2, vocabulary: 4)
        try other.restore(state)
        #expect(other.recentHits == usage.recentHits && other.average == usage.average)
    }
}
