// The picture protocols of terminals. SPDX-License-Identifier: Apache-2.0
import Core

/// In which form pixels are sent to the terminal.
nonisolated public enum GraphicsFormat: String, Sendable, Hashable, CaseIterable {
    case sixel
    /// kitty's graphics protocol: pictures lie over the text until they are deleted by number.
    case kitty
    /// iTerm2's inline images, also in WezTerm: text written over them takes their place, as with sixel.
    case iterm2
}

/// PNG files inside escape sequences.
nonisolated enum InlinePicture {
    /// Characters of one piece of kitty's transmission.
    static let chunk = 4096

    /// A picture for so many cells, without a number: ``KittyPictures`` puts that in.
    static func kitty(_ image: RGBImage, cells: CellSize) -> [UInt8] {
        let text = base64(image)
        var bytes: [UInt8] = []
        var start = 0
        repeat {
            let end = min(text.count, start + chunk)
            let more = end < text.count ? 1 : 0
            // C=1 leaves the cursor; q=2 asks for no answers; below zero lies under text.
            let keys =
                start == 0
                ? "a=T,f=100,q=2,C=1,z=-1,c=\(cells.columns),r=\(cells.rows),m=\(more)"
                : "m=\(more)"
            bytes += Array("\u{1B}_G\(keys);".utf8)
            bytes += text[start..<end]
            bytes += [0x1B, 0x5C]
            start = end
        } while start < text.count
        return bytes
    }

    static func iterm2(_ image: RGBImage, cells: CellSize) -> [UInt8] {
        let png = encoded(image)
        let keys =
            "inline=1;size=\(png.count);width=\(cells.columns);height=\(cells.rows);"
            + "preserveAspectRatio=0;doNotMoveCursor=1"
        return Array("\u{1B}]1337;File=\(keys):".utf8) + base64(png) + [0x07]
    }

    private static func base64(_ image: RGBImage) -> [UInt8] { base64(encoded(image)) }

    /// A picture without texts always has a PNG form; an empty one stands in for what cannot happen.
    private static func encoded(_ image: RGBImage) -> [UInt8] {
        (try? PNG.encode(image)) ?? []
    }

    /// RFC 4648, with padding.
    static func base64(_ bytes: [UInt8]) -> [UInt8] {
        let alphabet = Array(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for i in stride(from: 0, to: bytes.count, by: 3) {
            let b = i + 1 < bytes.count ? Int(bytes[i + 1]) : 0
            let c = i + 2 < bytes.count ? Int(bytes[i + 2]) : 0
            let bits = Int(bytes[i]) << 16 | b << 8 | c
            text.append(alphabet[bits >> 18])
            text.append(alphabet[bits >> 12 & 63])
            text.append(i + 1 < bytes.count ? alphabet[bits >> 6 & 63] : 0x3D)
            text.append(i + 2 < bytes.count ? alphabet[bits & 63] : 0x3D)
        }
        return text
    }
}
