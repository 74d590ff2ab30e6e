// Follows a run folder: what is new since the last look.
// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Where a watcher stands in a run folder.
public struct TrainingFolderReader: Sendable {
    public let folder: TrainingFolder
    private var offset: UInt64 = 0
    private var file: UInt64 = 0
    /// A line whose end has not been written yet.
    private var rest: [UInt8] = []

    /// Bytes read at once at most; the rest comes with the next look.
    private static let chunk = 1 << 20

    public init(folder: String) { self.folder = TrainingFolder(folder) }

    /// What is new. A metrics file that was replaced or cut is read again from its start.
    public mutating func read() -> TrainingNews {
        var news = TrainingNews()
        news.status = folder.status()
        if var status = news.status, status.phase.isActive, !folder.isHeld {
            // It may have ended between the two looks.
            status = folder.status() ?? status
            if status.phase.isActive {
                status.phase = .lost
                status.problem =
                    "The training ended without a word; it was killed, or the machine "
                    + "went down."
            }
            news.status = status
        }
        readRecords(&news)
        return news
    }

    private mutating func readRecords(_ news: inout TrainingNews) {
        let descriptor = open(folder.metricsPath, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return }
        if UInt64(status.st_ino) != file || UInt64(status.st_size) < offset {
            file = UInt64(status.st_ino)
            offset = 0
            rest = []
            news.beginsAnew = true
        }
        let available = UInt64(status.st_size) - offset
        let count = Int(min(available, UInt64(Self.chunk)))
        guard count > 0 else { return }
        var bytes = [UInt8](repeating: 0, count: count)
        let read = pread(descriptor, &bytes, count, off_t(offset))
        guard read > 0 else { return }
        offset += UInt64(read)
        news.hasMore = UInt64(read) < available
        rest += bytes[..<read]
        var start = 0
        while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
            if end > start {
                if let record = TrainingRecord(line: rest[start..<end]) {
                    news.records.append(record)
                } else {
                    news.unreadableLines += 1
                }
            }
            start = end + 1
        }
        rest.removeFirst(start)
        // Nobody writes such a line.
        if rest.count > Self.chunk { rest = [] }
    }
}

/// What a look at a run folder found.
public struct TrainingNews: Sendable, Equatable {
    /// Where the training stands; nil if the folder does not say.
    public var status: TrainingStatus?
    /// New lines of the metrics, in their order.
    public var records: [TrainingRecord] = []
    /// Whether earlier records no longer count: the file is another one.
    public var beginsAnew = false
    /// Whether there is more to read now.
    public var hasMore = false
    /// Lines that were no records.
    public var unreadableLines = 0

    public init() {}
}
