// The gallery's files: every finished run of this and of earlier starts, with marks and branches.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import Glibc

/// Keeps finished runs in a folder: an index with what a person changes, and for every run a JSON
/// file and its pictures, which never change again.
///
/// Used from the files thread only. A file that is missing or wrong costs its own run, no other.
nonisolated final class GalleryStore {
    /// A line of the index.
    private struct Line: Equatable, Codable {
        /// What the run's files are called.
        var name: String
        var id: Int
        var pictures: Int
        var branchRun: Int?
        var branchScale: Int?
        var group: Int?
        var marked: [Int]
        var hidden: [Int]
        var isSaved: Bool
    }

    private struct Index: Equatable, Codable {
        var format = 1
        var runs: [Line] = []
    }

    /// What is known of a run when it has ended.
    private struct Ended: Codable {
        var run: StoredRun
        var isCancelled: Bool
        var passCount: Int
        var secondsPerScale: [Double]
        var cacheBytes: Int?
        var tokens: [TokenMaps]
    }

    private let folder: String
    /// Names of the runs whose files are there.
    private var names: [Int: String] = [:]
    private var nextName = 1
    private var written = Index()

    init(folder: String) { self.folder = folder }

    private var indexPath: String { folder + "/index.json" }
    private func runPath(_ name: String) -> String { "\(folder)/\(name).json" }
    private func picturePath(_ name: String, _ picture: Int) -> String {
        "\(folder)/\(name)-\(picture).png"
    }

    // MARK: Reading

    /// The runs of earlier starts, oldest first. Their ids are negative: this start's are not.
    func read() -> [Run] {
        guard let data = FileManager.default.contents(atPath: indexPath),
            let index = try? JSONDecoder().decode(Index.self, from: data), index.format == 1
        else { return [] }
        nextName = 1 + (index.runs.compactMap { Int($0.name) }.max() ?? 0)
        let lines = index.runs.suffix(RunsState.remembered)
        var ids: [Int: Int] = [:]
        for (i, line) in lines.enumerated() { ids[line.id] = i - lines.count }
        var groups: [Int: Int] = [:]
        var runs: [Run] = []
        var bytes = 0
        // The newest first, as long as there is room.
        for line in lines.reversed() {
            guard bytes <= RunsState.pictureBudget, let id = ids[line.id],
                var run = run(line, id: id)
            else { continue }
            bytes += run.images.reduce(0) { $0 + $1.pixels.count }
            if let parent = line.branchRun.flatMap({ ids[$0] }), let scale = line.branchScale,
                run.schedule.patchNums.indices.contains(scale)
            {
                run.branch = BranchPoint(run: parent, scale: scale)
            }
            if let old = line.group {
                let group = groups[old] ?? -1 - groups.count
                groups[old] = group
                run.group = group
            }
            names[id] = line.name
            runs.append(run)
        }
        return runs.reversed()
    }

    private func run(_ line: Line, id: Int) -> Run? {
        // Names are ours: digits, never a path.
        guard Int(line.name) != nil, (1...256).contains(line.pictures),
            let data = FileManager.default.contents(atPath: runPath(line.name)),
            let ended = try? JSONDecoder().decode(Ended.self, from: data), ended.run.isSound,
            let edit = try? ended.run.editRequest() as EditRequest??
        else { return nil }
        let images = (0..<line.pictures).compactMap {
            try? PNG.read(path: picturePath(line.name, $0))
        }
        guard images.count == line.pictures else { return nil }
        var run = Run(
            id: id, kind: edit.map { .edit($0.mode) } ?? .sample, modelName: ended.run.model,
            request: ended.run.sampling, edit: edit)
        run.state = ended.isCancelled ? .cancelled : .done
        run.passCount = ended.passCount
        run.secondsPerScale = ended.secondsPerScale
        run.cacheBytes = ended.cacheBytes
        run.images = images
        run.isSaved = line.isSaved
        run.marked = Set(line.marked.filter(images.indices.contains))
        run.hidden = Set(line.hidden.filter(images.indices.contains))
        let sides = run.schedule.patchNums
        let areWhole = ended.tokens.allSatisfy { maps in
            maps.patchNums == sides && maps.scales.count == sides.count
                && zip(maps.scales, sides).allSatisfy { $0.count == $1 * $1 }
        }
        run.tokens = areWhole && ended.tokens.count == images.count ? ended.tokens : []
        return run
    }

    // MARK: Writing

    /// Brings the folder up to date: new runs first, then the index, then what is not in it goes.
    func write(_ runs: [Run]) throws {
        var index = Index()
        for run in runs { index.runs.append(try line(run)) }
        guard index != written else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        try AtomicWrite.write([UInt8](try encoder.encode(index)), to: indexPath)
        written = index
        let kept = Set(index.runs.map(\.id))
        for (id, name) in names where !kept.contains(id) {
            unlink(runPath(name))
            var picture = 0
            while unlink(picturePath(name, picture)) == 0 { picture += 1 }
            names[id] = nil
        }
    }

    private func line(_ run: Run) throws -> Line {
        let name: String
        if let known = names[run.id] {
            name = known
        } else {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
            name = String(nextName)
            for (i, image) in run.images.enumerated() {
                try PNG.write(image, to: picturePath(name, i))
            }
            let ended = Ended(
                run: StoredRun(run), isCancelled: run.state == .cancelled,
                passCount: run.passCount, secondsPerScale: run.secondsPerScale,
                cacheBytes: run.cacheBytes, tokens: run.tokens)
            try AtomicWrite.write([UInt8](try JSONEncoder().encode(ended)), to: runPath(name))
            names[run.id] = name
            nextName += 1
        }
        return Line(
            name: name, id: run.id, pictures: run.images.count, branchRun: run.branch?.run,
            branchScale: run.branch?.scale, group: run.group, marked: run.marked.sorted(),
            hidden: run.hidden.sorted(), isSaved: run.isSaved)
    }
}

