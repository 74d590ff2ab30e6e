// What the network operators ask of a device. SPDX-License-Identifier: Apache-2.0

/// The kernels behind convolution, normalisation, attention, embedding, resizing and sorting.
///
/// As with ``Device``: contiguous float32 in and out unless said otherwise, nothing recorded, shapes
/// checked by the operators before. Operators document the formulas.
public protocol NetworkKernels {
    // MARK: Convolution
    /// y [B, O, H′, W′] from x [B, C, H, W] and weight [O, C/groups, kh, kw].
    func convolution2D(
        _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ geometry: ConvolutionGeometry
    ) -> Tensor
    /// residual + convolution2D(prologue(x)), at stride 1; has a default that runs them one by one.
    func fusedConvolution2D(
        _ x: Tensor, _ prologue: ConvolutionPrologue, _ weight: Tensor, _ bias: Tensor?,
        residual: Tensor?, _ geometry: ConvolutionGeometry
    ) -> Tensor
    /// The same with x and the residual in any layout that a result had, and a result in float32 or, where the
    /// device can, in its `operandType` with channels last.
    func fusedConvolution2D(
        _ x: Tensor, _ prologue: ConvolutionPrologue, _ weight: Tensor, _ bias: Tensor?,
        residual: Tensor?, _ geometry: ConvolutionGeometry, as dtype: DType
    ) -> Tensor
    /// The gradient with respect to an input of `shape`.
    func convolution2DInputGradient(
        _ dy: Tensor, _ weight: Tensor, shape: [Int], _ geometry: ConvolutionGeometry
    ) -> Tensor
    /// The gradient with respect to a weight of `shape`.
    func convolution2DWeightGradient(
        _ dy: Tensor, _ x: Tensor, shape: [Int], _ geometry: ConvolutionGeometry
    ) -> Tensor
    /// Sums of dy [B, O, H, W] per channel.
    func channelSums(_ dy: Tensor) -> Tensor

    // MARK: Normalisation
    /// y and the statistics [2, B, groups] (mean, 1/σ) for the backward pass.
    func groupNorm(
        _ x: Tensor, _ weight: Tensor, _ bias: Tensor, groups: Int, epsilon: Float, silu: Bool
    ) -> (y: Tensor, statistics: Tensor)
    /// Gradients from x, not from y: the activation is recomputed.
    func groupNormGradient(
        _ dy: Tensor, _ x: Tensor, _ weight: Tensor, _ bias: Tensor, statistics: Tensor,
        groups: Int, silu: Bool
    ) -> (dx: Tensor, dweight: Tensor, dbias: Tensor)
    /// The same; dx may come with the gradient `before` added to it.
    func groupNormGradient(
        _ dy: Tensor, _ x: Tensor, _ weight: Tensor, _ bias: Tensor, statistics: Tensor,
        groups: Int, silu: Bool, before: Tensor?
    ) -> (dx: Tensor, dweight: Tensor, dbias: Tensor, isTotal: Bool)
    /// Rows x [rows, C]; y = x̂ · (offset + gain) + shift with one row of gain and shift for each `share`
    /// rows of x; the rows of gain and shift may lie apart. Statistics [2, rows].
    func layerNorm(
        _ x: Tensor, gain: Tensor?, offset: Float, shift: Tensor?, share: Int, epsilon: Float
    ) -> (y: Tensor, statistics: Tensor)
    /// The same with y in float32 or in the device's `operandType`.
    func layerNorm(
        _ x: Tensor, gain: Tensor?, offset: Float, shift: Tensor?, share: Int, epsilon: Float,
        as dtype: DType
    ) -> (y: Tensor, statistics: Tensor)
    /// dgain and dshift [rows / share, C].
    func layerNormGradient(
        _ dy: Tensor, _ x: Tensor, gain: Tensor?, offset: Float, share: Int, statistics: Tensor
    ) -> (dx: Tensor, dgain: Tensor, dshift: Tensor)
    /// The same from dy in the type of y; dx may come with the gradient `before` added to it.
    func layerNormGradient(
        _ dy: Tensor, _ x: Tensor, gain: Tensor?, offset: Float, share: Int, statistics: Tensor,
        before: Tensor?
    ) -> (dx: Tensor, dgain: Tensor, dshift: Tensor, isTotal: Bool)
    /// x + branch · gate over rows, one row of the gate for each `share`, which may lie apart; the branch
    /// in float32 or in the device's `operandType`.
    func gatedResidual(_ x: Tensor, _ branch: Tensor, gate: Tensor, share: Int) -> Tensor
    /// dbranch in the type of the branch, dgate [rows / share, C].
    func gatedResidualGradient(_ dy: Tensor, _ branch: Tensor, gate: Tensor, share: Int) -> (
        dbranch: Tensor, dgate: Tensor
    )
    /// Rows over max(|row|, epsilon), and the divisors [rows].
    func l2Normalized(_ x: Tensor, epsilon: Float) -> (y: Tensor, norms: Tensor)
    /// dy projected off y, over the divisors.
    func l2NormalizedGradient(_ dy: Tensor, y: Tensor, norms: Tensor, epsilon: Float) -> Tensor

