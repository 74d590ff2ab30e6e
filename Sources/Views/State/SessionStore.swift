// The session file and its lock.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import Glibc

/// Keeps one session in a folder: a JSON file, pictures beside it, and a lock with the process.
///
/// Used from the files thread only.
nonisolated final class SessionStore: @unchecked Sendable {
    enum Opening {
        case fresh(queue: [StoredRun])
        /// A program that held the lock is gone without having ended.
        case leftBehind(SessionSnapshot, queue: [StoredRun])
        /// Another program holds the lock, or the folder cannot be used.
        case held(String)
    }

    private let folder: String
    private var lockDescriptor: Int32 = -1
    private let gallery: GalleryStore

    init(folder: String) {
        self.folder = folder
        gallery = GalleryStore(folder: folder + "/gallery")
    }

    private var sessionPath: String { folder + "/session.json" }
    private var sourcePath: String { folder + "/session-source.png" }
    private var picturePath: String { folder + "/session-picture.png" }
    private var firstStepsPath: String { folder + "/first-steps.json" }
    private var layoutPath: String { folder + "/layout.json" }
    private var queuePath: String { folder + "/queue.json" }
    private var lockPath: String { folder + "/session.lock" }

    func open() -> Opening {
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
        } catch {
            return .held(
                "The session folder \(folder) cannot be made, so nothing is kept: look at its "
                    + "permissions, or name another one in XDG_STATE_HOME.")
        }
        let descriptor = Glibc.open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            return .held(
                "\(lockPath) cannot be opened, so nothing is kept: look at its permissions, or "
                    + "name another folder in XDG_STATE_HOME.")
        }
        // The kernel drops the lock with the process, however it ends.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            Glibc.close(descriptor)
            return .held(
                "Another workbench is open and keeps the session; this one keeps nothing: save "
                    + "what you want to keep.")
        }
        lockDescriptor = descriptor
        guard let snapshot = read() else { return .fresh(queue: readQueue()) }
        return .leftBehind(snapshot, queue: readQueue())
    }

    /// Someone may have cleared the state away while the program runs; work is kept all the same.
    private func remakeFolder() throws {
        guard !FileManager.default.fileExists(atPath: folder) else { return }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    /// Writes pictures first, then the file that refers to them, each atomically.
    func write(_ snapshot: SessionSnapshot) throws {
        guard lockDescriptor >= 0 else { return }
        try remakeFolder()
        var document = snapshot
        if let source = try? snapshot.source?.image() {
            try PNG.write(source, to: sourcePath)
        }
        if let picture = try? snapshot.picture?.image() {
            try PNG.write(picture, to: picturePath)
        }
        document.source = nil
        document.picture = nil
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        try AtomicWrite.write([UInt8](try encoder.encode(document)), to: sessionPath)
    }

    /// Keeps the jobs that wait for the next start; none removes the file.
    func write(queue: [StoredRun]) throws {
        guard lockDescriptor >= 0 else { return }
        if queue.isEmpty {
            unlink(queuePath)
            return
        }
        try remakeFolder()
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        try AtomicWrite.write([UInt8](try encoder.encode(queue)), to: queuePath)
    }

    /// The first steps that were taken at earlier starts.
    func firstSteps() -> Set<FirstStep> {
        guard let data = FileManager.default.contents(atPath: firstStepsPath),
            let names = try? JSONDecoder().decode([String].self, from: data)
        else { return [] }
        return Set(names.compactMap { FirstStep(rawValue: $0) })
    }

    func write(firstSteps: Set<FirstStep>) throws {
        guard lockDescriptor >= 0 else { return }
        try remakeFolder()
        let names = firstSteps.map(\.rawValue).sorted()
        try AtomicWrite.write([UInt8](try JSONEncoder().encode(names)), to: firstStepsPath)
    }

    /// Weights of layouts that were dragged at earlier starts, by the form of the screen.
    func layout() -> [String: [Double]] {
        guard let data = FileManager.default.contents(atPath: layoutPath) else { return [:] }
        return (try? JSONDecoder().decode([String: [Double]].self, from: data)) ?? [:]
    }

    func write(layout: [String: [Double]]) throws {
        guard lockDescriptor >= 0 else { return }
        try remakeFolder()
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        try AtomicWrite.write([UInt8](try encoder.encode(layout)), to: layoutPath)
    }

    /// Pictures of earlier starts; read once, after the lock is held.
    func readGallery() -> [Run] { lockDescriptor >= 0 ? gallery.read() : [] }

    func write(gallery runs: [Run]) throws {
        if lockDescriptor >= 0 { try gallery.write(runs) }
    }

    private func readQueue() -> [StoredRun] {
        guard let data = FileManager.default.contents(atPath: queuePath),
            let queue = try? JSONDecoder().decode([StoredRun].self, from: data)
        else { return [] }
        return queue.filter(\.isSound)
    }

    /// Gives the lock back; forgets the session unless it is to be recovered.
    func close(keepsSession: Bool) {
        guard lockDescriptor >= 0 else { return }
        if !keepsSession {
            for path in [sessionPath, sourcePath, picturePath] { unlink(path) }
        }
        Glibc.close(lockDescriptor)
        lockDescriptor = -1
    }

    private func read() -> SessionSnapshot? {
        guard let data = FileManager.default.contents(atPath: sessionPath),
            var snapshot = try? JSONDecoder().decode(SessionSnapshot.self, from: data),
            snapshot.format == 1, snapshot.isSound
        else { return nil }
        snapshot.source = (try? PNG.read(path: sourcePath)).map { StoredImage($0) }
        snapshot.picture = (try? PNG.read(path: picturePath)).map { StoredImage($0) }
        return snapshot
    }
}

