// A strict sixel decoder, written from the format alone, to check our encoders against.
// SPDX-License-Identifier: Apache-2.0
import Core

/// A decoded picture and what its stream looked like.
public struct DecodedSixel {
    public var image: RGBImage
    /// Colours defined, and colours painted with.
    public var defined: Set<Int> = []
    public var used: Set<Int> = []
    public var bands = 0
    /// Pixels that no colour was given to.
    public var unset = 0
    public var longestRun = 0
}

public enum SixelFault: Error, Equatable {
    case header, raster, byte(UInt8, at: Int), undefinedColor(Int), outside(x: Int, band: Int), end
}

/// Decodes a whole sequence, from `ESC P` to `ESC \\`.
public func decodeSixel(_ bytes: [UInt8]) throws -> DecodedSixel {
    let start = Array("\u{1B}P0;1;0q\"".utf8)
    guard bytes.starts(with: start) else { throw SixelFault.header }
    guard bytes.suffix(2) == [0x1B, 0x5C] else { throw SixelFault.end }
    let end = bytes.count - 2
    var i = start.count

    func number() -> Int? {
        var value: Int?
        while i < end, bytes[i] >= 48, bytes[i] <= 57 {
            value = (value ?? 0) * 10 + Int(bytes[i] - 48)
            i += 1
        }
        return value
    }
    func numbers() -> [Int] {
        var result: [Int] = []
        while let value = number() {
            result.append(value)
            if i < end, bytes[i] == UInt8(ascii: ";") { i += 1 } else { break }
        }
        return result
    }

    let raster = numbers()
    guard raster.count == 4, raster[0] == 1, raster[1] == 1, raster[2] > 0, raster[3] > 0 else {
        throw SixelFault.raster
    }
    let (width, height) = (raster[2], raster[3])
    var colors: [Int: (UInt8, UInt8, UInt8)] = [:]
    var result = DecodedSixel(image: RGBImage(width: width, height: height))
    var isSet = [Bool](repeating: false, count: width * height)
    var color = -1
    var (x, band) = (0, 0)

    func paint(_ byte: UInt8, _ count: Int) throws {
        let mask = byte - 63
        result.longestRun = max(result.longestRun, count)
        if mask != 0 {
            guard let rgb = colors[color] else { throw SixelFault.undefinedColor(color) }
            result.used.insert(color)
            for column in x..<(x + count) {
                for k in 0..<6 where mask >> UInt8(k) & 1 == 1 {
                    let y = band * 6 + k
                    guard column < width, y < height else {
                        throw SixelFault.outside(x: column, band: band)
                    }
                    result.image[column, y] = (red: rgb.0, green: rgb.1, blue: rgb.2)
                    isSet[y * width + column] = true
                }
            }
        }
        x += count
        guard x <= width else { throw SixelFault.outside(x: x, band: band) }
    }

    while i < end {
        let byte = bytes[i]
        i += 1
        switch byte {
        case UInt8(ascii: "#"):
            let p = numbers()
            if p.count == 5 {
                let rgb = p[2...].map { UInt8(($0 * 255 + 50) / 100) }
                colors[p[0]] = (rgb[0], rgb[1], rgb[2])
                result.defined.insert(p[0])
            } else if p.count == 1 {
                color = p[0]
            } else {
                throw SixelFault.byte(byte, at: i - 1)
            }
        case UInt8(ascii: "!"):
            guard let count = number(), count > 0, i < end, bytes[i] >= 63, bytes[i] <= 126 else {
                throw SixelFault.byte(byte, at: i - 1)
            }
            try paint(bytes[i], count)
            i += 1
        case UInt8(ascii: "$"): x = 0
        case UInt8(ascii: "-"):
            x = 0
            band += 1
        case 63...126: try paint(byte, 1)
        default: throw SixelFault.byte(byte, at: i - 1)
        }
    }
    result.bands = band + 1
    result.unset = isSet.lazy.filter { !$0 }.count
    return result
}
