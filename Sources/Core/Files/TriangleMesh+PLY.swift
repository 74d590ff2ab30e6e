// The PLY polygon format.
// SPDX-License-Identifier: Apache-2.0

extension TriangleMesh {
    private enum Encoding { case ascii, little, big }
    private struct Property {
        var name: String
        var size: Int
        var isFloat: Bool
        var isSigned: Bool
        /// Size of a list's count; nil for a scalar.
        var countSize: Int?
    }
    private struct Element {
        var name: String
        var count: Int
        var properties: [Property]
    }

    /// Reads a PLY: `vertex` with x, y, z; `face` with a list `vertex_indices` or `vertex_index`;
    /// other elements and properties are passed over.
    ///
    /// - Throws: ``FileFormatError``.
    public init(ply bytes: [UInt8], path: String) throws {
        self.init(vertices: [], triangles: [])
        func malformed(_ reason: String) -> FileFormatError {
            .malformed(path: path, offset: nil, reason: reason)
        }
        guard bytes.starts(with: Array("ply".utf8)) else {
            throw FileFormatError.notRecognised(path: path, expected: "a PLY mesh")
        }
        // The header is lines of text up to end_header.
        var position = 0
        var encoding = Encoding.ascii
        var elements: [Element] = []
        while true {
            guard let end = bytes[position...].firstIndex(of: 10) else {
                throw malformed("the header has no end_header")
            }
            let words = String(decoding: bytes[position..<end], as: UTF8.self)
                .split(whereSeparator: \.isWhitespace).map(String.init)
            position = end + 1
            guard let key = words.first else { continue }
            switch key {
            case "format":
                switch words.count > 1 ? words[1] : "" {
                case "ascii": encoding = .ascii
                case "binary_little_endian": encoding = .little
                case "binary_big_endian": encoding = .big
                default: throw malformed("an unknown format in the header")
                }
            case "element":
                guard words.count == 3, let count = Int(words[2]), count >= 0, count < 1 << 31
                else { throw malformed("an element without a count") }
                elements.append(Element(name: words[1], count: count, properties: []))
            case "property":
                guard !elements.isEmpty, let property = Self.property(words) else {
                    throw malformed("an unknown property \"\(words.joined(separator: " "))\"")
                }
                elements[elements.count - 1].properties.append(property)
            case "end_header": break
            default: continue
            }
            if key == "end_header" { break }
        }
        var reader = PLYReader(bytes: bytes, position: position, path: path)
        for element in elements {
            try read(element, encoding, &reader)
        }
        guard !vertices.isEmpty else { throw malformed("no vertices") }
    }

    private mutating func read(
        _ element: Element, _ encoding: Encoding, _ reader: inout PLYReader
    ) throws {
        for _ in 0..<element.count {
            var point = SIMD3<Double>.zero
            for property in element.properties {
                func value(_ size: Int, _ isFloat: Bool, _ isSigned: Bool) throws -> Double {
                    encoding == .ascii
                        ? try reader.word()
                        : try reader.number(
                            size, isFloat: isFloat, isSigned: isSigned, isBig: encoding == .big)
                }
                guard let countSize = property.countSize else {
                    let number = try value(property.size, property.isFloat, property.isSigned)
                    switch property.name {
                    case "x": point.x = number
                    case "y": point.y = number
                    case "z": point.z = number
                    default: break
                    }
                    continue
                }
                let count = try value(countSize, false, false)
                guard (0...65_535).contains(count) else {
                    throw reader.malformed("a list's length")
                }
                let list = try (0..<Int(count)).map { _ in
                    try value(property.size, property.isFloat, property.isSigned)
                }
                guard element.name == "face", property.name.hasPrefix("vertex_ind") else {
                    continue
                }
                guard list.allSatisfy({ $0 >= 0 && $0 < Double(vertices.count) }) else {
                    throw reader.malformed("a face names a vertex that is not there")
                }
                addFan(list.map { Int32($0) })
            }
            if element.name == "vertex" { vertices.append(point) }
        }
    }

    private static func property(_ words: [String]) -> Property? {
        func kind(_ name: String) -> (size: Int, isFloat: Bool, isSigned: Bool)? {
            switch name {
            case "char", "int8": (1, false, true)
            case "uchar", "uint8": (1, false, false)
            case "short", "int16": (2, false, true)
            case "ushort", "uint16": (2, false, false)
            case "int", "int32": (4, false, true)
            case "uint", "uint32": (4, false, false)
            case "float", "float32": (4, true, true)
            case "double", "float64": (8, true, true)
            default: nil
            }
        }
        if words.count == 5, words[1] == "list", let count = kind(words[2]),
            let item = kind(words[3])
        {
            return Property(
                name: words[4], size: item.size, isFloat: item.isFloat, isSigned: item.isSigned,
                countSize: count.size)
        }
        guard words.count == 3, let item = kind(words[1]) else { return nil }
        return Property(
            name: words[2], size: item.size, isFloat: item.isFloat, isSigned: item.isSigned)
    }
}

/// Numbers of a PLY's body.
private struct PLYReader {
    let bytes: [UInt8]
    var position: Int
    let path: String

    func malformed(_ reason: String) -> FileFormatError {
        .malformed(path: path, offset: position, reason: reason)
    }

    mutating func word() throws -> Double {
        while position < bytes.count, bytes[position] <= 32 { position += 1 }
        let start = position
        while position < bytes.count, bytes[position] > 32 { position += 1 }
        guard let value = Double(String(decoding: bytes[start..<position], as: UTF8.self)) else {
            throw malformed("a number is missing")
        }
        return value
    }

    mutating func number(
        _ size: Int, isFloat: Bool, isSigned: Bool, isBig: Bool
    ) throws -> Double {
        guard position + size <= bytes.count else {
            throw FileFormatError.truncated(
                path: path, what: "the mesh", needed: position + size, found: bytes.count)
        }
        var raw: UInt64 = 0
        for i in 0..<size {
            let byte = UInt64(bytes[position + (isBig ? i : size - 1 - i)])
            raw = raw << 8 | byte
        }
        position += size
        if isFloat {
            return size == 4
                ? Double(Float(bitPattern: UInt32(raw))) : Double(bitPattern: raw)
        }
        guard isSigned, raw >> UInt64(8 * size - 1) == 1 else { return Double(raw) }
        return Double(raw) - Double(UInt64(1) << UInt64(8 * size))
    }
}
