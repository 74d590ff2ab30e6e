// Element types of tensors. SPDX-License-Identifier: Apache-2.0

/// How a tensor's elements are stored. Arithmetic is always float32; the others are storage or indices.
public enum DType: String, Sendable, CaseIterable, Codable {
    case float32, float16, bfloat16, int32, int64, uint8

    /// Bytes of one element.
    public var byteCount: Int {
        switch self {
        case .float32, .int32: 4
        case .float16, .bfloat16: 2
        case .int64: 8
        case .uint8: 1
        }
    }

    /// Whether elements are floating-point numbers of any width.
    public var isFloatingPoint: Bool {
        switch self {
        case .float32, .float16, .bfloat16: true
        case .int32, .int64, .uint8: false
        }
    }

    /// The name in a safetensors header: F32, F16, BF16, I32, I64, U8.
    public var safetensorsName: String {
        switch self {
        case .float32: "F32"
        case .float16: "F16"
        case .bfloat16: "BF16"
        case .int32: "I32"
        case .int64: "I64"
        case .uint8: "U8"
        }
    }

    /// The type with a safetensors name; nil for types that are not read.
    public init?(safetensorsName: String) {
        guard let match = Self.allCases.first(where: { $0.safetensorsName == safetensorsName })
        else { return nil }
        self = match
    }
}
