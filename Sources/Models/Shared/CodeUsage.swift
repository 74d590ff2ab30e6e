// Which codes a tokenizer uses, per scale.
// SPDX-License-Identifier: Apache-2.0
import Core

/// A moving average of hits per scale and code, and the hits since the last restart.
///
/// The average is what published checkpoints store as `quantize.ema_vocab_hit_SV` [K, V].
struct CodeUsage {
    let scaleCount: Int
    let vocabulary: Int
    /// K·V averages.
    private(set) var average: [Float]
    /// Updates made.
    private(set) var updateCount = 0
    /// K·V hits since the last restart.
    private(set) var recentHits: [Int32]

    init(scaleCount: Int, vocabulary: Int) {
        self.scaleCount = scaleCount
        self.vocabulary = vocabulary
        average = [Float](repeating: 0, count: scaleCount * vocabulary)
        recentHits = [Int32](repeating: 0, count: scaleCount * vocabulary)
    }

    /// Counts the tokens of a batch, one list per scale.
    ///
    /// The first update sets the average; the decay is 0.9 for the first 100, then 0.99.
    mutating func record(_ tokens: [[Int32]]) {
        let decay: Float = updateCount == 0 ? 0 : updateCount < 100 ? 0.9 : 0.99
        for (scale, list) in tokens.enumerated() {
            var hits = [Float](repeating: 0, count: vocabulary)
            for code in list {
                hits[Int(code)] += 1
                recentHits[scale * vocabulary + Int(code)] += 1
            }
            for code in 0..<vocabulary {
                let i = scale * vocabulary + code
                average[i] = decay * average[i] + (1 - decay) * hits[code]
            }
        }
        updateCount += 1
    }

    /// Share of codes of a scale whose average is at least 0.08·(batch·P²)/V, in percent.
    func percentUsed(scale: Int, batch: Int, latentSide: Int) -> Double {
        let margin = 0.08 * Float(batch * latentSide * latentSide) / Float(vocabulary)
        let row = average[(scale * vocabulary)..<((scale + 1) * vocabulary)]
        return 100 * Double(row.filter { $0 >= margin }.count) / Double(vocabulary)
    }

    /// A code that shall start anew among the residuals of a scale.
    struct Move: Equatable {
        var code: Int
        var scale: Int
    }

    /// Which codes should start anew since the last restart, and where.
    ///
    /// A scale that uses fewer codes than its share gets as many as are missing, at most a quarter of
    /// the share at a time (one at least): the least used codes of all that no such scale uses. Else a
    /// scale whose tokens are few, like the coarsest, ends with a handful of codes, since codes that
    /// the finest maps use are never dead. Codes that nothing used go to scales drawn with equal
    /// chances.
    ///
    /// - Parameter shares: per scale, the codes it should use at least.
    func moves(shares: [Int], generator: inout RandomGenerator) -> [Move] {
        let hits = (0..<scaleCount).map {
            recentHits[($0 * vocabulary)..<(($0 + 1) * vocabulary)].map { Int($0) }
        }
        let totals = (0..<vocabulary).map { code in hits.reduce(0) { $0 + $1[code] } }
        let missing = zip(hits, shares).map { row, share in
            // So few tokens cannot use more codes than that.
            let wanted = min(share, row.reduce(0, +) / 2)
            return min(max(0, wanted - row.count { $0 > 0 }), max(1, share / 4))
        }
        var free = (0..<vocabulary)
            .filter { code in
                !zip(hits, missing).contains { $1 > 0 && $0[code] > 0 }
            }
            .sorted { (totals[$0], $0) > (totals[$1], $1) }
        var moves: [Move] = []
        for (scale, count) in missing.enumerated() {
            for _ in 0..<count {
                guard let code = free.popLast() else { break }
                moves.append(Move(code: code, scale: scale))
            }
        }
        for code in free.reversed().prefix(while: { totals[$0] == 0 }) {
            moves.append(Move(code: code, scale: generator.nextInt(below: scaleCount)))
        }
        return moves
    }

    /// Begins the next interval.
    mutating func forgetRecent() {
        recentHits = [Int32](repeating: 0, count: scaleCount * vocabulary)
    }

    // MARK: State

    /// Averages as the checkpoint stores them, [K, V].
    var averageTensor: Tensor { Tensor(average, shape: [scaleCount, vocabulary]) }

    /// Adds the monitor's own state to a training's.
    func store(in state: inout TrainingState) {
        state.tensors["usage.average"] = averageTensor
        state.tensors["usage.recent"] = Tensor(
            recentHits.map(Float.init), shape: [scaleCount, vocabulary])
        state.values["usage_updates"] = "\(updateCount)"
    }

    /// Takes back what ``store(in:)`` put there.
    mutating func restore(_ state: TrainingState) throws {
        updateCount = try state.integer("usage_updates")
        guard let average = state.tensors["usage.average"],
            let recent = state.tensors["usage.recent"]
        else { throw TrainingError.incompleteState(missing: "usage.average") }
        guard average.shape == [scaleCount, vocabulary], recent.shape == [scaleCount, vocabulary]
        else {
            throw TrainingError.otherRecipe(
                key: "scales and vocabulary", saved: "\(average.shape)",
                wanted: "\([scaleCount, vocabulary])")
        }
        self.average = average.floats()
        // Below 2^24 between restarts, so float32 holds the counts exactly.
        recentHits = recent.floats().map { Int32($0) }
    }
}
