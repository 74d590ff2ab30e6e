// Files that are either complete or not there.
// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A file being written beside its destination; it takes the destination's place on ``commit()``.
///
/// The bytes go to a hidden file in the same folder, are forced to disk, and the file is renamed
/// over the destination; the folder is forced to disk last. Whatever ends the process on the way,
/// the destination is the old file or the new one, whole. An object that is dropped before
/// ``commit()`` removes what it wrote. Used by one thread.
public final class AtomicFile {
    /// The destination.
    public let path: String
    private let target: String
    private let temporary: String
    private var descriptor: Int32
    private var isCommitted = false

    /// Begins a file.
    ///
    /// - Throws: ``FileFormatError/notWritable(path:reason:)``.
    public init(path: String) throws(FileFormatError) {
        self.path = path
        // A link at the destination stays a link: the file it points to is replaced.
        let target = Self.resolved(path)
        let (folder, name) = Self.split(target)
        Self.removeStale(folder: folder, name: name)
        let unique = UInt32.random(in: 0 ... .max)
        let temporary = "\(folder)/.\(name).\(getpid())-\(String(unique, radix: 16)).partial"
        descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        self.target = target
        self.temporary = temporary
        guard descriptor >= 0 else {
            isCommitted = true
            throw .notWritable(path: path, reason: Self.reason(errno))
        }
        var status = stat()
        if stat(target, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw .notWritable(path: path, reason: "it is not a file")
            }
            fchmod(descriptor, status.st_mode & 0o7777)
        }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
        if !isCommitted { unlink(temporary) }
    }

    /// Appends bytes.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(FileFormatError) {
        var done = 0
        while done < bytes.count, let start = bytes.baseAddress {
            let count = Foundation.write(descriptor, start + done, bytes.count - done)
            if count < 0 {
                if errno == EINTR { continue }
                throw .notWritable(path: path, reason: Self.reason(errno))
            }
            done += count
        }
    }

    /// Appends bytes.
    public func write(_ bytes: [UInt8]) throws(FileFormatError) {
        // The closure's error type is erased by the standard library.
        let failure: FileFormatError? = bytes.withUnsafeBytes { buffer in
            do throws(FileFormatError) {
                try write(buffer)
                return nil
            } catch { return error }
        }
        if let failure { throw failure }
    }

    /// Makes the file take the destination's place.
    public func commit() throws(FileFormatError) {
        guard fsync(descriptor) == 0 else {
            throw .notWritable(path: path, reason: Self.reason(errno))
        }
        close(descriptor)
        descriptor = -1
        guard rename(temporary, target) == 0 else {
            throw .notWritable(path: path, reason: Self.reason(errno))
        }
        isCommitted = true
        let folder = open(Self.split(target).folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if folder >= 0 {
            // Some file systems refuse to sync a folder; the rename itself has happened.
            _ = fsync(folder)
            close(folder)
        }
    }

    private static func split(_ path: String) -> (folder: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        let folder = String(path[..<slash])
        return (folder.isEmpty ? "/" : folder, String(path[path.index(after: slash)...]))
    }

    private static func resolved(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Removes what a killed process left beside the same destination.
    private static func removeStale(folder: String, name: String) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for found in names where found.hasPrefix(".\(name).") && found.hasSuffix(".partial") {
            let rest = found.dropFirst(name.count + 2).dropLast(".partial".count)
            guard let process = rest.split(separator: "-").first.flatMap({ Int32($0) }) else {
                continue
            }
            if kill(process, 0) != 0 && errno == ESRCH { unlink("\(folder)/\(found)") }
        }
    }

    private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}

/// Writing a whole file at once.
public enum AtomicWrite {
    /// Writes bytes to a path, atomically.
    ///
    /// - Throws: ``FileFormatError/notWritable(path:reason:)``.
    public static func write(_ bytes: [UInt8], to path: String) throws(FileFormatError) {
        let file = try AtomicFile(path: path)
        try file.write(bytes)
        try file.commit()
    }

    /// Writes text as UTF-8, atomically.
    public static func write(_ text: String, to path: String) throws(FileFormatError) {
        try write(Array(text.utf8), to: path)
    }
}
