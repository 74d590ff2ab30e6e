// Rotation-equivariant message passing on points in space.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Sizes of an ``EquivariantGraph``.
public struct EquivariantGraphConfiguration: Sendable, Equatable, Codable {
    /// What enters the radial basis.
    public enum Distance: String, Sendable, Codable {
        case plain
        /// As the published network.
        case squared
    }

    /// Channels H of scalars and of vectors.
    public var width: Int
    public var layers: Int
    /// Centres of the radial basis, evenly over 0…`reach`.
    public var centres: Int
    /// In the data's unit of length, squared where distances are.
    public var reach: Float
    public var distance: Distance
    /// Larger distances count as this; nil for no limit.
    public var largestDistance: Float?
    /// Points further apart exchange no messages; nil for all pairs. The weight of a pair falls from 1
    /// at nine tenths of it to 0 by a smooth step.
    public var cutoff: Float?
    /// Whether a position is carried from layer to layer (translation-equivariant output).
    public var movesPositions: Bool

    public init(
        width: Int = 32, layers: Int = 4, centres: Int = 16, reach: Float = 8,
        distance: Distance = .plain, largestDistance: Float? = nil, cutoff: Float? = nil,
        movesPositions: Bool = false
    ) {
        self.width = width
        self.layers = layers
        self.centres = centres
        self.reach = reach
        self.distance = distance
        self.largestDistance = largestDistance
        self.cutoff = cutoff
        self.movesPositions = movesPositions
    }

    /// - Throws: ``ConfigurationError``.
    public func validate() throws(ConfigurationError) {
        try ConfigurationError.require(
            (1...1024).contains(width), "width", "\(width)", "1 to 1024")
        try ConfigurationError.require((1...32).contains(layers), "layers", "\(layers)", "1 to 32")
        try ConfigurationError.require(
            (2...256).contains(centres), "centres", "\(centres)", "2 to 256")
        try ConfigurationError.require(
            reach > 0 && reach.isFinite, "reach", "\(reach)", "above 0")
        try ConfigurationError.require(
            cutoff.map { $0 > 0 } ?? true, "cutoff", "\(cutoff ?? 0)", "above 0")
    }
}

/// Scalars and vectors at every point.
public struct GraphState: Sendable {
    /// s [B, n, H], unchanged by rotations.
    public var scalars: Tensor
    /// V [B, n, 3, H], turned by rotations.
    public var vectors: Tensor
    /// p [B, n, 3], turned and moved with the points.
    public var positions: Tensor
}

/// Fully connected message passing with scalars and vectors at every point.
///
/// For the edge from j to i with r = p_j − p_i of the input positions and d = |r| or |r|²:
///
///     s ← LayerNorm(s),  V ← V / √(mean over channels of max(|V|², 1e-8))
///     (a, b, c, e) = W [s_i, s_j, exp(−γ(d − μ)²)] + b,  γ = 1/(2Δμ²)
///     s_i += mean_j a ⊙ (W_s s_j + b_s)
///     V_i += W_v V_i × mean_j(b ⊙ W_v V_j) + mean_j c ⊙ r
///     p_i += mean_j e · (p_i − p_j)
///
/// then a ``GatedEquivariantBlock``. Cross products make it equivariant to rotations and not to
/// reflections: mirror images have different scalars.
///
/// Checkpoint keys: `norms.l.scalar_norm.*`, `convs.l.{message_kernel,Ws,Wv,Wu.…}`.
///
/// Source: Winter et al., "Unsupervised learning of group invariant and equivariant
/// representations", NeurIPS 2022, and its published code.
public struct EquivariantGraph: Sendable {
    public let configuration: EquivariantGraphConfiguration
    private let layers: [Layer]

    private struct Layer: Sendable {
        let norm: LayerNorm
        let kernel: Linear
        let scalar: Linear
        let vector: Linear
        let update: GatedEquivariantBlock
    }

