// A convolution in one pass with what stands before and behind it.
// SPDX-License-Identifier: Apache-2.0

/// What happens to the input of a convolution on its way in.
public enum ConvolutionPrologue: Sendable {
    /// Nothing.
    case none
    /// ``upsampledNearest2x(_:)``.
    case upsampledNearest2x
    /// ``groupNorm(_:groups:weight:bias:epsilon:activation:)``.
    case groupNorm(weight: Tensor, bias: Tensor, groups: Int, epsilon: Float)
    /// The same with SiLU.
    case groupNormSiLU(weight: Tensor, bias: Tensor, groups: Int, epsilon: Float)
    /// x·scale + shift and SiLU; scale and shift [B, C]. A group norm whose statistics are known,
    /// as for a part of a picture.
    case scaledSiLU(scale: Tensor, shift: Tensor)

    /// The prologue as an operator of its own.
    func callAsFunction(_ x: Tensor) -> Tensor {
        switch self {
        case .none: x
        case .upsampledNearest2x: Core.upsampledNearest2x(x)
        case .groupNorm(let weight, let bias, let groups, let epsilon):
            Core.groupNorm(x, groups: groups, weight: weight, bias: bias, epsilon: epsilon)
        case .groupNormSiLU(let weight, let bias, let groups, let epsilon):
            Core.groupNorm(
                x, groups: groups, weight: weight, bias: bias, epsilon: epsilon, activation: .silu)
        case .scaledSiLU(let scale, let shift):
            (x * scale.reshaped(scale.shape + [1, 1]) + shift.reshaped(shift.shape + [1, 1])).silu()
        }
    }

    /// Tensors that gradients may be asked for.
    fileprivate var tensors: [Tensor] {
        switch self {
        case .none, .upsampledNearest2x: []
        case .groupNorm(let weight, let bias, _, _), .groupNormSiLU(let weight, let bias, _, _):
            [weight, bias]
        case .scaledSiLU(let scale, let shift): [scale, shift]
        }
    }

    /// Whether the tensors fit an input.
    fileprivate func fits(_ input: [Int]) -> Bool {
        switch self {
        case .none, .upsampledNearest2x: true
        case .groupNorm, .groupNormSiLU: tensors.allSatisfy { $0.shape == [input[1]] }
        case .scaledSiLU: tensors.allSatisfy { $0.shape == [input[0], input[1]] }
        }
    }

    fileprivate var detached: ConvolutionPrologue {
        switch self {
        case .none, .upsampledNearest2x: self
        case .groupNorm(let weight, let bias, let groups, let epsilon):
            .groupNorm(
                weight: weight.detached().contiguous(), bias: bias.detached().contiguous(),
                groups: groups, epsilon: epsilon)
        case .groupNormSiLU(let weight, let bias, let groups, let epsilon):
            .groupNormSiLU(
                weight: weight.detached().contiguous(), bias: bias.detached().contiguous(),
                groups: groups, epsilon: epsilon)
        case .scaledSiLU(let scale, let shift):
            .scaledSiLU(
                scale: scale.detached().contiguous(), shift: shift.detached().contiguous())
        }
    }
}

/// The convolution of a residual block with its surroundings: residual + conv(prologue(x)).
///
///     y = residual + convolution2D(prologue(x), weight, bias, stride 1, padding)
///
/// The same numbers as the operators one by one, up to rounding, without writing what lies between
/// them: half the memory traffic and a third of the memory of a decoder's finest level. Where
/// gradients are recorded the operators are recorded one by one.
///
/// - Parameters:
///   - x: [B, C, H, W].
///   - prologue: what is done to x first; the convolution's zeros are added behind it.
///   - weight: [O, C, kh, kw].
///   - bias: [O].
///   - padding: zeros around the prologue's output.
///   - residual: as the result; added to it.
///   - result: the type of the result. With `.operand` a device may keep a chain of maps in 16 bits with channels
///     last, a view of the shape below that only further fused convolutions and views should read; it
///     stays float32 where gradients are recorded or the device has no kernel for the shapes.
/// - Returns: [B, O, H′, W′].
public func fusedConvolution2D(
    _ x: Tensor, prologue: ConvolutionPrologue = .none, weight: Tensor, bias: Tensor? = nil,
    padding: Padding2D = .none, residual: Tensor? = nil, as result: ResultType = .float32
) -> Tensor {
    let tensors = [x, weight] + prologue.tensors + [bias, residual].compactMap { $0 }
    let isRecorded = Recording.isOn && tensors.contains { $0.node != nil }
    if isRecorded || tensors.contains(where: { $0.count == 0 }) || x.rank != 4 || weight.rank != 4 {
        return composedConvolution2D(
            x.cast(to: .float32), prologue, weight, bias,
            residual: residual?.cast(to: .float32), ConvolutionGeometry(padding: padding))
    }
    let geometry = ConvolutionGeometry(padding: padding)
    var shape = x.shape
    if case .upsampledNearest2x = prologue {
        shape = [shape[0], shape[1], 2 * shape[2], 2 * shape[3]]
    }
    requireShapes(
        x.shape[1] == weight.shape[1]
            && prologue.fits(x.shape)
            && (bias.map { $0.shape == [weight.shape[0]] } ?? true)
            && (residual.map {
                $0.shape == geometry.outputShape(input: shape, weight: weight.shape)
            } ?? true),
        "fusedConvolution2D", [x.shape, weight.shape, bias?.shape ?? [], residual?.shape ?? []])
    // Where maps may have channels last, the device knows how they lie.
    let isPlanar = x.device.operandType == .float32
    func map(_ x: Tensor) -> Tensor { isPlanar ? x.detached().contiguous() : x.detached() }
    return x.device.fusedConvolution2D(
        map(x), prologue.detached, weight.detached().contiguous(),
        bias?.detached().contiguous(), residual: residual.map(map), geometry,
        as: result.dtype(on: x.device))
}

/// The operators one by one.
func composedConvolution2D(
    _ x: Tensor, _ prologue: ConvolutionPrologue, _ weight: Tensor, _ bias: Tensor?,
    residual: Tensor?, _ geometry: ConvolutionGeometry
) -> Tensor {
    let y = convolution2D(
        prologue(x), weight: weight, bias: bias, stride: geometry.stride,
        padding: geometry.padding, groups: geometry.groups)
    return residual.map { $0 + y } ?? y
}

extension NetworkKernels {
    /// Devices without a kernel for it run the operators one by one.
    public func fusedConvolution2D(
        _ x: Tensor, _ prologue: ConvolutionPrologue, _ weight: Tensor, _ bias: Tensor?,
        residual: Tensor?, _ geometry: ConvolutionGeometry
    ) -> Tensor {
        composedConvolution2D(x, prologue, weight, bias, residual: residual, geometry)
    }

    /// Devices without such results give float32.
    public func fusedConvolution2D(
        _ x: Tensor, _ prologue: ConvolutionPrologue, _ weight: Tensor, _ bias: Tensor?,
        residual: Tensor?, _ geometry: ConvolutionGeometry, as dtype: DType
    ) -> Tensor {
        fusedConvolution2D(x, prologue, weight, bias, residual: residual, geometry)
    }
}