    // MARK: Softmax, over rows of the last dimension
    /// Rows of e^x / Σ e^x.
    func softmax(_ x: Tensor) -> Tensor
    /// y · (dy − Σ dy·y).
    func softmaxGradient(_ dy: Tensor, y: Tensor) -> Tensor
    /// Rows of x − log Σ e^x.
    func logSoftmax(_ x: Tensor) -> Tensor
    /// dy − e^y · Σ dy.
    func logSoftmaxGradient(_ dy: Tensor, y: Tensor) -> Tensor
    /// Loss and log Σ e^x per row; targets int32 [N]; logits may be in the device's `operandType`.
    func crossEntropy(_ logits: Tensor, _ targets: Tensor) -> (loss: Tensor, logSumExp: Tensor)
    /// dloss · (softmax − one-hot), in the type of the logits.
    func crossEntropyGradient(
        _ dloss: Tensor, _ logits: Tensor, _ targets: Tensor, logSumExp: Tensor
    ) -> Tensor

    // MARK: Attention; q, k, v may be strided in all but the last dimension
    /// Output [B, H, L, D] (a view of [B, L, H, D] memory) and logsumexp [B, H, L].
    func attention(
        _ q: Tensor, _ k: Tensor, _ v: Tensor, scale: Float, intervals: AttentionIntervals?
    ) -> (output: Tensor, logSumExp: Tensor)
    /// Weights are recomputed from logsumexp.
    func attentionGradient(
        _ dy: Tensor, _ q: Tensor, _ k: Tensor, _ v: Tensor, output: Tensor, logSumExp: Tensor,
        scale: Float, intervals: AttentionIntervals?
    ) -> (dq: Tensor, dk: Tensor, dv: Tensor)
    /// Attention by cosine similarity over qkv [B, L, 3, H, D] with scales [H], and its gradient from
    /// that of the output [B, L, H, D]; nil where a device has no kernel for these shapes.
    func cosineAttention(
        _ qkv: Tensor, scale: Tensor, epsilon: Float, intervals: AttentionIntervals?
    ) -> (output: Tensor, gradient: @Sendable (Tensor) -> (dqkv: Tensor, dscale: Tensor))?

    /// The same output where no gradient is asked for and every query sees all keys; nil where a device
    /// has no kernel for it.
    func cosineAttention(_ qkv: Tensor, scale: Tensor, epsilon: Float) -> Tensor?

    // MARK: Rows
    /// Rows of table [V, C] by int32 index.
    func gatherRows(_ table: Tensor, _ indices: Tensor) -> Tensor
    /// A zero table of `count` rows to which rows [N, C] are added by index.
    func scatterAddRows(_ rows: Tensor, _ indices: Tensor, count: Int) -> Tensor
    /// For each row of z the first nearest row of the table; int32.
    func nearestRows(_ z: Tensor, _ table: Tensor) -> Tensor
    /// Stable order of the rows of the last dimension; int32.
    func argsort(_ x: Tensor, descending: Bool) -> Tensor

