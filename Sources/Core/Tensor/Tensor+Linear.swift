// Matrix products. SPDX-License-Identifier: Apache-2.0

/// The batched matrix product [..., M, K] × [..., K, N] → [..., M, N]; leading dimensions broadcast.
///
/// Transposed views cost nothing. Cost: 2·M·N·K FLOP per matrix.
public func matmul(_ a: Tensor, _ b: Tensor) -> Tensor {
    requireShapes(
        a.rank >= 2 && b.rank >= 2 && a.shape[a.rank - 1] == b.shape[b.rank - 2], "matmul",
        [a.shape, b.shape])
    let y = a.device.matmul(a.detached(), b.detached())
    return recorded(y, inputs: [a, b]) { dy in
        let (a0, b0) = (a.detached(), b.detached())
        return [
            needsGradient(a) ? .init(matmul(dy, b0.transposed()).summed(to: a.shape)) : nil,
            needsGradient(b) ? .init(matmul(a0.transposed(), dy).summed(to: b.shape)) : nil,
        ]
    }
}

/// In what a product is written.
public enum ResultType: Sendable {
    case float32
    /// As the device reads operands of products: for a value that only products read, so that
    /// nothing is rounded that would not be, and gradients of it are passed on in the same type.
    case operand

    func dtype(on device: any Device) -> DType {
        self == .operand ? device.operandType : .float32
    }
}

/// x·Wᵀ + b over the last dimension: x [..., K], weight [N, K], bias [N] → [..., N].
///
/// Cost: 2·rows·N·K FLOP.
public func linear(
    _ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, as result: ResultType = .float32
) -> Tensor {
    requireShapes(
        weight.rank == 2 && x.rank >= 1 && x.shape[x.rank - 1] == weight.shape[1]
            && (bias.map { $0.shape == [weight.shape[0]] } ?? true),
        "linear", [x.shape, weight.shape, bias?.shape ?? []])
    let flat = flattenedRows(x, width: weight.shape[1])
    let value = x.device.linear(
        flat.detached(), weight.detached(), bias?.detached(), as: result.dtype(on: x.device))
    let traced = [flat, weight] + (bias.map { [$0] } ?? [])
    let y = recorded(value, inputs: traced) { dy in
        let dy = dy.contiguous()
        var gradients: [Gradient?] = [
            needsGradient(flat)
                ? .init(
                    dy.device.matmul(
                        dy, weight.detached().cast(to: .float32), as: flat.dtype)) : nil,
            needsGradient(weight) ? .init(matmul(dy.transposed(), flat.detached())) : nil,
        ]
        if let bias {
            gradients.append(needsGradient(bias) ? .init(dy.device.biasGradient(dy)) : nil)
        }
        return gradients
    }
    return y.reshaped(Array(x.shape.dropLast()) + [weight.shape[0]])
}

/// A tensor as rows of its last dimension.
func flattenedRows(_ x: Tensor, width: Int) -> Tensor {
    x.reshaped([-1, width].map { x.count == 0 && $0 == -1 ? 0 : $0 })
}
