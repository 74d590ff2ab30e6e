// Two-dimensional convolution. SPDX-License-Identifier: Apache-2.0

/// Zeros added around a picture, in pixels.
public struct Padding2D: Sendable, Equatable {
    public var top: Int
    public var bottom: Int
    public var left: Int
    public var right: Int

    /// Creates a padding of four sides.
    public init(top: Int = 0, bottom: Int = 0, left: Int = 0, right: Int = 0) {
        self.top = top
        self.bottom = bottom
        self.left = left
        self.right = right
    }

    /// Nothing added.
    public static let none = Padding2D()

    /// The same on all sides: `.same(1)` keeps the size under a 3×3 kernel.
    public static func same(_ pixels: Int) -> Padding2D {
        Padding2D(top: pixels, bottom: pixels, left: pixels, right: pixels)
    }
}

/// Stride, padding and groups of a convolution.
public struct ConvolutionGeometry: Sendable, Equatable {
    /// Pixels from one output to the next, both directions.
    public var stride: Int
    /// Zeros around the input.
    public var padding: Padding2D
    /// Channels are cut into this many groups that don't see each other.
    public var groups: Int

    /// Creates a geometry.
    public init(stride: Int = 1, padding: Padding2D = .none, groups: Int = 1) {
        self.stride = stride
        self.padding = padding
        self.groups = groups
    }

    /// [B, O, (H + top + bottom − kh)/stride + 1, …].
    package func outputShape(input: [Int], weight: [Int]) -> [Int] {
        func size(_ extent: Int, _ kernel: Int) -> Int {
            extent < kernel ? 0 : (extent - kernel) / stride + 1
        }
        return [
            input[0], weight[0],
            size(input[2] + padding.top + padding.bottom, weight[2]),
            size(input[3] + padding.left + padding.right, weight[3]),
        ]
    }
}

/// Cross-correlation with zero padding, as networks call convolution:
///
///     y[b, o, i, j] = bias[o] + Σ_{c,u,v} weight[o, c, u, v] · x[b, c, i·stride + u − top, j·stride + v − left]
///
/// - Parameters:
///   - x: [B, C, H, W].
///   - weight: [O, C/groups, kh, kw].
///   - bias: [O].
///   - stride: pixels between outputs, both directions.
///   - padding: zeros around x; sides may differ.
///   - groups: divides C and O.
/// - Returns: [B, O, H′, W′] with H′ = (H + top + bottom − kh)/stride + 1.
/// - Complexity: 2·B·O·H′·W′·(C/groups)·kh·kw FLOP.
///
/// Numerics: f32 sums in a fixed order; an image's result does not depend on the rest of the batch.
public func convolution2D(
    _ x: Tensor, weight: Tensor, bias: Tensor? = nil, stride: Int = 1, padding: Padding2D = .none,
    groups: Int = 1
) -> Tensor {
    requireShapes(
        x.rank == 4 && weight.rank == 4 && groups > 0 && stride > 0
            && x.shape[1] == weight.shape[1] * groups && weight.shape[0] % groups == 0
            && weight.shape[2] > 0 && weight.shape[3] > 0
            && (bias.map { $0.shape == [weight.shape[0]] } ?? true),
        "convolution2D", [x.shape, weight.shape, bias?.shape ?? [], [groups, stride]])
    let geometry = ConvolutionGeometry(stride: stride, padding: padding, groups: groups)
    let (x, weight, bias) = (x.contiguous(), weight.contiguous(), bias?.contiguous())
    let outputShape = geometry.outputShape(input: x.shape, weight: weight.shape)
    let isEmpty = outputShape.contains(0) || x.count == 0
    let y =
        isEmpty
        ? emptyConvolution(outputShape, bias, x.device)
        : x.device.convolution2D(x.detached(), weight.detached(), bias?.detached(), geometry)
    return recorded(y, inputs: [x, weight] + (bias.map { [$0] } ?? [])) { dy in
        let device = dy.device
        let dy = dy.contiguous()
        func gradient(_ input: Tensor, _ compute: () -> Tensor) -> Gradient? {
            guard needsGradient(input) else { return nil }
            return .init(isEmpty ? .zeros(input.shape, device: device) : compute())
        }
        var gradients = [
            gradient(x) {
                device.convolution2DInputGradient(
                    dy, weight.detached(), shape: x.shape, geometry)
            },
            gradient(weight) {
                device.convolution2DWeightGradient(
                    dy, x.detached(), shape: weight.shape, geometry)
            },
        ]
        if let bias {
            gradients.append(
                needsGradient(bias)
                    ? .init(
                        dy.count == 0
                            ? .zeros(bias.shape, device: device) : device.channelSums(dy))
                    : nil)
        }
        return gradients
    }
}

/// No pixel out, or no channel in: zeros and the bias.
private func emptyConvolution(_ shape: [Int], _ bias: Tensor?, _ device: any Device) -> Tensor {
    let zeros = Tensor.zeros(shape, device: device)
    guard let bias, zeros.count > 0 else { return zeros }
    return zeros + bias.detached().reshaped([1, shape[1], 1, 1])
}
