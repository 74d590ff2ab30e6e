// How a camera says that it was held.
// SPDX-License-Identifier: Apache-2.0

/// The orientation of a JPEG picture: values 1 to 8 of EXIF tag 0x0112.
enum EXIFOrientation {
    /// The value in the first EXIF segment; 1 (upright) when there is none or it is damaged.
    ///
    /// Source: CIPA DC-008 (EXIF 2.3), section 4.6.4.
    static func find(in bytes: UnsafeRawBufferPointer) -> Int {
        var reader = ByteReader(bytes, path: "", subject: "EXIF", offset: 2)
        do {
            while true {
                let marker = try reader.big(UInt16.self)
                guard marker >> 8 == 0xFF, marker != 0xFFDA else { return 1 }
                let length = Int(try reader.big(UInt16.self))
                let segment = try reader.take(length - 2)
                if marker == 0xFFE1, segment.starts(with: Array("Exif\0\0".utf8)) {
                    return try value(UnsafeRawBufferPointer(rebasing: segment.dropFirst(6)))
                }
            }
        } catch { return 1 }
    }

    private static func value(_ tiff: UnsafeRawBufferPointer) throws(FileFormatError) -> Int {
        var reader = ByteReader(tiff, path: "", subject: "EXIF")
        let isLittle = try reader.little(UInt16.self) == 0x4949
        func short(_ reader: inout ByteReader) throws(FileFormatError) -> Int {
            Int(isLittle ? try reader.little(UInt16.self) : try reader.big(UInt16.self))
        }
        try reader.skip(2)
        let start = isLittle ? try reader.little(UInt32.self) : try reader.big(UInt32.self)
        try reader.seek(Int(start))
        for _ in 0..<(try short(&reader)) {
            let tag = try short(&reader)
            try reader.skip(6)
            let value = try short(&reader)
            try reader.skip(2)
            if tag == 0x0112 { return 1...8 ~= value ? value : 1 }
        }
        return 1
    }
}

extension RGBImage {
    /// The picture turned and mirrored so that it is upright.
    func oriented(_ orientation: Int) -> RGBImage {
        guard 2...8 ~= orientation else { return self }
        let swaps = orientation >= 5
        var result = RGBImage(width: swaps ? height : width, height: swaps ? width : height)
        for y in 0..<result.height {
            for x in 0..<result.width {
                let (sx, sy): (Int, Int) =
                    switch orientation {
                    case 2: (width - 1 - x, y)
                    case 3: (width - 1 - x, height - 1 - y)
                    case 4: (x, height - 1 - y)
                    case 5: (y, x)
                    case 6: (y, height - 1 - x)
                    case 7: (width - 1 - y, height - 1 - x)
                    default: (width - 1 - y, x)
                    }
                result[x, y] = self[sx, sy]
            }
        }
        return result
    }
}
