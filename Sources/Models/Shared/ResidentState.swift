// The tensors that a generation keeps on its device from pass to pass.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Token maps and what is known of their cells, written in place by every pass.
///
/// All integers lie in one tensor and all floats in another, so that everything comes down in two
/// transfers.
final class ResidentState {
    /// Candidates kept of every cell of the first picture.
    static let candidateCount = 10

    let batch: Int
    /// p_k² of every scale.
    let counts: [Int]
    /// 2B labels: conditional, then "no class".
    let labels: Tensor
    /// f̂ of the scales that are finished, [B, Z, P, P].
    let fhat: Tensor
    private let integers: Tensor
    private let floats: Tensor
    private let uniforms: Tensor
    private let starts: [Int]
    private var positions: [[Int]: Tensor] = [:]

    init(batch: Int, quantizer: Quantizer, device: any Device) {
        let configuration = quantizer.configuration
        self.batch = batch
        counts = configuration.patchNums.map { $0 * $0 }
        starts = counts.indices.map { [counts] in counts[..<$0].reduce(0, +) }
        let length = counts.reduce(0, +)
        func zeros(_ count: Int, _ dtype: DType) -> Tensor {
            let tensor = Tensor.empty([count], dtype: dtype, device: device)
            device.clear(tensor.storage)
            return tensor
        }
        labels = zeros(2 * batch, .int32)
        uniforms = zeros(batch * (Self.stepsAhead * length + (counts.max() ?? 0)), .int64)
        integers = zeros((batch + Self.candidateCount) * length + 1, .int32)
        floats = zeros((2 * batch + 1 + Self.candidateCount) * length, .float32)
        let side = configuration.latentSide
        fhat = .zeros([batch, configuration.latentChannels, side, side], device: device)
    }

    /// Everything that passes write in place.
    var tensors: [Tensor] {
        [labels, fhat, integers, floats, uniforms] + positions.values
    }

    private func part(_ flat: Tensor, _ start: Int, _ shape: [Int]) -> Tensor {
        flat.narrowed(axis: 0, start: start, length: shape.reduce(1, *)).reshaped(shape)
    }

    private var length: Int { counts.reduce(0, +) }

    // MARK: Parts

    /// int32 [B, p_k²].
    func tokens(_ scale: Int) -> Tensor {
        part(integers, batch * starts[scale], [batch, counts[scale]])
    }

    /// float32 [B, p_k²].
    func confidence(_ scale: Int) -> Tensor {
        part(floats, batch * starts[scale], [batch, counts[scale]])
    }

    /// 1 at masked positions, float32 [B, p_k², 1].
    func flags(_ scale: Int) -> Tensor {
        part(floats, batch * (length + starts[scale]), [batch, counts[scale], 1])
    }

    /// Where the numbers of a pass lie: those of a scale's first steps each at a place of their own, so
    /// that they can be written before the first pass; others share one.
    private func uniformStart(_ scale: Int, _ step: Int) -> Int {
        let own = batch * Self.stepsAhead
        return Self.isAhead(step)
            ? own * starts[scale] + batch * counts[scale] * step : own * length
    }

    /// int64 [B·p_k²].
    func uniforms(_ scale: Int, step: Int) -> Tensor {
        part(uniforms, uniformStart(scale, step), [batch * counts[scale]])
    }

    func target(_ scale: Int) -> DrawTarget {
        DrawTarget(
            codes: tokens(scale), confidence: confidence(scale),
            failure: part(integers, integers.count - 1, [1]))
    }

    /// Of the first picture.
    func summary(_ scale: Int) -> SummaryTarget {
        let (count, wide) = (counts[scale], Self.candidateCount)
        return SummaryTarget(
            entropy: part(floats, 2 * batch * length + starts[scale], [count]),
            codes: part(integers, batch * length + wide * starts[scale], [count, wide]),
            probabilities: part(
                floats, (2 * batch + 1) * length + wide * starts[scale], [count, wide]))
    }

    /// Positions masked after a step, int32 [B, p_k²]; kept per step, since the view tells of each.
    func positions(_ scale: Int, step: Int) -> Tensor {
        if let found = positions[[scale, step]] { return found }
        let made = Tensor.empty([batch, counts[scale]], dtype: .int32, device: fhat.device)
        fhat.device.clear(made.storage)
        positions[[scale, step]] = made
        return made
    }

    // MARK: From and to the host