nonisolated extension SessionSnapshot {
    /// Whether everything in the file is within its range; a file is no more trusted than typing.
    var isSound: Bool {
        schedule.isSound && edit.isSound
            && (undo.undo + undo.redo).allSatisfy { entry in
                switch entry.change {
                case .mask: true
                case .settings(let before, let after): before.isSound && after.isSound
                case .edit(let before, let after): before.isSound && after.isSound
                case .symmetry(_, let before, let after):
                    [before, after].allSatisfy {
                        $0.neighbours > 1 && $0.bandwidth.isFinite
                    }
                case .canvas, .gallery: true
                case .model(let before, let after):
                    before.values.isSound && after.values.isSound
                case .jobs(let runs): runs.allSatisfy(\.isSound)
                }
            }
    }
}

nonisolated extension ScheduleValues {
    var isSound: Bool {
        let rows = rows.allSatisfy {
            guard (1...4096).contains($0.side), $0.entries.count <= $0.tokenCount,
                $0.entries.allSatisfy({ (1...(1 << 24)).contains($0) })
            else { return false }
            return $0.entries.reduce(0, +) == $0.tokenCount
                && (0..<max(1, $0.tokenCount)).contains($0.maskSteps)
        }
        return rows && self.rows.count <= 64 && (1...8).contains(count)
            && (0...20).contains(cfg) && topK >= 0 && (0...1).contains(topP)
            && (classLabel ?? 0) >= 0
    }
}

nonisolated extension EditSettings {
    var isSound: Bool {
        (0...64).contains(keepScales) && (0...8).contains(dilate) && (0...32).contains(maskSteps)
            && (0...100).contains(share)
    }
}

nonisolated extension PixelMask {
    /// The middle square at another size, as pictures are fitted; nearest pixels.
    func fitted(side: Int) -> PixelMask {
        guard side > 0, width != side || height != side else { return self }
        let square = Swift.min(width, height)
        let left = (width - square) / 2
        let top = (height - square) / 2
        var result = PixelMask(width: side, height: side)
        for y in 0..<side {
            for x in 0..<side {
                result[x, y] =
                    self[
                        left + (2 * x + 1) * square / (2 * side),
                        top + (2 * y + 1) * square / (2 * side)]
            }
        }
        return result
    }
}