    /// Makes or takes the parameters of a scope.
    public init(_ scope: ParameterScope, configuration: EquivariantGraphConfiguration) {
        self.configuration = configuration
        let h = configuration.width
        layers = (0..<configuration.layers).map { index in
            let norm = LayerNorm(
                scope["norms"][index]["scalar_norm"], channels: h, epsilon: 1e-5)
            let scope = scope["convs"][index]
            return Layer(
                norm: norm,
                kernel: Linear(
                    scope["message_kernel"], inputs: 2 * h + configuration.centres,
                    outputs: 3 * h + (configuration.movesPositions ? 1 : 0)),
                scalar: Linear(scope["Ws"], inputs: h, outputs: h),
                vector: Linear(scope["Wv"], inputs: h, outputs: h, hasBias: false),
                update: GatedEquivariantBlock(
                    scope["Wu"], width: h, scalars: h, vectors: h))
        }
    }

    /// Passes messages.
    ///
    /// - Parameters:
    ///   - scalars: [B, n, H].
    ///   - positions: [B, n, 3].
    ///   - vectors: [B, n, 3, H]; 0 when nil.
    ///   - mask: [B, n], 1 for points that are there; all when nil.
    public func callAsFunction(
        scalars: Tensor, positions: Tensor, vectors: Tensor? = nil, mask: Tensor? = nil
    ) -> GraphState {
        let (b, n) = (scalars.shape[0], scalars.shape[1])
        let h = configuration.width
        // r [B, n, 3, n]: coordinate by coordinate, so that sums over senders are products.
        let columns = positions.transposed(1, 2)
        let difference = (columns.unsqueezed(1) - positions.unsqueezed(3)).contiguous()
        let weights = edgeWeights(batch: b, count: n, mask: mask, difference)
        let basis = radialBasis(difference)
        let weightedDifference = difference * weights.unsqueezed(2)
        var state = GraphState(
            scalars: scalars,
            vectors: vectors ?? .zeros([b, n, 3, h], device: scalars.device),
            positions: positions)
        var isFirst = vectors == nil
        for layer in layers {
            var s = layer.norm(state.scalars)
            var v = isFirst ? state.vectors : Self.normalised(state.vectors)
            let messages = edgeMessages(layer.kernel, s, basis)
            let weighted = messages * weights.unsqueezed(3)
            let a = weighted.narrowed(axis: 3, start: 0, length: h)
            let c = messages.narrowed(axis: 3, start: 2 * h, length: h)
            // Σ_j c_ij ⊙ r_ij as a product [3, n] × [n, H] for every receiver.
            var dv = matmul(weightedDifference, c)
            if !isFirst {
                let u = layer.vector(v)
                let gate = weighted.narrowed(axis: 3, start: h, length: h)
                let received = (gate.unsqueezed(3) * u.unsqueezed(1)).sum(axes: [2])
                dv = dv + cross(u, received)
            }
            if configuration.movesPositions {
                let e = weighted.narrowed(axis: 3, start: 3 * h, length: 1).squeezed(3)
                let p = state.positions
                state.positions = p + p * e.sum(axes: [2], keepDimensions: true) - matmul(e, p)
            }
            s = s + (a * layer.scalar(s).unsqueezed(1)).sum(axes: [2])
            v = v + dv
            let update = layer.update(s, v)
            let parts = update.scalars.split(axis: 2, sizes: [h, h])
            state.scalars = s + parts[1]
            state.vectors = v + parts[0].unsqueezed(2) * update.vectors
            isFirst = false
        }
        return state
    }

    /// 1/(senders) for every edge j → i, 0 for i = j and for points that are not there; [B, n, n].
    private func edgeWeights(
        batch: Int, count n: Int, mask: Tensor?, _ difference: Tensor
    ) -> Tensor {
        let device = currentDevice
        var others = [Float](repeating: 1, count: n * n)
        for i in 0..<n { others[i * n + i] = 0 }
        let edges = Tensor(others, shape: [1, n, n], device: device)
        if let cutoff = configuration.cutoff {
            let near = edges * closeness(difference, cutoff: cutoff)
            let present = mask.map { near * $0.unsqueezed(1) } ?? near
            let senders = present.sum(axes: [2], keepDimensions: true).clamped(1, .infinity)
            return present / senders
        }
        guard let mask else {
            return (edges * (1 / Float(max(1, n - 1)))).expanded(to: [batch, n, n]).contiguous()
        }
        let present = edges * mask.unsqueezed(1)
        let senders = present.sum(axes: [2], keepDimensions: true).clamped(1, .infinity)
        return present / senders
    }

