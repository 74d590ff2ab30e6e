// Samples and edits: running, finished, and every pass they went through.
// SPDX-License-Identifier: Apache-2.0
import Core

/// One pass of a run, as stored for scrubbing.
nonisolated struct PassRecord: Sendable {
    var pass: Int
    var scale: Int
    /// 0 = next-scale pass, j = mask step j.
    var step: Int
    var completesScale: Bool
    var seconds: Double
    var previews: [RGBImage]
    var grid: TokenGrid

    init(_ report: PassReport) {
        pass = report.pass
        scale = report.scale
        step = report.step
        completesScale = report.completesScale
        seconds = report.seconds
        previews = report.previews
        grid = report.grid
    }

    var bytes: Int {
        previews.reduce(0) { $0 + $1.pixels.count } + grid.tokens.count * 200
    }
}

/// One sample or edit from its request to its pictures.
nonisolated struct Run: Sendable, Identifiable {
    enum Kind: Sendable, Equatable {
        case sample
        case edit(EditMode)
    }

    enum State: Sendable, Equatable {
        case waiting
        case running
        case done
        case cancelled
        case failed(String)
    }

    let id: Int
    var kind: Kind
    var modelName: String
    var request: SamplingRequest
    var edit: EditRequest?
    /// Runs compared with each other share a group.
    var group: Int?
    /// The run that it left, and where.
    var branch: BranchPoint?
    /// Pictures of the batch that a person marked.
    var marked: Set<Int> = []
    /// Pictures of the batch that were taken out of the gallery.
    var hidden: Set<Int> = []
    /// Its place in the job list.
    var job: Int?
    var state = State.waiting
    var isPaused = false
    /// The schedule in force, live changes included.
    var schedule: SamplingSchedule
    var passCount: Int
    var passes: [PassRecord] = []
    var images: [RGBImage] = []
    var tokens: [TokenMaps] = []
    var grids: [TokenGrid] = []
    var secondsPerScale: [Double] = []
    var cacheBytes: Int?
    var reconstruction: RGBImage?
    var editable: [[Bool]] = []
    var isSaved = false
    /// The picture that a recipe should make again.
    var expected: Expected?

    /// What a replayed file holds.
    struct Expected: Sendable {
        var picture: RGBImage
        var index: Int
        var name: String
        var checksums: [String: String]
    }

    init(
        id: Int, kind: Kind, modelName: String, request: SamplingRequest,
        edit: EditRequest? = nil, group: Int? = nil
    ) {
        self.id = id
        self.kind = kind
        self.modelName = modelName
        self.request = request
        self.edit = edit
        self.group = group
        schedule = request.schedule
        passCount = request.schedule.rows.dropFirst(request.start?.scale ?? 0)
            .reduce(0) { $0 + $1.count }
    }

    var isActive: Bool { state == .waiting || state == .running }
    /// The newest pictures there are: final ones, else those of the latest pass that has some.
    var latestImages: [RGBImage] {
        if !images.isEmpty { return images }
        return passes.last { !$0.previews.isEmpty }?.previews ?? []
    }
    /// The scale being worked on and whether a later pass of it is known to come.
    var lastBegunScale: Int { passes.last?.scale ?? -1 }

    /// The picture that each scale ended with, where one was stored.
    func scalePreviews(picture: Int) -> [RGBImage?] {
        schedule.patchNums.indices.map { scale in
            let record = passes.last { $0.scale == scale && !$0.previews.isEmpty }
            guard let record, record.previews.indices.contains(picture) else { return nil }
            return record.previews[picture]
        }
    }
}

nonisolated struct RunsState: Sendable {
    /// Oldest first.
    var runs: [Run] = []
    var nextID = 1
    var nextGroup = 1
    /// The run that preview and tokens show.
    var shownID: Int?

    /// Finished runs whose passes can be scrubbed through; older ones keep their pictures only.
    static let kept = 12
    /// Finished runs in all, and what their pictures may take.
    static let remembered = 400
    static let pictureBudget = 64 << 20
    /// Pictures of passes are thinned out beyond so many bytes.
    static let passBudget = 48 << 20

    var shown: Run? { shownID.flatMap { run(id: $0) } }
    /// The run that is going on now.
    var active: Run? { runs.first { $0.state == .running } }
    /// The run that pausing, stepping and cancelling are about: the running one, else the next.
    var current: Run? { active ?? runs.first { $0.state == .waiting } }
    var hasUnfinished: Bool { runs.contains { $0.isActive } }

    func run(id: Int) -> Run? { runs.first { $0.id == id } }

    mutating func update(_ id: Int, _ change: (inout Run) -> Void) {
        guard let index = runs.firstIndex(where: { $0.id == id }) else { return }
        change(&runs[index])
    }

    /// The runs of the newest comparison, oldest first.
    var comparison: [Run] {
        guard let group = runs.last(where: { $0.group != nil })?.group else { return [] }
        return runs.filter { $0.group == group }
    }

    /// Adds a run and forgets old finished ones.
    mutating func append(_ run: Run) {
        runs.append(run)
        nextID = max(nextID, run.id + 1)
        forget()
        thin()
    }

    /// Lets the oldest finished runs go: first their passes, then, beyond the limits of the gallery,
    /// themselves. The one shown and marked ones stay.
    mutating func forget() {
        var whole = runs.count { !$0.isActive && !$0.passes.isEmpty }
        for index in runs.indices where whole > Self.kept {
            guard !runs[index].isActive, runs[index].id != shownID, !runs[index].passes.isEmpty
            else { continue }
            runs[index].passes = []
            runs[index].grids = []
            whole -= 1
        }
        var finished = runs.count { !$0.isActive }
        var bytes = runs.reduce(0) { $0 + $1.images.reduce(0) { $0 + $1.pixels.count } }
        while finished > Self.remembered || bytes > Self.pictureBudget {
            let old = runs.firstIndex {
                !$0.isActive && $0.id != shownID && $0.marked.isEmpty
            }
            guard let old else { break }
            bytes -= runs[old].images.reduce(0) { $0 + $1.pixels.count }
            finished -= 1
            runs.remove(at: old)
        }
        // What failed or was cancelled before anything came of it is nothing to look at.
        while runs.count(where: { !$0.isActive && $0.latestImages.isEmpty }) > Self.kept,
            let old = runs.firstIndex(where: {
                !$0.isActive && $0.latestImages.isEmpty && $0.id != shownID
            })
        {
            runs.remove(at: old)
        }
    }

    /// Drops pictures of passes that do not complete a scale, oldest runs first, beyond the budget.
    mutating func thin() {
        var total = runs.reduce(0) { sum, run in run.passes.reduce(sum) { $0 + $1.bytes } }
        for r in runs.indices where total > Self.passBudget {
            for p in runs[r].passes.indices where total > Self.passBudget {
                let record = runs[r].passes[p]
                let isLast = p == runs[r].passes.count - 1
                guard !record.completesScale, !isLast, !record.previews.isEmpty else { continue }
                total -= record.bytes
                runs[r].passes[p].previews = []
                total += runs[r].passes[p].bytes
            }
        }
    }
}
