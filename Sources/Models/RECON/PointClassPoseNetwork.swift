// An invariant code, a canonical form and a pose for points in space.
// SPDX-License-Identifier: Apache-2.0
import Core

/// A class-pose autoencoder on SO(3): x ≈ R(x)·δ(η(x)), centroids removed.
///
/// Scalars of an ``EquivariantGraph`` are summed over the points and mapped to the invariant code η:
/// a mean would hide small differences between inputs of many points. A decoder makes canonical
/// points c from the code. The pose R is equivariant by construction, exactly: with the polar frame it is
/// the rotation that lays c best over the input, whose gradient vanishes at the optimum, so training
/// needs none (the envelope theorem).
///
/// Checkpoint keys: `kind.weight`, `graph.…`, `head.…`, `pool.{hidden,out}.*`, `code.*`,
/// `slot.weight` (slot codes alone), `decoder.{in,hidden,out}.*`, `decoder.kind.*` where kinds are
/// decoded.
///
/// Source: after Winter et al., NeurIPS 2022; frame and decoder are this program's.
public final class PointClassPoseNetwork: Sendable {
    public let configuration: PointClassPoseConfiguration
    /// Every tensor in the order of construction.
    public let parameters: [Parameter]
    private let kind: Embedding
    private let graph: EquivariantGraph
    private let head: GatedEquivariantBlock
    private let poolHidden: Linear
    private let poolOut: Linear
    private let pointCode: Linear
    private let slot: Parameter?
    private let decoderIn: Linear
    private let decoderHidden: Linear
    private let decoderOut: Linear
    private let decoderKind: Linear?

    /// Builds the network from the tensors of a store, or from its initializers.
    ///
    /// - Throws: ``ConfigurationError``.
    public init(configuration: PointClassPoseConfiguration, store: ParameterStore) throws {
        try configuration.validate()
        self.configuration = configuration
        let (h, e, d) = (configuration.graph.width, configuration.code, configuration.hidden)
        let scope = store.scope
        kind = Embedding(scope["kind"], entries: configuration.kinds, width: h)
        graph = EquivariantGraph(scope["graph"], configuration: configuration.graph)
        head = GatedEquivariantBlock(scope["head"], width: h, scalars: e, vectors: 2)
        poolHidden = Linear(scope["pool"]["hidden"], inputs: h, outputs: d)
        poolOut = Linear(scope["pool"]["out"], inputs: d, outputs: e)
        switch configuration.pointCode {
        case .slot:
            pointCode = Linear(scope["code"], inputs: e, outputs: d)
            slot = scope["slot"].parameter(
                "weight", shape: [configuration.points, d],
                initializer: .normal(standardDeviation: 0.5))
        case .node:
            pointCode = Linear(scope["code"], inputs: 2 * e, outputs: d)
            slot = nil
        }
        decoderIn = Linear(scope["decoder"]["in"], inputs: d, outputs: d)
        decoderHidden = Linear(scope["decoder"]["hidden"], inputs: d, outputs: d)
        decoderOut = Linear(scope["decoder"]["out"], inputs: d, outputs: 3)
        decoderKind = configuration.kindWeight.map { _ in
            Linear(scope["decoder"]["kind"], inputs: d, outputs: configuration.kinds + 1)
        }
        parameters = store.parameters
    }

    /// What one pass computes.
    public struct Output: Sendable {
        /// η [B, E].
        public var code: Tensor
        /// c [B, n, 3], centroid at 0, 0 where no point is.
        public var canonical: Tensor
        /// What neighbours are sought by: η, and beside it what the decoder tells of it about the kinds
        /// of points, [B, E + n · (1 + kinds)]; η alone where kinds are not decoded.
        public var embedding: Tensor
        /// What the loss compares: decoded from the code with noise, where there is noise.
        fileprivate var decoded: Decoded
        /// R [B, 3, 3].
        public var frame: Tensor
        /// The same in double precision, with the polar frame.
        public var rotations: [Rotation3]
        /// How well each frame is determined; see ``RotationFrame/polar(_:)``. 1 with vectors.
        public var gaps: [Double]
    }

    /// What the decoder makes of a code.
    fileprivate struct Decoded: Sendable {
        /// [B, n, 3].
        var points: Tensor
        /// Logits of absence and of every kind, [B · n, 1 + kinds].
        var kinds: Tensor?
    }

    /// A batch as the network takes it, with all slots where kinds are decoded.
    func batch(_ clouds: [PointCloud], points: Int? = nil) -> PointBatch {
        PointBatch(
            clouds, points: points ?? (decoderKind == nil ? nil : configuration.points),
            weights: configuration.weights)
    }

    /// Length of an input's embedding.
    var embeddingWidth: Int {
        let kinds = decoderKind == nil ? 0 : configuration.points * (configuration.kinds + 1)
        return configuration.code + kinds
    }

    /// The code beside the probabilities of the kinds, which count more: isomers of much the same
    /// form have codes side by side, and differ in them.
    private func embedding(_ code: Tensor, kinds: Tensor?) -> Tensor {
        guard let kinds else { return code }
        let shares = softmax(kinds).reshaped([code.shape[0], -1])
        return Tensor.concatenated([code, shares * Self.kindScale], axis: 1)
    }

