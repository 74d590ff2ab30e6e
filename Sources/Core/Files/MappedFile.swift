// A file mapped into memory, read-only and shared.
// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A whole file mapped read-only; pages are read when they are first touched and can be dropped.
///
/// Unsafe by nature: `bytes` is valid for as long as the object lives and its bounds are those of
/// the file when it was opened. Files replaced by rename (as this program writes them) stay intact
/// under a mapping; a file cut short in place by another program would fault.
public final class MappedFile: @unchecked Sendable {
    /// The path it was opened by.
    public let path: String
    /// Size in bytes.
    public let byteCount: Int
    private let address: UnsafeMutableRawPointer?

    /// Maps a regular file.
    ///
    /// - Throws: ``FileFormatError`` when it does not exist, is a folder or cannot be read.
    public init(path: String) throws(FileFormatError) {
        // Without waiting: a pipe that nobody writes to would hold the program for ever.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw errno == ENOENT || errno == ENOTDIR
                ? .notFound(path: path) : .unreadable(path: path, reason: Self.reason(errno))
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw .unreadable(path: path, reason: Self.reason(errno))
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .wrongKind(path: path, expected: "a file")
        }
        let count = Int(status.st_size)
        var start: UnsafeMutableRawPointer?
        if count > 0 {
            start = mmap(nil, count, PROT_READ, MAP_SHARED, descriptor, 0)
            guard start != MAP_FAILED else {
                throw .unreadable(path: path, reason: Self.reason(errno))
            }
        }
        self.path = path
        byteCount = count
        address = start
    }

    /// The same, for formats that a file without bytes cannot be of.
    ///
    /// - Throws: ``FileFormatError``; `empty` when there are no bytes.
    public convenience init(filledPath path: String) throws(FileFormatError) {
        try self.init(path: path)
        guard byteCount > 0 else { throw .empty(path: path) }
    }

    deinit {
        if let address { munmap(address, byteCount) }
    }

    /// The mapped bytes; keep the object alive while they are used.
    public var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: address, count: byteCount)
    }

    /// A copy of a range of bytes.
    ///
    /// - Precondition: the range lies in the file.
    public func copy(_ range: Range<Int>) -> [UInt8] {
        withExtendedLifetime(self) { [UInt8](bytes[range]) }
    }

    private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}
