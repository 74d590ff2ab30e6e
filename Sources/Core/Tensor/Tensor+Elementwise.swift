// Elementwise arithmetic with NumPy broadcasting. SPDX-License-Identifier: Apache-2.0

/// An elementwise function of one float operand.
public enum UnaryOperation: Sendable, Equatable {
    case negate, exp, log, sqrt, reciprocal, square, abs, relu, sigmoid, tanh
    /// x·σ(x).
    case silu
    /// 0.5x(1 + tanh(√(2/π)(x + 0.044715x³))).
    case geluTanh
    case addScalar(Float)
    case multiplyScalar(Float)
    /// Held within [low, high]; the gradient is 0 outside.
    case clamp(low: Float, high: Float)
}

/// An elementwise function of two float operands.
public enum BinaryOperation: Sendable, Equatable {
    case add, subtract, multiply, divide, maximum, minimum
    /// 1 where the comparison holds, 0 elsewhere.
    case greater, greaterOrEqual
}

extension Tensor {
    private func unary(_ operation: UnaryOperation) -> Tensor {
        let x = contiguous()
        let y = device.unary(operation, x.detached())
        return recorded(y, inputs: [x]) { dy in
            [
                .init(
                    dy.device.unaryGradient(
                        operation, x: x.detached(), y: y, dy: dy.contiguous()))
            ]
        }
    }

    /// e^x.
    public func exp() -> Tensor { unary(.exp) }
    /// Natural logarithm.
    public func log() -> Tensor { unary(.log) }
    /// Square root.
    public func sqrt() -> Tensor { unary(.sqrt) }
    /// 1/x.
    public func reciprocal() -> Tensor { unary(.reciprocal) }
    /// x².
    public func square() -> Tensor { unary(.square) }
    /// |x|; gradient 0 at 0.
    public func abs() -> Tensor { unary(.abs) }
    /// max(x, 0); gradient 0 at 0.
    public func relu() -> Tensor { unary(.relu) }
    /// 1/(1 + e^−x).
    public func sigmoid() -> Tensor { unary(.sigmoid) }
    /// Hyperbolic tangent.
    public func tanh() -> Tensor { unary(.tanh) }
    /// x·σ(x).
    public func silu() -> Tensor { unary(.silu) }
    /// GELU in its tanh form.
    public func geluTanh() -> Tensor { unary(.geluTanh) }
    /// Held within [low, high].
    public func clamped(_ low: Float, _ high: Float) -> Tensor {
        unary(.clamp(low: low, high: high))
    }

    public static prefix func - (x: Tensor) -> Tensor { x.unary(.negate) }
    public static func + (x: Tensor, c: Float) -> Tensor { x.unary(.addScalar(c)) }
    public static func + (c: Float, x: Tensor) -> Tensor { x.unary(.addScalar(c)) }
    public static func - (x: Tensor, c: Float) -> Tensor { x.unary(.addScalar(-c)) }
    public static func - (c: Float, x: Tensor) -> Tensor { x.unary(.negate).unary(.addScalar(c)) }
    public static func * (x: Tensor, c: Float) -> Tensor { x.unary(.multiplyScalar(c)) }
    public static func * (c: Float, x: Tensor) -> Tensor { x.unary(.multiplyScalar(c)) }
    public static func / (x: Tensor, c: Float) -> Tensor { x.unary(.multiplyScalar(1 / c)) }

    private static func binary(_ operation: BinaryOperation, _ a: Tensor, _ b: Tensor) -> Tensor {
        a.device.binary(operation, a.detached(), b.detached())
    }

    /// Elementwise sum.
    public static func + (a: Tensor, b: Tensor) -> Tensor {
        let (sa, sb) = (a.shape, b.shape)
        return recorded(binary(.add, a, b), inputs: [a, b]) {
            [.init($0.summed(to: sa)), .init($0.summed(to: sb))]
        }
    }

    /// Elementwise difference.
    public static func - (a: Tensor, b: Tensor) -> Tensor {
        let (sa, sb) = (a.shape, b.shape)
        return recorded(binary(.subtract, a, b), inputs: [a, b]) {
            [.init($0.summed(to: sa)), needsGradient(b) ? .init((-$0).summed(to: sb)) : nil]
        }
    }

    /// Elementwise product.
    public static func * (a: Tensor, b: Tensor) -> Tensor {
        recorded(binary(.multiply, a, b), inputs: [a, b]) { dy in
            [
                needsGradient(a) ? .init((dy * b.detached()).summed(to: a.shape)) : nil,
                needsGradient(b) ? .init((dy * a.detached()).summed(to: b.shape)) : nil,
            ]
        }
    }

    /// Elementwise quotient.
    public static func / (a: Tensor, b: Tensor) -> Tensor {
        let y = binary(.divide, a, b)
        return recorded(y, inputs: [a, b]) { dy in
            let da = dy / b.detached()
            return [
                needsGradient(a) ? .init(da.summed(to: a.shape)) : nil,
                needsGradient(b) ? .init((-(da * y)).summed(to: b.shape)) : nil,
            ]
        }
    }

    /// The larger of two values; where equal, the gradient goes to the first.
    public static func maximum(_ a: Tensor, _ b: Tensor) -> Tensor {
        choice(.maximum, a, b)
    }

    /// The smaller of two values; where equal, the gradient goes to the first.
    public static func minimum(_ a: Tensor, _ b: Tensor) -> Tensor {
        choice(.minimum, a, b)
    }

    private static func choice(_ operation: BinaryOperation, _ a: Tensor, _ b: Tensor) -> Tensor {
        recorded(binary(operation, a, b), inputs: [a, b]) { dy in
            let first =
                operation == .maximum
                ? binary(.greaterOrEqual, a, b) : binary(.greaterOrEqual, b, a)
            return [
                .init((dy * first).summed(to: a.shape)),
                .init((dy * (1 - first)).summed(to: b.shape)),
            ]
        }
    }

    /// 1 where `self > other`, else 0; not differentiable.
    public func greater(than other: Tensor) -> Tensor { Tensor.binary(.greater, self, other) }
}