    // MARK: Planes: x [planes, h, w]
    /// Planes in another size.
    func resized(_ x: Tensor, height: Int, width: Int, method: ResizeMethod) -> Tensor
    /// The adjoint of resizing planes of `height` × `width` to the size of dy.
    func resizedGradient(_ dy: Tensor, height: Int, width: Int, method: ResizeMethod) -> Tensor
    /// Every pixel 2 × 2 times.
    func upsampledNearest2x(_ x: Tensor) -> Tensor
    /// Sums of 2 × 2 pixels.
    func upsampledNearest2xGradient(_ dy: Tensor) -> Tensor
    /// Maxima and their positions in the plane (int32).
    func maxPool2D(_ x: Tensor, size: Int, stride: Int) -> (values: Tensor, positions: Tensor)
    /// dy at the positions, zero elsewhere, in planes of `shape`.
    func maxPool2DGradient(_ dy: Tensor, positions: Tensor, shape: [Int]) -> Tensor
    /// Means of size × size pixels.
    func averagePool2D(_ x: Tensor, size: Int, stride: Int) -> Tensor
    /// dy spread evenly over its window, in planes of `shape`.
    func averagePool2DGradient(_ dy: Tensor, shape: [Int], size: Int, stride: Int) -> Tensor

    // MARK: Fields: x [B, scalars + 2·vectors, …]
    /// Mean (0 for vectors) and 1/σ of every field, [2, fields]; moves the running values in place
    /// where `momentum` is given, else only reads them.
    func fieldStatistics(
        _ x: Tensor, _ type: FieldType, running: FieldMoments, momentum: Float?, epsilon: Float
    ) -> Tensor
    /// Normalised and, with `activates`, passed through the fields' nonlinearities.
    func fieldNorm(
        _ x: Tensor, _ type: FieldType, _ weights: FieldWeights, statistics: Tensor,
        activates: Bool
    ) -> Tensor
    /// `ofBatch`: the scalars' statistics depend on x.
    func fieldNormGradient(
        _ dy: Tensor, _ x: Tensor, _ type: FieldType, _ weights: FieldWeights, statistics: Tensor,
        activates: Bool, ofBatch: Bool
    ) -> (dx: Tensor, dweights: FieldWeights)
    /// A filter of `shape` made of basis filters.
    func basisExpansion(
        _ weights: Tensor, _ basis: Tensor, blocks: [BasisBlock], shape: [Int]
    ) -> Tensor
    /// The gradient with respect to `count` weights.
    func basisExpansionGradient(
        _ dfilter: Tensor, _ basis: Tensor, blocks: [BasisBlock], count: Int
    ) -> Tensor
    /// Square pictures [B, C, S, S] turned about their centre by u [B, 2].
    func rotated(_ x: Tensor, _ u: Tensor) -> Tensor
    /// dx only where it is wanted.
    func rotatedGradient(
        _ dy: Tensor, _ x: Tensor, _ u: Tensor, wantsInput: Bool
    ) -> (dx: Tensor?, du: Tensor)
}

extension NetworkKernels {
    public func cosineAttention(_ qkv: Tensor, scale: Tensor, epsilon: Float) -> Tensor? { nil }

    public func cosineAttention(
        _ qkv: Tensor, scale: Tensor, epsilon: Float, intervals: AttentionIntervals?
    ) -> (output: Tensor, gradient: @Sendable (Tensor) -> (dqkv: Tensor, dscale: Tensor))? { nil }
}

extension NetworkKernels {
    public func layerNorm(
        _ x: Tensor, gain: Tensor?, offset: Float, shift: Tensor?, share: Int, epsilon: Float,
        as dtype: DType
    ) -> (y: Tensor, statistics: Tensor) {
        layerNorm(
            x, gain: gain, offset: offset, shift: shift, share: share, epsilon: epsilon)
    }

    public func layerNormGradient(
        _ dy: Tensor, _ x: Tensor, gain: Tensor?, offset: Float, share: Int, statistics: Tensor,
        before: Tensor?
    ) -> (dx: Tensor, dgain: Tensor, dshift: Tensor, isTotal: Bool) {
        let (dx, dgain, dshift) = layerNormGradient(
            dy, x, gain: gain, offset: offset, share: share, statistics: statistics)
        return (dx, dgain, dshift, false)
    }

    public func groupNormGradient(
        _ dy: Tensor, _ x: Tensor, _ weight: Tensor, _ bias: Tensor, statistics: Tensor,
        groups: Int, silu: Bool, before: Tensor?
    ) -> (dx: Tensor, dweight: Tensor, dbias: Tensor, isTotal: Bool) {
        let (dx, dweight, dbias) = groupNormGradient(
            dy, x, weight, bias, statistics: statistics, groups: groups, silu: silu)
        return (dx, dweight, dbias, false)
    }
}
