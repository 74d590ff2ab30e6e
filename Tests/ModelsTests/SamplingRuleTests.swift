// The sampling rules one by one.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import Models
import TestSupport
import Testing

@Suite struct SamplingRuleTests {
    @Test(arguments: [
        "k0_p0.0", "k0_p0.9", "k10_p0.0", "k10_p0.5", "k10_p0.9", "k1_p0.0", "k40_p0.99",
    ])
    func filtersOfTheReference(name: String) throws {
        let stored = try Fixture.tensors("hmar/ops.safetensors")
        let parts = name.dropFirst().split(separator: "_")
        let logits = try stored.required("filter.logits")
        let table = LogitTable(
            raw: logits.floats(), batch: 2, count: 5, vocabulary: 50,
            topK: try TopK(Int(parts[0]) ?? 0), topP: try TopP(Double(parts[1].dropFirst()) ?? 0))
        #expect(table.filtered == (try stored.required("filter.\(name).filtered").floats()))
    }

    @Test func tiesWithTheKthSurvive() throws {
        let table = LogitTable(
            raw: [1, 3, 2, 2, 0], batch: 1, count: 1, vocabulary: 5, topK: try TopK(2),
            topP: try TopP(0))
        #expect(table.filtered == [-.infinity, 3, 2, 2, -.infinity])
    }

    @Test func theLikeliestCodeAlwaysStays() throws {
        let table = LogitTable(
            raw: [0, 5, 0], batch: 1, count: 1, vocabulary: 3, topK: try TopK(0),
            topP: try TopP(1e-9))
        #expect(table.filtered == [-.infinity, 5, -.infinity])
    }

    @Test func inverseCDFTakesTheFirstCodeBeyondTheUniform() throws {
        // Probabilities ¼, ½, ¼.
        let logits: [Float] = [0, log(2), 0]
        for (u, expected) in [
            (0, 0), (0.2499, 0), (0.2501, 1), (0.7499, 1), (0.7501, 2), (0.9999, 2),
        ]
            as [(Double, Int32)]
        {
            var sampler = try InverseCDF(uniforms: [[u]])
            let table = LogitTable(
                raw: logits, batch: 1, count: 1, vocabulary: 3, topK: try TopK(0),
                topP: try TopP(0))
            #expect(try sampler.sample(table) == [expected])
        }
    }

    @Test func removedCodesAreNeverDrawn() throws {
        let table = LogitTable(
            raw: [0, 1, 2, 3], batch: 1, count: 1, vocabulary: 4, topK: try TopK(2),
            topP: try TopP(0))
        var random = RandomSampler(seed: 1, batch: 1)
        var counts = [0, 0, 0, 0]
        for _ in 0..<2000 { counts[Int(random.sample(table)[0])] += 1 }
        #expect(counts[0] == 0 && counts[1] == 0)
        // p = 1/(1 + e⁻¹) = 0.731; five standard deviations of 2000 draws are 0.05.
        #expect(abs(Double(counts[3]) / 2000 - 0.731) < 0.05)
    }

    @Test func rulesRefuseWhatTheyCannotMean() {
        #expect(throws: SamplingError.self) { try TopK(-1) }
        #expect(throws: SamplingError.self) { try TopP(-0.1) }
        #expect(throws: SamplingError.self) { try TopP(.nan) }
        #expect(throws: SamplingError.self) { try InverseCDF(uniforms: [[1]]) }
    }
}
