// The batch normalisation layer of scalar and vector fields. SPDX-License-Identifier: Apache-2.0

/// Batch normalisation with the nonlinearity behind it; for plain maps all channels are scalars.
///
/// The names of the parameters are the caller's, because published checkpoints spread them over
/// several modules. New scales are 1, shifts and logarithms of the vectors' biases 0.
public struct FieldNorm: Sendable {
    /// Where each tensor of the layer is stored.
    public struct Names: Sendable {
        /// Scope of `weight`, `bias`, `running_mean`, `running_var` of the scalars.
        public var scalars: String
        /// Scale of the vectors, with its shape.
        public var vectorWeight: (name: String, shape: [Int])?
        /// Running variance of the vectors, with its shape.
        public var vectorVariance: (name: String, shape: [Int])?
        /// Bias of the vectors' nonlinearity, with its shape.
        public var logBias: (name: String, shape: [Int])?

        public init(
            scalars: String, vectorWeight: (name: String, shape: [Int])? = nil,
            vectorVariance: (name: String, shape: [Int])? = nil,
            logBias: (name: String, shape: [Int])? = nil
        ) {
            self.scalars = scalars
            self.vectorWeight = vectorWeight
            self.vectorVariance = vectorVariance
            self.logBias = logBias
        }
    }

    public let type: FieldType
    public let weight: Parameter
    public let bias: Parameter
    public let vectorWeight: Parameter?
    public let logBias: Parameter?
    /// Running moments: stored, never differentiated.
    public let runningMean: Parameter
    public let runningVariance: Parameter
    public let vectorVariance: Parameter?
    /// Added to the variances.
    public let epsilon: Float
    private let empty: Tensor

    /// Makes or takes the parameters of a scope.
    ///
    /// - Parameter sharedLogBias: a bias of another layer that this one uses too.
    public init(
        _ scope: ParameterScope, type: FieldType, names: Names, sharedLogBias: Parameter? = nil,
        epsilon: Float = 1e-5
    ) {
        self.type = type
        self.epsilon = epsilon
        let scalars = scope[names.scalars]
        weight = scalars.parameter("weight", shape: [type.scalars], initializer: .ones)
        bias = scalars.parameter("bias", shape: [type.scalars])
        runningMean = scalars.parameter("running_mean", shape: [type.scalars])
        runningVariance = scalars.parameter(
            "running_var", shape: [type.scalars], initializer: .ones)
        func make(_ entry: (name: String, shape: [Int])?, _ start: Initializer) -> Parameter? {
            entry.map { scope.parameter($0.name, shape: $0.shape, initializer: start) }
        }
        vectorWeight = make(names.vectorWeight, .ones)
        vectorVariance = make(names.vectorVariance, .ones)
        logBias = sharedLogBias ?? make(names.logBias, .zeros)
        empty = Tensor.zeros([0], device: scope.device)
    }

    /// What training moves without gradients.
    public var moments: [Parameter] {
        [runningMean, runningVariance, vectorVariance].compactMap { $0 }
    }

    /// x [B, type.channels, …] → the same shape.
    ///
    /// - Parameters:
    ///   - isTraining: statistics are those of the batch and the running ones move.
    ///   - activates: whether the nonlinearity follows.
    public func callAsFunction(
        _ x: Tensor, isTraining: Bool = false, activates: Bool = true
    ) -> Tensor {
        fieldNorm(
            x, type: type,
            weights: FieldWeights(
                weight: weight.tensor, bias: bias.tensor,
                vectorWeight: vectorWeight?.tensor ?? empty, logBias: logBias?.tensor ?? empty),
            running: FieldMoments(
                mean: runningMean.value, variance: runningVariance.value,
                vectorVariance: vectorVariance?.value ?? empty),
            momentum: isTraining ? 0.1 : nil, activates: activates, epsilon: epsilon)
    }
}
