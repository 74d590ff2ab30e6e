// Work of the published sizes against the figures counted from the reference implementation.
// SPDX-License-Identifier: Apache-2.0
import Core
import Testing

@testable import Models

@Suite struct PublishedWorkTests {
    /// GFLOP of a 256-pixel picture with guidance at the default schedule.
    @Test(arguments: [(16, 605.0), (20, 1167), (24, 2002), (30, 3885)])
    func transformerTakesWhatTheReferenceTakes(depth: Int, gflop: Double) throws {
        let work = TransformerWork(.published256(depth: depth))
        let schedule = try #require(PublishedSchedule.default(imageSize: 256))
        #expect(schedule.passCount == 14)
        let found = work.published(rows: schedule.rows, variant: .hmar) / 1e9
        #expect(abs(found - gflop) < 0.003 * gflop, "\(found)")
    }

    @Test func decoderTakesWhatTheReferenceTakes() {
        let found = DecoderWork(.published256).flop / 1e9
        #expect(abs(found - 394) < 1, "\(found)")
    }

    @Test(arguments: [(256, 13, 680), (512, 15, 2240), (1024, 20, 9451)])
    func comparisonsScheduleHasThePublishedPasses(side: Int, passes: Int, tokens: Int) throws {
        let schedule = try #require(PublishedSchedule.benchmark(imageSize: side))
        #expect(schedule.passCount == passes)
        #expect(schedule.rows.joined().reduce(0, +) == tokens)
        #expect(PublishedSchedule.benchmark(imageSize: 300) == nil)
    }

    /// Fast mode leaves out one half at scale 0 and in the mask steps and nothing else.
    @Test func fastModeHalvesUnguidedPasses() throws {
        let work = TransformerWork(.published256(depth: 16))
        let rows = try #require(PublishedSchedule.default(imageSize: 256)).rows
        let exact = work.passes(rows: rows, variant: .hmar, mode: .exact)
        let fast = work.passes(rows: rows, variant: .hmar, mode: .fast)
        for (scale, row) in rows.enumerated() {
            for step in row.indices {
                let isHalved = scale == 0 || step > 0
                #expect(fast[scale][step] * (isHalved ? 2 : 1) == exact[scale][step])
            }
        }
    }
}
