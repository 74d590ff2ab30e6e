// Tells when files in some folders were written, without asking again and again.
// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Foundation
import Glibc

/// Watches folders by inotify; the call-back comes on a queue of its own with the paths.
///
/// Editors write a file beside and rename it, so folders are watched, not files.
nonisolated final class FileWatch: @unchecked Sendable {
    private let descriptor: Int32
    private let source: any DispatchSourceRead
    private let folders: [Int32: String]

    /// Starts to watch; nil when the kernel has no watches left or no folder exists.
    init?(folders: [String], onChange: @escaping @Sendable ([String]) -> Void) {
        let descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        guard descriptor >= 0 else { return nil }
        var found: [Int32: String] = [:]
        for folder in folders {
            let watch = inotify_add_watch(
                descriptor, folder, UInt32(IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE))
            if watch >= 0 { found[watch] = folder }
        }
        guard !found.isEmpty else {
            Glibc.close(descriptor)
            return nil
        }
        self.descriptor = descriptor
        self.folders = found
        source = DispatchSource.makeReadSource(
            fileDescriptor: descriptor, queue: DispatchQueue(label: "watch", qos: .utility))
        source.setEventHandler { [folders = found] in
            let paths = Self.changes(descriptor, folders)
            if !paths.isEmpty { onChange(paths) }
        }
        source.setCancelHandler { Glibc.close(descriptor) }
        source.resume()
    }

    deinit { source.cancel() }

    private static func changes(_ descriptor: Int32, _ folders: [Int32: String]) -> [String] {
        var paths: [String] = []
        var buffer = [UInt8](repeating: 0, count: 8192)
        let header = MemoryLayout<inotify_event>.size
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return paths }
            var offset = 0
            // The kernel writes whole events: a header, then `len` bytes of name.
            while offset + header <= count {
                let (watch, length) = buffer.withUnsafeBytes {
                    let event = $0.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
                    return (event.wd, Int(event.len))
                }
                let end = min(count, offset + header + length)
                let name = buffer[(offset + header)..<end].prefix { $0 != 0 }
                if let folder = folders[watch], !name.isEmpty {
                    paths.append(folder + "/" + String(decoding: name, as: UTF8.self))
                }
                offset += header + length
            }
        }
    }
}