    /// 1 for near pairs, 0 beyond the cutoff, a smooth step from nine tenths of it; [B, n, n].
    private func closeness(_ difference: Tensor, cutoff: Float) -> Tensor {
        let distance = difference.square().sum(axes: [2]).clamped(1e-8, .infinity).sqrt()
        let inner = 0.9 * cutoff
        let t = ((distance - inner) * (1 / (cutoff - inner))).clamped(0, 1)
        return 1 - t.square() * (3 - 2 * t)
    }

    /// exp(−γ(d − μ)²), [B, n, n, R], of differences [B, n, 3, n].
    private func radialBasis(_ difference: Tensor) -> Tensor {
        let count = configuration.centres
        let spacing = configuration.reach / Float(count - 1)
        let squares = difference.square().sum(axes: [2])
        var d: Tensor
        switch configuration.distance {
        case .squared: d = squares.clamped(1e-4, configuration.largestDistance ?? .infinity)
        case .plain:
            d = squares.clamped(1e-8, .infinity).sqrt()
            if let limit = configuration.largestDistance { d = d.clamped(0, limit) }
        }
        let centres = Tensor((0..<count).map { spacing * Float($0) }, shape: [count])
        let offset = (d.unsqueezed(3) - centres).square()
        return (offset * (-0.5 / (spacing * spacing))).exp()
    }

    /// W [s_i, s_j, basis] + b without laying the three side by side; [B, n, n, outputs].
    private func edgeMessages(_ kernel: Linear, _ s: Tensor, _ basis: Tensor) -> Tensor {
        let h = configuration.width
        let parts = kernel.weight.tensor.split(
            axis: 1, sizes: [h, h, configuration.centres])
        let receiver = linear(s, parts[0].contiguous(), kernel.bias?.tensor)
        let sender = linear(s, parts[1].contiguous())
        return linear(basis, parts[2].contiguous())
            + (receiver.unsqueezed(2) + sender.unsqueezed(1))
    }

    private static func normalised(_ v: Tensor) -> Tensor {
        let squares = v.square().sum(axes: [2], keepDimensions: true).clamped(1e-8, .infinity)
        return v / squares.mean(axes: [3], keepDimensions: true).sqrt()
    }

    private func cross(_ a: Tensor, _ b: Tensor) -> Tensor {
        let x = a.split(axis: 2, sizes: [1, 1, 1])
        let y = b.split(axis: 2, sizes: [1, 1, 1])
        return Tensor.concatenated(
            [
                x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2],
                x[0] * y[1] - x[1] * y[0],
            ], axis: 2)
    }
}

/// New scalars and vectors from both, vectors mixed by scalars alone.
///
///     n = |W_v0 V|  (over x, y, z)
///     scalars = W_s1 SiLU(W_s0 [s, n] + b) + b,  vectors = W_v1 V
///
/// The first of the scalars gate the vectors where the block is used.
/// Checkpoint keys: `Wv0.weight`, `Wv1.weight`, `Ws0.*`, `Ws1.*`.
///
/// Source: Schütt et al., "Equivariant message passing" (PaiNN), ICML 2021; Winter et al., as above.
public struct GatedEquivariantBlock: Sendable {
    private let norm: Linear
    private let mix: Linear
    private let hidden: Linear
    private let output: Linear

    /// - Parameters:
    ///   - width: channels H that come in, scalars and vectors alike.
    ///   - scalars: scalars that go out, without the gates.
    ///   - vectors: vectors that go out; as many gates come before the scalars, or behind them.
    public init(_ scope: ParameterScope, width: Int, scalars: Int, vectors: Int) {
        norm = Linear(scope["Wv0"], inputs: width, outputs: width, hasBias: false)
        mix = Linear(scope["Wv1"], inputs: width, outputs: vectors, hasBias: false)
        hidden = Linear(scope["Ws0"], inputs: 2 * width, outputs: width)
        output = Linear(scope["Ws1"], inputs: width, outputs: scalars + vectors)
    }

    /// s [..., H] and V [..., 3, H] → gates and scalars [..., vectors + scalars], ungated vectors
    /// [..., 3, vectors].
    public func callAsFunction(_ s: Tensor, _ v: Tensor) -> (scalars: Tensor, vectors: Tensor) {
        let length = norm(v).square().sum(axes: [-2]).clamped(1e-6, .infinity).sqrt()
        let joined = Tensor.concatenated([s, length], axis: -1)
        return (output(hidden(joined).silu()), mix(v))
    }
}
