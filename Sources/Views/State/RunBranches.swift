// Runs that went on from a scale of another: a tree one can walk.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Where a run left another one.
nonisolated struct BranchPoint: Sendable, Equatable {
    /// The run it left.
    var run: Int
    /// The first scale that it drew itself.
    var scale: Int
}

nonisolated extension Run {
    /// The tokens of the scales before one, for every picture; nil while they are not all known.
    func tokens(before scale: Int) -> [TokenMaps]? {
        if !tokens.isEmpty {
            return tokens.allSatisfy { $0.scales.count >= scale } ? tokens : nil
        }
        // A run that goes on, or was cancelled, has the first picture's maps in its passes.
        guard request.count == 1 else { return nil }
        var maps = request.start?.tokens.first?.scales ?? []
        for next in maps.count..<max(maps.count, scale) {
            guard let record = passes.last(where: { $0.scale == next && $0.completesScale }) else {
                return nil
            }
            maps.append(record.grid.tokens)
        }
        return [TokenMaps(patchNums: schedule.patchNums, scales: maps)]
    }

    /// Numbers of the scales that can be gone back to.
    var branchScales: Range<Int> {
        let last = passes.last?.scale ?? schedule.patchNums.count - 1
        let end = tokens.isEmpty ? last + 1 : schedule.patchNums.count
        return 1..<max(1, end)
    }
}

nonisolated extension RunsState {
    /// A run with its depth in the tree.
    struct BranchLine: Sendable, Equatable {
        var run: Int
        var depth: Int
        /// Whether siblings follow, for each level above: where lines go on downwards.
        var goesOn: [Bool]
    }

    /// All runs, each behind the one it left; oldest first within a level.
    var branchLines: [BranchLine] {
        let known = Set(runs.map(\.id))
        var children: [Int: [Int]] = [:]
        var roots: [Int] = []
        for run in runs {
            if let parent = run.branch?.run, known.contains(parent) {
                children[parent, default: []].append(run.id)
            } else {
                roots.append(run.id)
            }
        }
        var lines: [BranchLine] = []
        func add(_ id: Int, _ depth: Int, _ goesOn: [Bool]) {
            lines.append(BranchLine(run: id, depth: depth, goesOn: goesOn))
            let below = children[id] ?? []
            for (i, child) in below.enumerated() {
                add(child, depth + 1, goesOn + [i < below.count - 1])
            }
        }
        for root in roots { add(root, 0, []) }
        return lines
    }

    /// What a run does otherwise than the one it left, in a few words.
    func difference(_ run: Run, className: (Int?) -> String) -> String {
        guard let branch = run.branch, let parent = self.run(id: branch.run) else { return "" }
        var words: [String] = []
        let (a, b) = (parent.request, run.request)
        if a.seed != b.seed { words.append("seed \(b.seed)") }
        if a.classLabel != b.classLabel { words.append(className(b.classLabel)) }
        if a.variant != b.variant { words.append(b.variant.shortTitle) }
        if a.cfg != b.cfg { words.append("guidance \(b.cfg)") }
        if a.topK != b.topK { words.append("top-k \(b.topK)") }
        if a.topP != b.topP { words.append("top-p \(b.topP)") }
        if a.mode != b.mode { words.append(b.mode.rawValue) }
        let rows = (parent.schedule.rows, run.schedule.rows)
        let changed = rows.0.indices.filter {
            rows.1.indices.contains($0) && rows.0[$0] != rows.1[$0]
        }
        if let scale = changed.first {
            words.append(changed.count == 1 ? "row \(scale)" : "\(changed.count) rows")
        }
        return words.isEmpty ? "nothing changed" : words.joined(separator: ", ")
    }
}

nonisolated extension Reducer {
    /// Goes back to the scale looked at and draws from there with the values of the schedule.
    ///
    /// The scales before it are taken over: HMAR needs nothing of them but their tokens.
    static func branch(newSeed: Bool, _ state: inout AppState) -> [Effect] {
        guard let facts = readyModel(&state) else { return [] }
        guard let run = state.runs.shown else {
            notify(.info, "There is no run to go back in. Enter generates.", &state)
            return []
        }
        guard run.edit == nil, run.modelName == facts.card.name else {
            notify(.info, "Only samples of the model in memory have branches.", &state)
            return []
        }
        let scales = run.branchScales
        guard !scales.isEmpty else {
            notify(.info, "The run has no scale to go back to yet.", &state)
            return []
        }
        // Without a place of its own the last scale: the least is drawn anew.
        let looked = state.preview.pass.flatMap {
            run.passes.indices.contains($0) ? run.passes[$0].scale : nil
        }
        let scale = max(
            scales.lowerBound, min(scales.upperBound - 1, looked ?? scales.upperBound - 1))
        guard let tokens = run.tokens(before: scale) else {
            notify(
                .info, "The tokens before scale \(scale) are not kept; let the run finish.", &state)
            return []
        }
        var effects: [Effect] = []
        if newSeed {
            let seed = nextSeed(after: state.schedule.values.seed)
            effects = setSchedule("Seed", &state) { $0.seed = seed }
        }
        guard var request = state.schedule.request() else { return effects }
        var schedule = request.schedule
        for kept in 0..<scale {
            // Rows that ran were valid.
            try? schedule.setRow(run.schedule.rows[kept], scale: kept)
        }
        request.schedule = schedule
        request.count = run.request.count
        request.start = SamplingStart(tokens: tokens, scale: scale)
        return effects
            + start(
                request, facts: facts, group: nil,
                branch: BranchPoint(run: run.id, scale: scale), &state)
    }

    /// Walks the tree: up and down its lines, left to the run that one left, right to the first
    /// that left it.
    static func walkBranches(x: Int, y: Int, _ state: inout AppState) {
        let lines = state.runs.branchLines
        guard let index = lines.firstIndex(where: { $0.run == state.runs.shownID }) else {
            if let first = lines.last { show(first.run, &state) }
            return
        }
        if y != 0 { show(lines[max(0, min(lines.count - 1, index + y))].run, &state) }
        if x < 0, let parent = state.runs.shown?.branch?.run, state.runs.run(id: parent) != nil {
            show(parent, &state)
        }
        if x > 0, lines.indices.contains(index + 1), lines[index + 1].depth > lines[index].depth {
            show(lines[index + 1].run, &state)
        }
    }
}
