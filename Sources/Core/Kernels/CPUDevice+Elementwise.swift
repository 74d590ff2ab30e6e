// Elementwise kernels and conversions on the CPU. SPDX-License-Identifier: Apache-2.0
import CKernels

extension UnaryOperation {
    fileprivate var code: (ck_unary, Float, Float) {
        switch self {
        case .negate: (CK_NEGATE, 0, 0)
        case .exp: (CK_EXP, 0, 0)
        case .log: (CK_LOG, 0, 0)
        case .sqrt: (CK_SQRT, 0, 0)
        case .reciprocal: (CK_RECIPROCAL, 0, 0)
        case .square: (CK_SQUARE, 0, 0)
        case .abs: (CK_ABS, 0, 0)
        case .relu: (CK_RELU, 0, 0)
        case .sigmoid: (CK_SIGMOID, 0, 0)
        case .tanh: (CK_TANH, 0, 0)
        case .silu: (CK_SILU, 0, 0)
        case .geluTanh: (CK_GELU_TANH, 0, 0)
        case .addScalar(let c): (CK_ADD_SCALAR, c, 0)
        case .multiplyScalar(let c): (CK_MULTIPLY_SCALAR, c, 0)
        case .clamp(let low, let high): (CK_CLAMP, low, high)
        }
    }
}

extension BinaryOperation {
    fileprivate var code: ck_binary {
        switch self {
        case .add: CK_ADD
        case .subtract: CK_SUBTRACT
        case .multiply: CK_MULTIPLY
        case .divide: CK_DIVIDE
        case .maximum: CK_MAXIMUM
        case .minimum: CK_MINIMUM
        case .greater: CK_GREATER
        case .greaterOrEqual: CK_GREATER_EQUAL
        }
    }
}

extension CPUDevice {
    public func unary(_ operation: UnaryOperation, _ x: Tensor) -> Tensor {
        let y = Tensor.empty(x.shape, device: self)
        let (code, p, q) = operation.code
        withExtendedLifetime(x.storage) {
            ck_unary_f32(pool, code, x.floatAddress, y.floatAddress, x.count, p, q)
        }
        return y
    }

    public func unaryGradient(
        _ operation: UnaryOperation, x: Tensor, y: Tensor, dy: Tensor
    ) -> Tensor {
        let dx = Tensor.empty(x.shape, device: self)
        let (code, p, q) = operation.code
        withExtendedLifetime((x.storage, y.storage, dy.storage)) {
            ck_unary_backward_f32(
                pool, code, x.floatAddress, y.floatAddress, dy.floatAddress, dx.floatAddress,
                x.count, p, q)
        }
        return dx
    }

    public func binary(_ operation: BinaryOperation, _ a: Tensor, _ b: Tensor) -> Tensor {
        let shape = Shape.broadcast(a.shape, b.shape, operation: "\(operation)")
        let result = Tensor.empty(shape, device: self)
        let (dims, strides) = Shape.collapse(
            shape,
            [
                Shape.broadcastStrides(a, to: shape), Shape.broadcastStrides(b, to: shape),
                result.strides,
            ])
        withExtendedLifetime((a.storage, b.storage)) {
            ck_binary_f32(
                pool, operation.code, Int32(dims.count), dims, a.floatAddress, strides[0],
                b.floatAddress, strides[1], result.floatAddress)
        }
        return result
    }

    public func cast(_ tensor: Tensor, to dtype: DType) -> Tensor {
        let n = tensor.count
        let result = Tensor.empty(tensor.shape, dtype: dtype, device: self)
        withExtendedLifetime(tensor.storage) {
            switch (tensor.dtype, dtype) {
            case (.float16, .float32):
                ck_f16_to_f32(
                    pool, tensor.address.assumingMemoryBound(to: UInt16.self),
                    result.floatAddress, n)
            case (.bfloat16, .float32):
                ck_bf16_to_f32(
                    pool, tensor.address.assumingMemoryBound(to: UInt16.self),
                    result.floatAddress, n)
            case (.float32, .float16):
                ck_f32_to_f16(
                    pool, tensor.floatAddress, result.address.assumingMemoryBound(to: UInt16.self),
                    n)
            case (.float32, .bfloat16):
                ck_f32_to_bf16(
                    pool, tensor.floatAddress, result.address.assumingMemoryBound(to: UInt16.self),
                    n)
            case (.float16, .bfloat16), (.bfloat16, .float16):
                copy(cast(cast(tensor, to: .float32), to: dtype), into: result)
            case (.float16, _), (.bfloat16, _):
                copy(cast(cast(tensor, to: .float32), to: dtype), into: result)
            case (_, .float16), (_, .bfloat16):
                copy(cast(cast(tensor, to: .float32), to: dtype), into: result)
            default:
                convert(tensor, into: result)
            }
        }
        return result
    }

    private func convert(_ source: Tensor, into result: Tensor) {
        func write<S: BinaryInteger, D: FixedWidthInteger>(_: S.Type, _: D.Type) {
            let from = source.address.assumingMemoryBound(to: S.self)
            let to = result.address.assumingMemoryBound(to: D.self)
            for i in 0..<source.count { to[i] = D(truncatingIfNeeded: from[i]) }
        }
        func writeFloats<S: BinaryInteger>(_: S.Type) {
            let from = source.address.assumingMemoryBound(to: S.self)
            for i in 0..<source.count { result.floatAddress[i] = Float(from[i]) }
        }
        func truncate<D: FixedWidthInteger>(_: D.Type) {
            let to = result.address.assumingMemoryBound(to: D.self)
            for i in 0..<source.count {
                to[i] = D(exactly: source.floatAddress[i].rounded(.towardZero)) ?? 0
            }
        }
        switch (source.dtype, result.dtype) {
        case (.int32, .float32): writeFloats(Int32.self)
        case (.int64, .float32): writeFloats(Int64.self)
        case (.uint8, .float32): writeFloats(UInt8.self)
        case (.float32, .int32): truncate(Int32.self)
        case (.float32, .int64): truncate(Int64.self)
        case (.float32, .uint8): truncate(UInt8.self)
        case (.int32, .int64): write(Int32.self, Int64.self)
        case (.int32, .uint8): write(Int32.self, UInt8.self)
        case (.int64, .int32): write(Int64.self, Int32.self)
        case (.int64, .uint8): write(Int64.self, UInt8.self)
        case (.uint8, .int32): write(UInt8.self, Int32.self)
        case (.uint8, .int64): write(UInt8.self, Int64.self)
        default: copy(source, into: result)
        }
    }
}
