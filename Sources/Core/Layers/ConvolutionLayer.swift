// The convolution layer. SPDX-License-Identifier: Apache-2.0

/// Two-dimensional convolution with a square kernel.
///
/// Checkpoint keys: `weight` [outputs, inputs/groups, k, k], `bias` [outputs].
public struct Convolution2D: Sendable {
    /// [outputs, inputs/groups, k, k].
    public let weight: Parameter
    /// [outputs]; nil without bias.
    public let bias: Parameter?
    /// Stride, padding and groups.
    public let geometry: ConvolutionGeometry

    /// Makes or takes the parameters of a scope.
    ///
    /// - Parameter padding: keeps the size under an odd kernel and stride 1 when nil.
    public init(
        _ scope: ParameterScope, inputs: Int, outputs: Int, kernel: Int, stride: Int = 1,
        padding: Padding2D? = nil, groups: Int = 1, hasBias: Bool = true,
        initializer: Initializer? = nil, biasInitializer: Initializer = .zeros
    ) {
        let fanIn = inputs / groups * kernel * kernel
        weight = scope.parameter(
            "weight", shape: [outputs, inputs / groups, kernel, kernel],
            initializer: initializer ?? .uniform(bound: 1 / Float(max(1, fanIn)).squareRoot()))
        bias =
            hasBias
            ? scope.parameter("bias", shape: [outputs], initializer: biasInitializer) : nil
        geometry = ConvolutionGeometry(
            stride: stride, padding: padding ?? .same(kernel / 2), groups: groups)
    }

    /// x [B, inputs, H, W] → [B, outputs, H′, W′].
    public func callAsFunction(_ x: Tensor) -> Tensor {
        convolution2D(
            x, weight: weight.tensor, bias: bias?.tensor, stride: geometry.stride,
            padding: geometry.padding, groups: geometry.groups)
    }

    /// residual + self(SiLU(norm(x))), fused where nothing is recorded; stride 1, one group.
    ///
    /// - Parameters:
    ///   - x: [B, inputs, H, W].
    ///   - norm: over `inputs` channels.
    ///   - activates: whether SiLU follows the norm.
    ///   - residual: as the result.
    ///   - result: `.operand` where only such layers read it.
    public func callAsFunction(
        _ x: Tensor, behind norm: GroupNorm, activates: Bool = true, residual: Tensor? = nil,
        as result: ResultType = .float32
    ) -> Tensor {
        let (gain, shift) = (norm.weight.tensor, norm.bias.tensor)
        let prologue: ConvolutionPrologue =
            activates
            ? .groupNormSiLU(
                weight: gain, bias: shift, groups: norm.groups, epsilon: norm.epsilon)
            : .groupNorm(weight: gain, bias: shift, groups: norm.groups, epsilon: norm.epsilon)
        return fusedConvolution2D(
            x, prologue: prologue, weight: weight.tensor, bias: bias?.tensor,
            padding: geometry.padding, residual: residual, as: result)
    }

    /// residual + self(x), fused where nothing is recorded; stride 1, one group.
    public func callAsFunction(_ x: Tensor, residual: Tensor?, as result: ResultType) -> Tensor {
        fusedConvolution2D(
            x, weight: weight.tensor, bias: bias?.tensor, padding: geometry.padding,
            residual: residual, as: result)
    }

    /// residual + self(SiLU(x·scale + shift)) with other zeros around x, fused where nothing is
    /// recorded; stride 1, one group.
    ///
    /// - Parameters:
    ///   - x: [B, inputs, H, W], a part of a picture.
    ///   - scale: [B, inputs], as is `shift`.
    ///   - residual: as the result.
    public func callAsFunction(
        _ x: Tensor, scale: Tensor, shift: Tensor, padding: Padding2D, residual: Tensor? = nil
    ) -> Tensor {
        fusedConvolution2D(
            x, prologue: .scaledSiLU(scale: scale, shift: shift), weight: weight.tensor,
            bias: bias?.tensor, padding: padding, residual: residual)
    }

    /// self(upsampledNearest2x(x)), fused where nothing is recorded; stride 1, one group.
    public func upsampling(_ x: Tensor, as result: ResultType = .float32) -> Tensor {
        fusedConvolution2D(
            x, prologue: .upsampledNearest2x, weight: weight.tensor, bias: bias?.tensor,
            padding: geometry.padding, as: result)
    }
}
