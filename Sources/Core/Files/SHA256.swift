// SHA-256 of bytes and files.
// SPDX-License-Identifier: Apache-2.0
import CCodecs

/// The SHA-256 checksum, fed piece by piece.
///
/// Source: FIPS 180-4, section 6.2.
public struct SHA256: Sendable {
    // The first 32 bits of the fractional parts of the square roots of the first 8 primes.
    private var state: [UInt32] = [
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a,
        0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
    ]
    private var pending: [UInt8] = []
    private var count: UInt64 = 0

    public init() {}

    /// Adds bytes.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        count &+= UInt64(bytes.count)
        var rest = bytes[...]
        if !pending.isEmpty {
            let taken = rest.prefix(64 - pending.count)
            pending += taken
            rest = rest.dropFirst(taken.count)
            guard pending.count == 64 else { return }
            cc_sha256_blocks(&state, pending, 1)
            pending.removeAll(keepingCapacity: true)
        }
        let whole = UnsafeRawBufferPointer(rebasing: rest.prefix(rest.count / 64 * 64))
        if let start = whole.octets, whole.count > 0 {
            cc_sha256_blocks(&state, start, whole.count / 64)
        }
        pending += rest.dropFirst(whole.count)
    }

    /// Adds bytes.
    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// The checksum of everything added, 32 bytes.
    public func digest() -> [UInt8] {
        var end = self
        let bits = count &* 8
        let zeros = (119 - Int(count % 64)) % 64
        end.update([0x80] + [UInt8](repeating: 0, count: zeros))
        end.update(withUnsafeBytes(of: bits.bigEndian) { Array($0) })
        return end.state.flatMap { word in withUnsafeBytes(of: word.bigEndian) { Array($0) } }
    }

    /// The checksum as 64 lower-case hexadecimal digits.
    public func hexDigest() -> String {
        digest().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// The checksum of bytes, in hexadecimal.
    public static func hexDigest(of bytes: [UInt8]) -> String {
        var hash = SHA256()
        hash.update(bytes)
        return hash.hexDigest()
    }

    /// The checksum of a file, in hexadecimal; read through a mapping, 4 MiB at a time.
    ///
    /// - Throws: ``FileFormatError``, or `CancellationError` between pieces.
    public static func hexDigest(
        ofFile path: String, cancellation: Cancellation? = nil
    ) throws -> String {
        let file = try MappedFile(path: path)
        var hash = SHA256()
        var offset = 0
        while offset < file.byteCount {
            try cancellation?.check()
            let end = min(offset + (4 << 20), file.byteCount)
            hash.update(UnsafeRawBufferPointer(rebasing: file.bytes[offset..<end]))
            offset = end
        }
        return withExtendedLifetime(file) { hash.hexDigest() }
    }
}