    /// Begins a generation of B labels.
    func start(labels values: [Int32], noClass: Int) {
        let device = fhat.device
        device.write(
            values + [Int32](repeating: Int32(noClass), count: values.count), into: labels)
        device.clear(integers.storage)
        device.clear(floats.storage)
        device.clear(fhat.storage)
    }

    /// Steps of a scale whose numbers can be written ahead.
    private static let stepsAhead = 4

    static func isAhead(_ step: Int) -> Bool { step < stepsAhead }

    func write(uniforms bits: [UInt64], scale: Int, step: Int) {
        fhat.device.write(bits, into: uniforms(scale, step: step))
    }

    /// Writes the numbers of all passes of some rows that have places of their own, in one transfer.
    ///
    /// - Parameters:
    ///   - rows: passes of every scale.
    ///   - sampler: drawn from in the order of the passes; the caller's is not moved.
    func writeAhead(rows: [[Int]], sampler: RandomSampler) {
        var sampler = sampler
        var bits = [UInt64](repeating: 0, count: batch * Self.stepsAhead * length)
        for (scale, row) in rows.enumerated() {
            for step in row.indices {
                let drawn = sampler.uniformBits(count: counts[scale])
                guard Self.isAhead(step) else { continue }
                let start = uniformStart(scale, step)
                bits.replaceSubrange(start..<(start + drawn.count), with: drawn)
            }
        }
        fhat.device.write(bits, into: part(uniforms, 0, [bits.count]))
    }

    /// What the device holds now; waits for it.
    func fetch() -> Snapshot { beginFetch()() }

    /// The same without a wait until the result is called.
    func beginFetch() -> () -> Snapshot {
        let device = fhat.device
        let (integers, floats) = (device.reading(integers), device.reading(floats))
        let positions = positions.mapValues { device.reading($0) }
        return { [self] in
            Snapshot(
                state: self, integers: numbers(integers(), like: Int32(0)),
                floats: numbers(floats(), like: Float(0)),
                positions: positions.mapValues { numbers($0(), like: Int32(0)) })
        }
    }

    private func numbers<Number: BitwiseCopyable>(_ bytes: [UInt8], like zero: Number) -> [Number] {
        [Number](unsafeUninitializedCapacity: bytes.count / MemoryLayout<Number>.size) {
            buffer, count in
            UnsafeMutableRawBufferPointer(buffer).copyBytes(from: bytes)
            count = bytes.count / MemoryLayout<Number>.size
        }
    }

    /// Everything on the host.
    struct Snapshot {
        fileprivate let state: ResidentState
        fileprivate let integers: [Int32]
        fileprivate let floats: [Float]
        /// By scale and step.
        fileprivate let positions: [[Int]: [Int32]]

        /// The call whose logits were not finite; 0 for none.
        var failure: Int { Int(integers[integers.count - 1]) }

        /// B·p_k² codes.
        func tokens(_ scale: Int) -> [Int32] {
            let start = state.batch * state.starts[scale]
            return Array(integers[start..<(start + state.batch * state.counts[scale])])
        }

        /// The map as the host's loop would have it.
        ///
        /// - Parameters:
        ///   - row: S_k as far as it is run.
        ///   - steps: passes of the row that are done.
        func scaleState(_ scale: Int, row: [Int], steps: Int) -> ScaleState {
            let (count, wide) = (state.counts[scale], ResidentState.candidateCount)
            let (start, length) = (state.starts[scale], state.length)
            var origin = [TokenOrigin](repeating: .nextScale, count: count)
            for step in 1..<max(1, min(steps + 1, row.count)) {
                let number = row[step...].reduce(0, +)
                for position in (positions[[scale, step - 1]] ?? []).prefix(number) {
                    origin[Int(position)] = step < steps ? .maskStep(step) : .pending
                }
            }
            let codes = integers[(state.batch * length + wide * start)...]
            let probabilities = floats[((2 * state.batch + 1) * length + wide * start)...]
            let candidates = (0..<count).map { cell in
                zip(codes.dropFirst(cell * wide), probabilities.dropFirst(cell * wide))
                    .prefix(wide).filter { $0.1 > 0 }
                    .map { TokenCandidate(code: $0.0, probability: $0.1) }
            }
            let first = state.batch * start
            let entropies = 2 * state.batch * length + start
            return ScaleState(
                scale: scale, batch: state.batch, tokens: tokens(scale), origin: origin,
                confidence: Array(floats[first..<(first + count)]),
                entropy: Array(floats[entropies..<(entropies + count)]), candidates: candidates)
        }
    }
}