nonisolated extension RunsState {
    /// What of the runs is kept over the end of the program, as far as it can change.
    struct Kept: Equatable {
        var id: Int
        var marked: Set<Int>
        var hidden: Set<Int>
        var isSaved: Bool
    }

    /// Finished runs that have something to show.
    var keepable: [Run] {
        runs.filter { !$0.isActive && !$0.images.isEmpty && $0.hidden.count < $0.images.count }
    }

    var kept: [Kept] {
        keepable.map {
            Kept(id: $0.id, marked: $0.marked, hidden: $0.hidden, isSaved: $0.isSaved)
        }
    }
}

nonisolated extension Reducer {
    /// Takes the runs of earlier starts up; the screen stays as it is.
    static func restoreGallery(_ runs: [Run], _ state: inout AppState) {
        let known = Set(state.runs.runs.map(\.id))
        state.runs.runs.insert(contentsOf: runs.filter { !known.contains($0.id) }, at: 0)
        state.runs.forget()
    }

    /// Takes a picture out of the gallery; undo brings it back.
    static func hidePicture(_ state: inout AppState) {
        let items = state.galleryItems
        guard let item = state.shownItem, let index = items.firstIndex(of: item) else {
            notify(.info, "There is no finished picture to take out.", &state)
            return
        }
        state.undo.record(
            UndoEntry(
                title: "Picture taken out of the gallery",
                change: .gallery(run: item.run, picture: item.picture)))
        setHidden(item, true, &state)
        let left = state.galleryItems
        if left.isEmpty {
            state.runs.shownID = nil
        } else {
            select(left[min(index, left.count - 1)], &state)
        }
        notify(.info, "Taken out of the gallery; u brings it back.", &state)
    }

    static func setHidden(_ item: GalleryItem, _ isHidden: Bool, _ state: inout AppState) {
        state.runs.update(item.run) {
            if isHidden {
                $0.hidden.insert(item.picture)
            } else {
                $0.hidden.remove(item.picture)
            }
        }
        if !isHidden, state.runs.run(id: item.run) != nil { select(item, &state) }
    }
}
