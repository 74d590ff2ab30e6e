// What the operator layer asks of a device. SPDX-License-Identifier: Apache-2.0

/// A processor with memory: it allocates, and it runs the kernels that operators are made of.
///
/// Models and layers never see more of it than its name: everything they do goes through operators,
/// and operators go through these methods, so a device is added without touching any model.
///
/// Unless said otherwise, kernels take contiguous float32 tensors on this device, return new
/// contiguous ones, and record nothing; operators check shapes before.
public protocol Device: AnyObject, Sendable, NetworkKernels, SamplingKernels {
    /// For people: "CPU, 2 threads".
    var name: String { get }
    /// What makes the first work here slower than all that follows, for people; nil where nothing does.
    var firstUseNotice: String? { get }
    /// Reports the first failure of work given to the device so far, and forgets it.
    ///
    /// Devices that compute later than they are called cannot report where it happened; whoever runs
    /// a computation asks after each pass or step. On the CPU there is nothing to report.
    func throwPendingError() throws

    /// Whether ``linear(_:_:_:)`` reads 16-bit weights as fast as float32 ones; where not, they are
    /// widened once, when a model is loaded.
    var readsNarrowWeights: Bool { get }

    // MARK: Recording and time
    /// Records work for later; nil where a replay would not be quicker than the work itself.
    func makeRecorder() -> (any WorkRecorder)?
    /// Now, in the order of the work given to the device.
    func moment() -> any DeviceMoment

    // MARK: Memory
    /// Bytes in tensors now and at most since the last reset; nil where the system says it better.
    var memoryInUse: (now: Int, peak: Int)? { get }
    func resetMemoryPeak()
    /// Uninitialised memory; never fails for 0 bytes.
    func allocate(byteCount: Int) -> Storage
    /// Host bytes to the start of a storage.
    func upload(_ bytes: UnsafeRawBufferPointer, to storage: Storage)
    /// Gives memory back that is kept for reuse, before something that needs other and larger blocks.
    func releaseUnusedMemory()
    /// A contiguous tensor's bytes to the host.
    func download(_ tensor: Tensor, into bytes: UnsafeMutableRawBufferPointer)
    /// Zero bits everywhere.
    func clear(_ storage: Storage)
    /// A float32 tensor of one value.
    func full(_ shape: [Int], _ value: Float) -> Tensor
    /// Any strided tensor into any strided tensor of the same shape and type.
    func copy(_ source: Tensor, into destination: Tensor)
    /// The same for many tensors, at once where the device can.
    func copies(_ pairs: [(source: Tensor, destination: Tensor)])
    /// Adds any strided float32 tensor to any strided one of the same shape, in place.
    func add(_ source: Tensor, into destination: Tensor)
    /// Another type; floats round to nearest even, floats to integers truncate.
    func cast(_ tensor: Tensor, to dtype: DType) -> Tensor

    // MARK: Elementwise and reductions
    func unary(_ operation: UnaryOperation, _ x: Tensor) -> Tensor
    /// dy · f′(x), given y = f(x).
    func unaryGradient(_ operation: UnaryOperation, x: Tensor, y: Tensor, dy: Tensor) -> Tensor
    /// Broadcasts; operands may be strided.
    func binary(_ operation: BinaryOperation, _ a: Tensor, _ b: Tensor) -> Tensor
    /// scale · Σ over the middle of [outer, length, inner] → [outer · inner].
    func sum(_ x: Tensor, outer: Int, length: Int, inner: Int, scale: Float) -> Tensor
    /// Largest value and its first index (int32) along an axis, which is dropped.
    func maximum(_ x: Tensor, axis: Int) -> (values: Tensor, indices: Tensor)
    /// A tensor of `shape`, zero but for `values` at `indices` along an axis.
    func scatterAlong(_ axis: Int, _ values: Tensor, at indices: Tensor, shape: [Int]) -> Tensor
    /// Σ x² in double precision.
    func sumOfSquares(_ x: Tensor) -> Double
    /// Σ x² over many tensors; NaN when a device cannot say.
    func sumOfSquares(_ tensors: [Tensor]) -> Double

    // MARK: Matrix products
    /// What operands of products are read as, and what values that only products read are kept in.
    var operandType: DType { get }
    /// Batched, leading dimensions broadcast; operands may be transposed views.
    func matmul(_ a: Tensor, _ b: Tensor) -> Tensor
    /// x [rows, K] · weight [N, K]ᵀ + bias [N]; the weight may be strided or in 16-bit storage.
    func linear(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?) -> Tensor
    /// The same two, with results of float32 or of ``operandType``.
    func matmul(_ a: Tensor, _ b: Tensor, as dtype: DType) -> Tensor
    func linear(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?, as dtype: DType) -> Tensor
    /// Σ over rows of dy [rows, N], in either type; float32.
    func biasGradient(_ dy: Tensor) -> Tensor
    /// GELU(x·weightᵀ + bias) in ``operandType`` and, if asked for, what GELU was applied to; nil where
    /// the device does it in two steps.
    func linearGELU(
        _ x: Tensor, _ weight: Tensor, _ bias: Tensor, keepsInput: Bool
    ) -> (activated: Tensor, input: Tensor?)?
    /// The gradients of GELU's input and of the bias before it, from that of a linear layer behind
    /// it: dy [rows, N], weight [N, H], input as kept.
    func linearGELUGradient(
        _ dy: Tensor, _ weight: Tensor, input: Tensor
    ) -> (dinput: Tensor, dbias: Tensor)

