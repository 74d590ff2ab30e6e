// Pictures on the device, split into those trained on and those held out.
// SPDX-License-Identifier: Apache-2.0
import Core

/// A table of pictures in the device's memory with a seeded split.
struct HeldOutSplit {
    /// [N, S²].
    let table: Tensor
    let side: Int
    /// Positions trained on.
    let training: [Int]
    /// Positions held out.
    let heldOut: [Int]

    /// - Parameter share: of the pictures that is held out, below 1.
    init(_ images: GreyImages, share: Double, seed: UInt64) {
        side = images.side
        table = Tensor(images.pixels, shape: [images.count, images.side * images.side])
        var generator = RandomGenerator(seed: seed, stream: 0x7370_6C69)
        let order = generator.permutation(images.count)
        let count = min(images.count - 1, Int((Double(images.count) * share).rounded()))
        heldOut = Array(order.prefix(count))
        training = Array(order.dropFirst(count))
    }

    /// Pictures [B, 1, S, S] at positions of the table.
    func images(_ positions: [Int]) -> Tensor {
        let indices = Tensor(int32: positions.map(Int32.init), shape: [positions.count])
        return embedding(table, indices: indices).reshaped([positions.count, 1, side, side])
    }
}

/// The weights that did best on held-out data so far.
struct BestWeights {
    private(set) var loss = Double.infinity
    private(set) var step = 0
    private(set) var values: [String: Tensor] = [:]

    /// Keeps copies when the loss is the lowest so far.
    mutating func offer(_ parameters: [Parameter], loss: Double, step: Int) {
        guard loss < self.loss else { return }
        self.loss = loss
        self.step = step
        values = Dictionary(
            uniqueKeysWithValues: parameters.map { ($0.name, $0.value.copied()) })
    }

    func store(in state: inout TrainingState) {
        for (name, value) in values { state.tensors["best.\(name)"] = value }
        state.values["best_loss"] = "\(loss)"
        state.values["best_step"] = "\(step)"
    }

    mutating func restore(_ state: TrainingState) {
        guard let loss = state.values["best_loss"].flatMap({ Double($0) }) else { return }
        self.loss = loss
        step = state.values["best_step"].flatMap { Int($0) } ?? 0
        values = state.part("best.").tensors.mapValues { $0.copied() }
    }
}

/// Running moments in a training's state.
func storeMoments(
    _ parameters: [Parameter], names: Set<String>, in state: inout TrainingState
) {
    for parameter in parameters where names.contains(parameter.name) {
        state.tensors["moment.\(parameter.name)"] = parameter.value
    }
}

/// Takes running moments back.
///
/// - Throws: `TrainingError.incompleteState`.
func restoreMoments(_ parameters: [Parameter], names: Set<String>, from state: TrainingState) throws
{
    for parameter in parameters where names.contains(parameter.name) {
        guard let value = state.tensors["moment.\(parameter.name)"],
            value.shape == parameter.shape
        else { throw TrainingError.incompleteState(missing: "moment.\(parameter.name)") }
        parameter.value = value.copied()
    }
}
