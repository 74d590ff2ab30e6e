// Plans of matrix products by cuBLASLt. SPDX-License-Identifier: Apache-2.0
import CCUDA

/// The library's handle, its workspace and one plan per shape; used under the device's lock.
final class CUDAProducts {
    private let handle: UnsafeMutableRawPointer
    private var plans: [CUDAProductShape: UnsafeMutableRawPointer] = [:]
    private var support: [CUDAProductShape: Bool] = [:]
    private var workspace: UInt64 = 0
    /// What NVIDIA recommends for Hopper.
    private static let workspaceSize = 32 << 20

    init() throws(CUDAError) {
        var made: UnsafeMutableRawPointer?
        let status = ccuda_blas_create(&made)
        guard status == 0, let made else {
            throw .failed(operation: "start cuBLASLt", reason: "status \(status)")
        }
        handle = made
    }

    deinit {
        for plan in plans.values { ccuda_plan_destroy(plan) }
        _ = ccuda_blas_destroy(handle)
    }

    /// D = op(A)·op(B) with the shape's epilogue, column-major.
    func run(
        _ shape: CUDAProductShape, a: UInt64, b: UInt64, bias: UInt64, input: UInt64, d: UInt64,
        stream: UnsafeMutableRawPointer
    ) throws(CUDAError) {
        if workspace == 0 {
            try CUDAError.check(
                ccuda_allocate(&workspace, Self.workspaceSize), "allocate a workspace")
        }
        let status = ccuda_plan_run(
            handle, try plan(shape), 1, a, b, 0, bias, input, d, workspace, Self.workspaceSize,
            stream)
        guard status == 0 else {
            throw .failed(operation: "multiply \(shape)", reason: "cuBLASLt status \(status)")
        }
    }

    /// Whether the library has a kernel for it; plans it if so.
    func supports(_ shape: CUDAProductShape) -> Bool {
        if let known = support[shape] { return known }
        var isSupported = true
        do { _ = try plan(shape) } catch { isSupported = false }
        support[shape] = isSupported
        return isSupported
    }

    private func plan(_ shape: CUDAProductShape) throws(CUDAError) -> UnsafeMutableRawPointer {
        if let found = plans[shape] { return found }
        var plan: UnsafeMutableRawPointer?
        var product = shape.description
        let status = ccuda_plan_create(handle, &product, Self.workspaceSize, &plan)
        guard status == 0, let plan else {
            throw .failed(operation: "plan product \(shape)", reason: "cuBLASLt status \(status)")
        }
        plans[shape] = plan
        return plan
    }
}

/// What is done to the sums of a product before they are written.
enum CUDAEpilogue: Hashable {
    case plain, bias, biasGELU
    /// Also writes what GELU is applied to.
    case biasGELUInput

    var code: ccuda_epilogue {
        switch self {
        case .plain: CCUDA_PLAIN
        case .bias: CCUDA_BIAS
        case .biasGELU: CCUDA_BIAS_GELU
        case .biasGELUInput: CCUDA_BIAS_GELU_INPUT
        }
    }
}

/// Everything that a plan depends on.
struct CUDAProductShape: Hashable {
    var transposeA = false
    var transposeB = false
    var isBFloat16 = false
    var hasNarrowResult = false
    var epilogue = CUDAEpilogue.plain
    var batch = 1
    var m: Int
    var n: Int
    var k: Int
    var leadingA: Int
    var leadingB: Int
    var leadingD: Int
    var strideA = 0
    var strideB = 0
    var strideD = 0
    /// Bytes that all addresses are whole multiples of, at most 16.
    var alignment = 16

    /// Multiplications and additions.
    var operations: Double { 2 * Double(m) * Double(n) * Double(k) * Double(batch) }

    /// For the profile: which product.
    var summary: String {
        "product \(m)×\(n)×\(k)" + (batch > 1 ? " ×\(batch)" : "")
            + " \(transposeA ? "T" : "N")\(transposeB ? "T" : "N")"
            + (isBFloat16 ? "" : " f32") + (hasNarrowResult ? " → bf16" : "")
            + (epilogue == .plain ? "" : " \(epilogue)")
    }

    static func alignment(_ addresses: [UInt64]) -> Int {
        let low = addresses.reduce(0, |)
        return [16, 8, 4].first { low % UInt64($0) == 0 } ?? 2
    }

    var description: ccuda_product {
        ccuda_product(
            transpose_a: transposeA ? 1 : 0, transpose_b: transposeB ? 1 : 0,
            type_ab: Int32((isBFloat16 ? CCUDA_BF16 : CCUDA_F32).rawValue),
            type_d: Int32((hasNarrowResult ? CCUDA_BF16 : CCUDA_F32).rawValue),
            epilogue: Int32(epilogue.code.rawValue), batch: Int32(batch),
            m: Int64(m), n: Int64(n), k: Int64(k), lda: Int64(leadingA), ldb: Int64(leadingB),
            ldd: Int64(leadingD), stride_a: Int64(strideA), stride_b: Int64(strideB),
            stride_d: Int64(strideD), alignment: Int32(alignment))
    }
}
