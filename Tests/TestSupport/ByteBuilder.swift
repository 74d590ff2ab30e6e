// Writing file formats by hand. SPDX-License-Identifier: Apache-2.0

/// Bytes put together from numbers and text.
public struct ByteBuilder {
    public var bytes: [UInt8] = []

    public init() {}

    public mutating func add(_ bytes: some Sequence<UInt8>) { self.bytes += bytes }
    public mutating func add(_ text: String) { bytes += text.utf8 }

    public mutating func little(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
    }
}

/// Elements as little-endian bytes.
public func littleEndianBytes(_ values: [Float]) -> [UInt8] {
    values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } }
}
