// Labelled pictures packed into one archive with a table.
// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Foundation

/// JPEG pictures of one size in a tar archive, plain or gzipped, with a ``PictureIndex`` beside it.
///
/// All pictures are decoded once, by all cores, and kept as bytes: 3·S² for each.
public struct PictureArchive: Dataset {
    public let name: String
    public let classes: [String]
    /// The rows of the table that this part consists of.
    public let rows: [PictureIndex.Row]
    /// Width and height of every picture.
    public let size: (width: Int, height: Int)
    private let pixels: PixelBytes

    /// Reads the parts of an archive.
    ///
    /// - Parameters:
    ///   - parting: which rows of the table make which part.
    ///   - side: the side that pictures are fitted to; their own size when nil.
    ///   - limit: keeps only so many pictures of every part, evenly spread; for trials.
    /// - Returns: one data set per part, in that order; rows keep the order of the table.
    /// - Throws: ``FileFormatError``, ``DatasetError``.
    public static func read(
        archive: String, index: String, parting: PictureIndex.Parting, side: Int? = nil,
        limit: Int? = nil
    ) throws -> [PictureArchive] {
        let table = try PictureIndex(path: index)
        let parts = try table.parts(parting, path: index)
        let tar = try Tar(path: archive)
        let entries = Dictionary(
            tar.entries.map { ($0.name, $0) }, uniquingKeysWith: { _, last in last })
        let title = archive.split(separator: "/").last.map(String.init) ?? archive
        return try parts.map { part, all in
            let wanted = min(all.count, limit ?? all.count)
            let rows = (0..<wanted).map { all[$0 * all.count / wanted] }
            let found = try rows.map { row in
                guard let entry = entries[row.file] else {
                    throw DatasetError.missingPicture(
                        archive: archive, index: index, file: row.file)
                }
                return entry
            }
            let (pixels, size) = try decode(found, of: tar, path: archive, side: side)
            return PictureArchive(
                name: "\(title), part \(part)", classes: table.classes, rows: rows, size: size,
                pixels: pixels)
        }
    }

    /// An archive and its table in the first of some folders that holds such a pair.
    ///
    /// A pair is `<name>.tar.gz`, `.tgz` or `.tar` and `<name>.tsv`.
    /// - Parameter name: the pair's name; any when nil.
    /// - Throws: ``DatasetError/notFound(name:files:places:)`` with the folders looked in.
    public static func locate(
        name: String? = nil, in folders: [String]
    ) throws(DatasetError) -> (archive: String, index: String) {
        let endings = [".tar.gz", ".tgz", ".tar"]
        for folder in folders {
            let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            for index in files.sorted() where index.hasSuffix(".tsv") {
                let stem = String(index.dropLast(4))
                guard name == nil || name == stem else { continue }
                if let ending = endings.first(where: { files.contains(stem + $0) }) {
                    return ("\(folder)/\(stem)\(ending)", "\(folder)/\(index)")
                }
            }
        }
        let stem = name ?? "NAME"
        throw .notFound(
            name: "A picture archive", files: ["\(stem).tar.gz", "\(stem).tsv"], places: folders)
    }

    public var count: Int { rows.count }
    public func label(at index: Int) -> Int { rows[index].label }

    public func image(at index: Int) -> RGBImage {
        let length = 3 * size.width * size.height
        return RGBImage(
            width: size.width, height: size.height,
            pixels: Array(pixels.buffer[(index * length)..<((index + 1) * length)]))
    }

    private static func picture(
        _ entry: Tar.Entry, of tar: Tar, path: String, side: Int?
    ) throws -> RGBImage {
        let image = try tar.bytes(of: entry).withUnsafeBytes {
            try JPEG.decode($0, path: "\(path): \(entry.name)")
        }
        guard let side, image.width != side || image.height != side else { return image }
        return PictureFit(width: image.width, height: image.height, side: side).apply(to: image)
    }

    /// Decodes in parallel; of several bad pictures the first is reported.
    private static func decode(
        _ entries: [Tar.Entry], of tar: Tar, path: String, side: Int?
    ) throws -> (PixelBytes, (width: Int, height: Int)) {
        let first = try picture(entries[0], of: tar, path: path, side: side)
        let (width, height) = (first.width, first.height)
        let length = 3 * width * height
        let store = PixelBytes(count: length * entries.count)
        let failures = FirstFailure()
        DispatchQueue.concurrentPerform(iterations: entries.count) { i in
            do {
                let image = try picture(entries[i], of: tar, path: path, side: side)
                guard image.width == width, image.height == height else {
                    throw DatasetError.sizeMismatch(
                        name: path, index: i, expected: "\(width)×\(height)",
                        found: "\(image.width)×\(image.height)")
                }
                image.pixels.withUnsafeBufferPointer { source in
                    guard let start = source.baseAddress else { return }
                    store.buffer.baseAddress?.advanced(by: i * length).update(
                        from: start, count: length)
                }
            } catch {
                failures.note(error, at: i)
            }
        }
        try failures.rethrow()
        return (store, (width, height))
    }
}

/// Bytes that are written once, each part by one thread, and only read afterwards.
private final class PixelBytes: @unchecked Sendable {
    let buffer: UnsafeMutableBufferPointer<UInt8>

    init(count: Int) {
        buffer = .allocate(capacity: count)
        buffer.initialize(repeating: 0)
    }

    deinit { buffer.deallocate() }
}

/// The error with the lowest index among those of parallel work.
private final class FirstFailure: @unchecked Sendable {
    private let lock = NSLock()
    private var found: (index: Int, error: any Error)?

    func note(_ error: any Error, at index: Int) {
        lock.withLock {
            if found.map({ index < $0.index }) ?? true { found = (index, error) }
        }
    }

    func rethrow() throws {
        if let found = lock.withLock({ found }) { throw found.error }
    }
}
