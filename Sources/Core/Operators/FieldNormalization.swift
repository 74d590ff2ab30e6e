// Batch normalisation and nonlinearity of scalar and vector fields.
// SPDX-License-Identifier: Apache-2.0

/// What the channels of a feature map are under a rotation of the plane: first scalars, which stay
/// as they are, then pairs of channels, which turn as vectors.
public struct FieldType: Sendable, Hashable {
    /// Fields of one channel, frequency 0.
    public var scalars: Int
    /// Fields of two channels, frequency 1.
    public var vectors: Int

    public init(scalars: Int, vectors: Int = 0) {
        self.scalars = scalars
        self.vectors = vectors
    }

    /// Fields of both kinds.
    public var count: Int { scalars + vectors }
    /// scalars + 2·vectors.
    public var channels: Int { scalars + 2 * vectors }
}

/// The parameters of ``fieldNorm(_:type:weights:running:momentum:activates:epsilon:)``.
public struct FieldWeights: Sendable {
    /// Scale of the scalars, [scalars].
    public var weight: Tensor
    /// Shift of the scalars, [scalars].
    public var bias: Tensor
    /// Scale of the vectors, [vectors].
    public var vectorWeight: Tensor
    /// Logarithm of the length below which vectors become 0, [vectors].
    public var logBias: Tensor

    public init(weight: Tensor, bias: Tensor, vectorWeight: Tensor, logBias: Tensor) {
        self.weight = weight
        self.bias = bias
        self.vectorWeight = vectorWeight
        self.logBias = logBias
    }

    func map(_ body: (Tensor) -> Tensor) -> FieldWeights {
        FieldWeights(
            weight: body(weight), bias: body(bias), vectorWeight: body(vectorWeight),
            logBias: body(logBias))
    }

    var tensors: [Tensor] { [weight, bias, vectorWeight, logBias] }
}

/// Running moments; training moves them in place, so their memory belongs to one layer.
public struct FieldMoments: Sendable {
    /// [scalars].
    public var mean: Tensor
    /// [scalars].
    public var variance: Tensor
    /// Of one component of each vector, [vectors].
    public var vectorVariance: Tensor

    public init(mean: Tensor, variance: Tensor, vectorVariance: Tensor) {
        self.mean = mean
        self.variance = variance
        self.vectorVariance = vectorVariance
    }
}

/// Batch normalisation of fields, followed by their nonlinearity.
///
///     scalars   z = (x − μ)/√(σ² + ε) · weight + bias             y = max(z, 0)
///     vectors   v = x · vectorWeight/√(s² + ε)                    y = v · max(|v| − e^logBias, 0)/|v|
///
/// In training (`momentum` given) μ and σ² are those of the batch and the running values move
/// towards them, σ² unbiased. s² is half the mean square length: **its running value divides, also
/// in training**, just moved, and no gradient flows through it.
///
/// - Parameters:
///   - x: [B, type.channels, …].
///   - running: moved in place in training.
///   - momentum: share of the batch in the running values; nil = they are used as they are.
///   - activates: whether the nonlinearities follow; without, y = z and y = v.
///   - epsilon: added to the variances.
/// - Returns: as x; vectors with |v| ≤ 1e-10 become 0.
///
/// Numerics: two passes over the batch; f32 within a plane, f64 over planes on the CPU.
/// Source: Weiler & Cesa, arXiv 1911.08251, InnerBatchNorm and NormBatchNorm of e2cnn 0.2.3.
public func fieldNorm(
    _ x: Tensor, type: FieldType, weights: FieldWeights, running: FieldMoments,
    momentum: Float? = nil, activates: Bool = true, epsilon: Float = 1e-5
) -> Tensor {
    requireShapes(
        x.rank >= 2 && x.shape[1] == type.channels && weights.weight.count == type.scalars
            && weights.bias.count == type.scalars && weights.vectorWeight.count == type.vectors
            && weights.logBias.count == type.vectors && running.mean.count == type.scalars
            && running.variance.count == type.scalars
            && running.vectorVariance.count == type.vectors,
        "fieldNorm", [x.shape] + weights.tensors.map(\.shape))
    if x.count == 0 { return x }
    let x = x.contiguous()
    let recording = weights.map { $0.contiguous() }
    let plain = recording.map { $0.detached() }
    let statistics = x.device.fieldStatistics(
        x.detached(), type, running: running, momentum: momentum, epsilon: epsilon)
    let y = x.device.fieldNorm(
        x.detached(), type, plain, statistics: statistics, activates: activates)
    return recorded(y, inputs: [x] + recording.tensors) { dy in
        let (dx, gradients) = dy.device.fieldNormGradient(
            dy.contiguous(), x.detached(), type, plain, statistics: statistics,
            activates: activates, ofBatch: momentum != nil)
        return [.init(dx)]
            + zip(gradients.tensors, plain.tensors).map { .init($0.reshaped($1.shape)) }
    }
}
