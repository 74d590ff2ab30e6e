// Lists of points in space as text: plain, or with an element before each as chemists write them.
// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Points of an `.xyz` file.
///
/// With a count in the first line, as chemists write them: a title, then so many lines, of which the
/// first set alone is read. Without one: lines of three numbers, others being passed over. Columns
/// after an element and its coordinates (charges, forces) are passed over too.
public struct XYZFile: Sendable, Equatable {
    public var positions: [SIMD3<Double>]
    /// The word before the numbers of each point, `C`, `H`; nil unless every point has one.
    public var elements: [String]?

    /// - Throws: ``FileFormatError``.
    public init(text: String, path: String) throws(FileFormatError) {
        positions = []
        var names: [String] = []
        var lines = text.split(
            omittingEmptySubsequences: false, whereSeparator: \.isNewline)[...]
        let start = lines.first?.split(whereSeparator: \.isWhitespace) ?? []
        let count = start.count == 1 ? Int(start[0]) : nil
        if let count {
            lines = lines.dropFirst(2).prefix(max(0, count))
            guard count > 0, lines.count == count else {
                throw .malformed(
                    path: path, offset: nil,
                    reason: "\(count) points are announced, but \(lines.count) lines are there")
            }
        }
        for line in lines {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard let first = words.first, first.first != "#" else { continue }
            let isNamed = first.first?.isLetter == true && Double(first) == nil
            let numbers = isNamed ? words.dropFirst().prefix(3) : words.suffix(3)
            let values = numbers.compactMap { Double($0) }
            guard numbers.count == 3, values.count == 3 else {
                guard count == nil else {
                    throw .malformed(
                        path: path, offset: nil,
                        reason: "\"\(line)\" is no point: an element and three numbers")
                }
                continue
            }
            positions.append(SIMD3(values[0], values[1], values[2]))
            if isNamed { names.append(String(first)) }
        }
        guard !positions.isEmpty else {
            throw .notRecognised(path: path, expected: "lines of three numbers")
        }
        elements = names.count == positions.count ? names : nil
        try Self.checkRange(of: positions, path: path)
    }

    /// The largest coordinate that is taken, either sign: beyond it the squares of distances leave
    /// the range of the networks' 32-bit numbers.
    public static let largestCoordinate = 1e12

    /// - Throws: ``FileFormatError`` where a coordinate is not a number or out of all proportion.
    static func checkRange(of points: [SIMD3<Double>], path: String) throws(FileFormatError) {
        for (index, p) in points.enumerated() {
            guard p.x.isFinite && p.y.isFinite && p.z.isFinite else {
                throw .malformed(
                    path: path, offset: nil,
                    reason: "a coordinate of point \(index + 1) is not a finite number")
            }
            guard max(abs(p.x), abs(p.y), abs(p.z)) <= largestCoordinate else {
                throw .malformed(
                    path: path, offset: nil,
                    reason: "a coordinate of point \(index + 1) is beyond ±1e12")
            }
        }
    }

    /// - Throws: ``FileFormatError``.
    public init(path: String) throws {
        let file = try MappedFile(filledPath: path)
        try self.init(text: String(decoding: file.bytes, as: UTF8.self), path: path)
    }
}
