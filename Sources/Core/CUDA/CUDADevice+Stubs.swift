// Not there yet. SPDX-License-Identifier: Apache-2.0

extension CUDADevice {
    public func copy(_ source: Tensor, into destination: Tensor) { preconditionFailure("copy") }
    public func add(_ source: Tensor, into destination: Tensor) { preconditionFailure("add") }
    public func cast(_ tensor: Tensor, to dtype: DType) -> Tensor { preconditionFailure("cast") }
    public func unary(_ operation: UnaryOperation, _ x: Tensor) -> Tensor {
        preconditionFailure("unary")
    }
    public func unaryGradient(
        _ operation: UnaryOperation, x: Tensor, y: Tensor, dy: Tensor
    ) -> Tensor { preconditionFailure("unaryGradient") }
    public func binary(_ operation: BinaryOperation, _ a: Tensor, _ b: Tensor) -> Tensor {
        preconditionFailure("binary")
    }
    public func sum(_ x: Tensor, outer: Int, length: Int, inner: Int, scale: Float) -> Tensor {
        preconditionFailure("sum")
    }
    public func maximum(_ x: Tensor, axis: Int) -> (values: Tensor, indices: Tensor) {
        preconditionFailure("maximum")
    }
    public func scatterAlong(
        _ axis: Int, _ values: Tensor, at indices: Tensor, shape: [Int]
    ) -> Tensor { preconditionFailure("scatterAlong") }
    public func sumOfSquares(_ x: Tensor) -> Double { preconditionFailure("sumOfSquares") }
    public func matmul(_ a: Tensor, _ b: Tensor) -> Tensor { preconditionFailure("matmul") }
    public func linear(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?) -> Tensor {
        preconditionFailure("linear")
    }
    public func adamW(
        weight: Tensor, gradient: Tensor, moment1: Tensor, moment2: Tensor,
        settings: AdamWSettings
    ) { preconditionFailure("adamW") }
    public func movingAverage(_ average: Tensor, toward value: Tensor, decay: Float) {
        preconditionFailure("movingAverage")
    }
    /// A float32 tensor's elements in bfloat16, with the same strides; kept beside its storage until
    /// that is written to.
    func bfloat16(_ x: Tensor) -> Tensor { preconditionFailure("bfloat16") }
}
