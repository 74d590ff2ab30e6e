// Ranks, shares of a batch, and places of gradients in buffers. SPDX-License-Identifier: Apache-2.0
import Core
import Testing

@Suite struct ParallelTests {
    @Test func sharesCoverABatchInOrder() {
        for (count, size) in [(8, 2), (8, 8), (7, 3), (64, 5), (3, 4)] {
            let parts = (0..<size).map { ProcessRank(rank: $0, size: size).share(of: count) }
            #expect(parts.flatMap { Array($0) } == Array(0..<count))
            #expect(parts.allSatisfy { abs($0.count - count / size) <= 1 })
        }
        #expect(ProcessRank(rank: 1, size: 2).share(of: ["a", "b", "c", "d"]) == ["c", "d"])
    }

    @Test func bucketsHoldEveryTensorOnceAndAligned() {
        let counts = [3, 8, 1000, 1, 5, 17, 400, 0, 6]
        let layout = GradientBuckets(counts: counts, capacity: 512)
        #expect(layout.sizes == [12, 1000, 440])
        var taken: [[Bool]] = layout.sizes.map { Array(repeating: false, count: $0) }
        for (count, place) in zip(counts, layout.places) {
            #expect(place.start % GradientBuckets.alignment == 0)
            for i in place.start..<(place.start + count) {
                #expect(!taken[place.bucket][i])
                taken[place.bucket][i] = true
            }
        }
        #expect(GradientBuckets(counts: []).sizes.isEmpty)
    }

    @Test func jobsHaveNamesFitForFiles() {
        #expect(ProcessRank.job(["WORKBENCH_JOB": "12-34"]) == "12-34")
        #expect(ProcessRank.job(["PMIX_NAMESPACE": "prterun-host@1/x"]) == "prterun-host-1-x")
        #expect(ProcessRank.job([:]).isEmpty)
    }
}
