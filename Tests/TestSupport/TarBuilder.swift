// Tar archives written by hand. SPDX-License-Identifier: Apache-2.0

/// Makes the entries of a USTAR archive.
public enum TarBuilder {
    /// Header, contents and padding of one entry.
    public static func entry(
        _ name: String, _ data: [UInt8], type: Character = "0", padding: UInt8 = 0
    ) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, _ offset: Int) {
            for (i, byte) in text.utf8.enumerated() { header[offset + i] = byte }
        }
        func octal(_ value: Int, _ width: Int) -> String {
            let digits = String(value, radix: 8)
            return String(repeating: "0", count: width - digits.count) + digits
        }
        put(String(name.prefix(100)), 0)
        put(octal(data.count, 11), 124)
        put(String(type), 156)
        put("ustar", 257)
        put("        ", 148)
        put(octal(header.reduce(0) { $0 + Int($1) }, 6), 148)
        header[154] = 0
        let rest = (512 - data.count % 512) % 512
        return header + data + [UInt8](repeating: padding, count: rest)
    }
}