    private static let kindScale: Float = 8

    /// Runs the network.
    ///
    /// - Parameters:
    ///   - batch: points with their centroids at 0.
    ///   - noise: standard normal [B, E], for training; see ``PointClassPoseConfiguration/codeNoise``.
    public func callAsFunction(_ batch: PointBatch, noise: Tensor? = nil) -> Output {
        let e = configuration.code
        let mask = batch.mask.unsqueezed(2)
        let state = graph(
            scalars: kind(batch.kinds) * mask, positions: batch.positions, mask: batch.mask)
        let (scalars, mixed) = head(state.scalars, state.vectors)
        let parts = scalars.split(axis: 2, sizes: [e, 2])
        let weights = batch.weights.unsqueezed(2)
        let share = weights / weights.sum(axes: [1], keepDimensions: true)
        let scale = 1 / Float(configuration.points).squareRoot()
        let pooled = (state.scalars * mask).sum(axes: [1]) * scale
        var code = poolOut(poolHidden(pooled).silu())
        if configuration.codeNoise != nil {
            let power = code.square().mean(axes: [1], keepDimensions: true)
            code = code / (power + 1e-6).sqrt()
        }
        var decoded = decode(code, nodes: parts[0], mask: mask, share: share)
        let canonical = decoded.points
        let embedding = embedding(code, kinds: decoded.kinds)
        if let noise, let deviation = configuration.codeNoise {
            decoded = decode(
                code + noise * deviation, nodes: parts[0], mask: mask, share: share)
        }
        switch configuration.frame {
        case .polar:
            let weighted = (batch.positions * weights).detached()
            let m = matmul(weighted.transposed(1, 2), canonical.detached()).floats().map(
                Double.init)
            let found = (0..<code.shape[0]).map {
                RotationFrame.polar(Array(m[(9 * $0)..<(9 * $0 + 9)]))
            }
            let rotations = found.map(\.rotation)
            return Output(
                code: code, canonical: canonical, embedding: embedding, decoded: decoded,
                frame: RotationFrame.tensor(rotations), rotations: rotations, gaps: found.map(\.gap)
            )
        case .vectors:
            let pooled = (mixed * (parts[1] * share).unsqueezed(2)).sum(axes: [1])
            let v = pooled.split(axis: 2, sizes: [1, 1])
            let frame = RotationFrame.gramSchmidt(v[0].squeezed(2), v[1].squeezed(2))
            let values = frame.floats().map(Double.init)
            let rotations = (0..<code.shape[0]).map {
                Rotation3(rowMajor: Array(values[(9 * $0)..<(9 * $0 + 9)]))
            }
            return Output(
                code: code, canonical: canonical, embedding: embedding, decoded: decoded,
                frame: frame,
                rotations: rotations,
                gaps: rotations.map { $0.rows.2 == .zero ? 0 : 1 })
        }
    }

    /// R·c, [B, n, 3].
    public func reconstruction(_ output: Output) -> Tensor {
        matmul(output.canonical, output.frame.transposed(1, 2))
    }

    /// Weighted mean over points of |x − R·c|², c of the code with noise where there is noise; and the
    /// cross-entropy of the kinds, where they are decoded.
    public func loss(_ output: Output, _ batch: PointBatch) -> Tensor {
        let laid = matmul(output.decoded.points, output.frame.transposed(1, 2))
        let error = (laid - batch.positions).square().sum(axes: [2])
        let distance = (error * batch.weights).sum() / batch.weights.sum()
        guard let kinds = output.decoded.kinds, let weight = configuration.kindWeight else {
            return distance
        }
        return distance + crossEntropy(kinds, targets: batch.slotKinds).mean() * weight
    }

    /// Mean over points, all alike, of |x − R·c|², without noise.
    func reconstructionError(_ output: Output, _ batch: PointBatch) -> Tensor {
        let error = (reconstruction(output) - batch.positions).square().sum(axes: [2])
        return (error * batch.mask).sum() / batch.mask.sum()
    }

    private func decode(
        _ code: Tensor, nodes: Tensor, mask: Tensor, share: Tensor
    ) -> Decoded {
        let (b, n) = (mask.shape[0], mask.shape[1])
        let x: Tensor
        if let slot {
            let slots = slot.tensor.narrowed(axis: 0, start: 0, length: n).unsqueezed(0)
            x = pointCode(code).unsqueezed(1) + slots
        } else {
            let whole = code.unsqueezed(1).expanded(to: [b, n, code.shape[1]])
            x = pointCode(Tensor.concatenated([whole, nodes], axis: 2))
        }
        let inner = decoderHidden(decoderIn(x.silu()).silu()).silu()
        let points = decoderOut(inner) * mask
        let centred = (points - (points * share).sum(axes: [1], keepDimensions: true)) * mask
        let kinds = decoderKind.map { $0(inner).reshaped([b * n, configuration.kinds + 1]) }
        return Decoded(points: centred, kinds: kinds)
    }
}
