// The structured log: a ring in memory for the log pane, and a rotating file.
// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Takes log entries from any thread. One is made at start and handed to whoever needs it.
///
/// A failure to write the file is reported once, as an entry; it never stops the program.
public final class Log: @unchecked Sendable {
    /// How much an entry matters.
    public enum Level: String, Sendable, CaseIterable, Comparable, Codable {
        case debug, info, warning, error

        private var rank: Int {
            switch self {
            case .debug: 0
            case .info: 1
            case .warning: 2
            case .error: 3
            }
        }

        public static func < (a: Level, b: Level) -> Bool { a.rank < b.rank }
    }

    /// A named value of an entry.
    public struct Field: Sendable, Equatable {
        public let name: String
        public let value: String

        public init(_ name: String, _ value: some CustomStringConvertible) {
            self.name = name
            self.value = value.description
        }
    }

    /// One entry.
    public struct Entry: Sendable, Equatable, Identifiable {
        /// Counts from 0 in the order of arrival.
        public let id: Int
        public let date: Date
        public let level: Level
        /// The part of the program, `files`, `jobs`, `terminal`.
        public let category: String
        public let message: String
        public let fields: [Field]

        /// The entry in one line: time in UTC, level, category, message, fields.
        public var line: String {
            var text = "\(Log.timestamp(date)) \(level.rawValue.uppercased()) [\(category)] "
            text += Log.oneLine(message)
            for field in fields {
                let value = Log.oneLine(field.value)
                let needsQuotes = value.isEmpty || value.contains(" ") || value.contains("\"")
                text += " \(field.name)="
                text += needsQuotes ? "\"\(value.replacing("\"", with: "\\\""))\"" : value
            }
            return text
        }
    }

    private let lock = NSLock()
    private var ring: [Entry] = []
    private var nextID = 0
    private var file: RotatingFile?
    private var observer: (@Sendable () -> Void)?
    private let level: Level
    private let capacity: Int

    /// Creates a log.
    ///
    /// - Parameters:
    ///   - level: entries below it are dropped.
    ///   - path: a file to append to; it is rotated at `fileLimit` bytes and three files are kept.
    ///   - capacity: entries kept in memory.
    public init(
        level: Level = .info, path: String? = nil, capacity: Int = 2_000,
        fileLimit: Int = 5 << 20
    ) {
        self.level = level
        self.capacity = max(1, capacity)
        file = path.map { RotatingFile(path: $0, limit: fileLimit) }
    }

    /// Sets what is called after every entry, on the thread that logs; keep it short.
    public func onChange(_ observer: (@Sendable () -> Void)?) {
        lock.withLock { self.observer = observer }
    }

    /// Takes an entry.
    public func write(
        _ level: Level, _ category: String, _ message: String, _ fields: [Field] = []
    ) {
        guard level >= self.level else { return }
        let notify = lock.withLock {
            let entry = append(level, category, message, fields)
            if let failure = file?.append(entry.line) {
                file = nil
                _ = append(.warning, "log", "the log file is not written any more", [failure])
            }
            return observer
        }
        notify?()
    }

    public func debug(_ category: String, _ message: String, _ fields: [Field] = []) {
        write(.debug, category, message, fields)
    }

    public func info(_ category: String, _ message: String, _ fields: [Field] = []) {
        write(.info, category, message, fields)
    }

    public func warning(_ category: String, _ message: String, _ fields: [Field] = []) {
        write(.warning, category, message, fields)
    }

    public func error(_ category: String, _ message: String, _ fields: [Field] = []) {
        write(.error, category, message, fields)
    }

    /// The entries in memory, oldest first.
    public var entries: [Entry] { lock.withLock { ring } }

    private func append(
        _ level: Level, _ category: String, _ message: String, _ fields: [Field]
    ) -> Entry {
        let entry = Entry(
            id: nextID, date: Date(), level: level, category: category, message: message,
            fields: fields)
        nextID += 1
        // Dropped in batches, so that a full ring costs nothing per entry.
        if ring.count >= capacity + capacity / 4 { ring.removeFirst(ring.count - capacity + 1) }
        ring.append(entry)
        return entry
    }

    /// Control characters would act on a terminal that shows the file.
    private static func oneLine(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
            return text
        }
        return String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }))
    }

    private static func timestamp(_ date: Date) -> String {
        let seconds = date.timeIntervalSince1970
        var whole = time_t(seconds.rounded(.down))
        let milliseconds = Int((seconds - Double(whole)) * 1000)
        var parts = tm()
        gmtime_r(&whole, &parts)
        func two(_ value: Int32) -> String { (value < 10 ? "0" : "") + String(value) }
        let day = "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
        let time = "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
        let fraction = String(1000 + min(999, max(0, milliseconds))).dropFirst()
        return "\(day)T\(time).\(fraction)Z"
    }
}

/// A text file that is renamed `.1`, `.2` when it is full; older ones are dropped.
private struct RotatingFile {
    private static let kept = 3
    let path: String
    let limit: Int
    private var descriptor: Int32 = -1
    private var size = 0

    init(path: String, limit: Int) {
        self.path = path
        self.limit = limit
    }

    /// Appends a line; returns what went wrong.
    mutating func append(_ line: String) -> Log.Field? {
        let bytes = Array((line + "\n").utf8)
        if descriptor >= 0, size > 0, size + bytes.count > limit { rotate() }
        if descriptor < 0 {
            if let failure = openFile() { return failure }
            if size > 0, size + bytes.count > limit {
                rotate()
                if let failure = openFile() { return failure }
            }
        }
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                Foundation.write(descriptor, $0.baseAddress.map { $0 + done }, bytes.count - done)
            }
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { return failure() }
            done += count
        }
        size += bytes.count
        return nil
    }

    private mutating func openFile() -> Log.Field? {
        descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return failure() }
        var status = stat()
        size = fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
        return nil
    }

    private mutating func rotate() {
        close(descriptor)
        descriptor = -1
        for index in stride(from: Self.kept - 1, through: 1, by: -1) {
            let older = index == 1 ? path : "\(path).\(index - 1)"
            rename(older, "\(path).\(index)")
        }
    }

    private func failure() -> Log.Field {
        Log.Field("reason", "\(path): \(String(cString: strerror(errno)))")
    }
}
