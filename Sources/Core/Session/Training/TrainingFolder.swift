// The files by which a training and its watchers talk.
// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The names in a run folder.
///
/// - `status.json`: where it stands (``TrainingStatus``), replaced atomically.
/// - `metrics.jsonl`: one JSON object a line (``TrainingRecord``), appended.
/// - `samples/`: pictures named by `metrics.jsonl`.
/// - `control`: commands, one a line (``TrainingCommand``); the training takes the file away. Anyone
///   may write one: `echo pause >> runs/NAME/control`.
/// - `lock`: held by the process while it lives, so that two never write one folder and a process
///   that was killed is known to be gone.
/// - `log.txt`: what the process said on its standard streams, if the application started it.
public struct TrainingFolder: Sendable, Equatable {
    public let path: String

    public init(_ path: String) { self.path = path }

    public var statusPath: String { path + "/status.json" }
    public var metricsPath: String { path + "/metrics.jsonl" }
    public var controlPath: String { path + "/control" }
    public var lockPath: String { path + "/lock" }
    public var logPath: String { path + "/log.txt" }
    public var samplesPath: String { path + "/samples" }
    public var checkpointPath: String { path + "/checkpoint.safetensors" }
    public var weightsPath: String { path + "/weights.safetensors" }

    // MARK: Status

    /// The status as written; nil if there is none or it cannot be read.
    public func status() -> TrainingStatus? {
        guard let data = FileManager.default.contents(atPath: statusPath) else { return nil }
        return try? JSONDecoder().decode(TrainingStatus.self, from: data)
    }

    /// Replaces the status.
    ///
    /// - Throws: ``FileFormatError/notWritable(path:reason:)``.
    public func write(_ status: TrainingStatus) throws {
        var status = status
        status.updatedAt = Date().timeIntervalSince1970
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try AtomicWrite.write([UInt8](try encoder.encode(status)), to: statusPath)
    }

    // MARK: Lock

    /// Whether a process holds the folder.
    public var isHeld: Bool {
        let descriptor = open(lockPath, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0
    }

    /// Takes the folder for this process until the returned object goes; the kernel gives it back
    /// however the process ends.
    ///
    /// - Throws: ``TrainingFolderError``.
    public func take() throws(TrainingFolderError) -> TrainingLock {
        let descriptor = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw .notWritable(path: lockPath, reason: String(cString: strerror(errno)))
        }
        // A watcher that looks holds it for an instant.
        for attempt in 0..<20 {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
                return TrainingLock(descriptor: descriptor)
            }
            if attempt < 19 { usleep(5_000) }
        }
        close(descriptor)
        throw .held(folder: path)
    }

    // MARK: Commands

    /// Leaves a command for the training.
    ///
    /// - Throws: ``TrainingFolderError/notWritable(path:reason:)``.
    public func post(_ command: TrainingCommand) throws(TrainingFolderError) {
        let descriptor = open(controlPath, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw .notWritable(path: controlPath, reason: String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        let line = Array("\(command.rawValue)\n".utf8)
        guard Foundation.write(descriptor, line, line.count) == line.count else {
            throw .notWritable(path: controlPath, reason: String(cString: strerror(errno)))
        }
    }

    /// Takes the commands that were left; lines that are none are passed over.
    public func takeCommands() -> [TrainingCommand] {
        // The rename makes sure that a command appended meanwhile goes into a new file.
        let taken = controlPath + ".taken"
        guard access(controlPath, F_OK) == 0, rename(controlPath, taken) == 0 else { return [] }
        defer { unlink(taken) }
        let text = String(
            decoding: FileManager.default.contents(atPath: taken) ?? Data(), as: UTF8.self)
        return text.split(whereSeparator: \.isNewline).compactMap {
            TrainingCommand(rawValue: $0.trimmingCharacters(in: .whitespaces))
        }
    }

    /// The last lines of what the process said.
    public func logTail(lines: Int = 8) -> [String] {
        guard let handle = FileHandle(forReadingAtPath: logPath) else { return [] }
        defer { try? handle.close() }
        let size = (try? handle.seekToEnd()) ?? 0
        try? handle.seek(toOffset: size > 8192 ? size - 8192 : 0)
        let text = String(decoding: (try? handle.readToEnd()) ?? Data(), as: UTF8.self)
        return text.split(whereSeparator: \.isNewline).suffix(lines).map(String.init)
    }
}

/// A held run folder; given back when the object goes.
public final class TrainingLock: Sendable {
    private let descriptor: Int32

    init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }
}

/// What can be wrong with a run folder.
public enum TrainingFolderError: Error, Equatable, Sendable {
    /// Another process trains there.
    case held(folder: String)
    /// Nothing runs there that could be asked.
    case notRunning(folder: String)
    case notWritable(path: String, reason: String)
}

extension TrainingFolderError: CustomStringConvertible {
    /// Which folder, what is wrong, what to do.
    public var description: String {
        switch self {
        case .held(let folder):
            return "\(folder): another training runs in this folder; stop it, or give another "
                + "folder with --out."
        case .notRunning(let folder):
            return "\(folder): no training runs in this folder; resume it first."
        case .notWritable(let path, let reason):
            return "\(path): cannot be written (\(reason)); give another folder with --out."
        }
    }
}
