// Which examples a training step sees.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Shuffled epochs as a function of seed and step, so that resuming needs no stored order.
struct BatchOrder {
    let count: Int
    let batch: Int
    let seed: UInt64
    private var epoch = -1
    private var order: [Int] = []

    init(count: Int, batch: Int, seed: UInt64) {
        self.count = count
        self.batch = min(batch, count)
        self.seed = seed
    }

    /// Indices of a step's examples; the rest of an epoch that fills no batch is left out.
    mutating func indices(step: Int) -> [Int] {
        let batches = count / batch
        let wanted = step / batches
        if wanted != epoch {
            var generator = RandomGenerator(seed: seed, stream: 0x0E90_0000 + UInt64(wanted))
            order = generator.permutation(count)
            epoch = wanted
        }
        let start = (step % batches) * batch
        return Array(order[start..<(start + batch)])
    }
}

/// The generator of a step's own random choices.
func stepGenerator(seed: UInt64, step: Int) -> RandomGenerator {
    RandomGenerator(seed: seed, stream: 0x57E9_0000_0000 + UInt64(step))
}