    /// h = x + (input·weightᵀ + bias)·gate and LN(h)·(1 + gain) + shift in ``operandType``, over rows; one
    /// row of gate, gain and shift for each `share`, which may lie apart.
    func projectedResidual(
        _ x: Tensor, _ input: Tensor, _ weight: Tensor, _ bias: Tensor, _ next: ResidualModulation
    ) -> (h: Tensor, normed: Tensor)

    // MARK: Optimisers
    /// One AdamW update in place.
    func adamW(
        weight: Tensor, gradient: Tensor, moment1: Tensor, moment2: Tensor,
        settings: AdamWSettings)
    /// The same for many tensors, at once where the device can; all with the first one's β, ε,
    /// gradient scale and corrections.
    func adamW(_ updates: [AdamWUpdate])
    /// average += (1 − decay)(value − average), in place.
    func movingAverage(_ average: Tensor, toward value: Tensor, decay: Float)
    /// The same for many tensors.
    func movingAverages(_ pairs: [(average: Tensor, value: Tensor)], decay: Float)
}

extension Device {
    public func throwPendingError() throws {}
    public func releaseUnusedMemory() {}

    public func copies(_ pairs: [(source: Tensor, destination: Tensor)]) {
        for pair in pairs { copy(pair.source, into: pair.destination) }
    }

    public func sumOfSquares(_ tensors: [Tensor]) -> Double {
        tensors.reduce(0) { $0 + sumOfSquares($1) }
    }

    public func adamW(_ updates: [AdamWUpdate]) {
        for update in updates {
            adamW(
                weight: update.weight, gradient: update.gradient, moment1: update.moment1,
                moment2: update.moment2, settings: update.settings)
        }
    }

    public func movingAverages(_ pairs: [(average: Tensor, value: Tensor)], decay: Float) {
        for pair in pairs { movingAverage(pair.average, toward: pair.value, decay: decay) }
    }
}

/// The tensors and numbers of one AdamW update.
public struct AdamWUpdate: Sendable {
    public var weight: Tensor
    public var gradient: Tensor
    public var moment1: Tensor
    public var moment2: Tensor
    public var settings: AdamWSettings
}

/// The numbers of one AdamW update.
public struct AdamWSettings: Sendable {
    /// Multiplies the gradient first (clipping).
    public var gradientScale: Float
    public var learningRate: Float
    public var beta1: Float
    public var beta2: Float
    public var epsilon: Float
    public var weightDecay: Float
    /// 1 − β1^t.
    public var correction1: Float
    /// 1 − β2^t.
    public var correction2: Float
}

extension Device {
    public var readsNarrowWeights: Bool { false }
}

/// How a branch is gated into a residual stream, and how the stream is normalised for what follows.
public struct ResidualModulation: Sendable {
    /// Each [rows / share, C].
    public var gate: Tensor
    public var gain: Tensor
    public var shift: Tensor
    public var share: Int
    public var epsilon: Float
}

// Devices that compute in float32 throughout.
extension Device {
    public var operandType: DType { .float32 }

    public func matmul(_ a: Tensor, _ b: Tensor, as dtype: DType) -> Tensor { matmul(a, b) }

    public func linear(
        _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, as dtype: DType
    ) -> Tensor { linear(x, weight, bias) }

    public func biasGradient(_ dy: Tensor) -> Tensor {
        sum(dy, outer: 1, length: dy.shape[0], inner: dy.shape[1], scale: 1)
    }

    public func linearGELU(
        _ x: Tensor, _ weight: Tensor, _ bias: Tensor, keepsInput: Bool
    ) -> (activated: Tensor, input: Tensor?)? { nil }

    public func projectedResidual(
        _ x: Tensor, _ input: Tensor, _ weight: Tensor, _ bias: Tensor, _ next: ResidualModulation
    ) -> (h: Tensor, normed: Tensor) { composedResidual(x, input, weight, bias, next) }

    /// The same by the kernels for each of its parts.
    func composedResidual(
        _ x: Tensor, _ input: Tensor, _ weight: Tensor, _ bias: Tensor, _ next: ResidualModulation
    ) -> (h: Tensor, normed: Tensor) {
        let branch = linear(input, weight, bias, as: operandType)
        let h = gatedResidual(x, branch, gate: next.gate, share: next.share)
        let (y, _) = layerNorm(
            h, gain: next.gain, offset: 1, shift: next.shift, share: next.share,
            epsilon: next.epsilon, as: operandType)
        return (h, y)
    }

    public func linearGELUGradient(
        _ dy: Tensor, _ weight: Tensor, input: Tensor
    ) -> (dinput: Tensor, dbias: Tensor) {
        let dinput = unaryGradient(
            .geluTanh, x: input, y: unary(.geluTanh, input), dy: matmul(dy, weight))
        return (dinput, biasGradient(dinput))
    }
}
