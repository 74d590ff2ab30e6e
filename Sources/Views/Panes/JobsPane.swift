// The job list.
// SPDX-License-Identifier: Apache-2.0
import Core

enum JobsPane: Pane {
    static let id = PaneID.jobs

    static func draw(into surface: inout Surface, context: DrawContext, isFocused: Bool) {
        let size = surface.bounds
        let state = context.state.jobs
        var top = 0
        if state.isPaused {
            surface.put("The queue is paused (p).", x: 0, y: 0, style: context.warning)
            top = 1
        }
        guard !state.jobs.isEmpty else {
            surface.put("No jobs.", x: 0, y: top, style: context.dim)
            return
        }
        // Newest at the bottom; two lines for jobs that are going on.
        let heights = state.jobs.map { hasSecondLine($0) ? 2 : 1 }
        let room = size.height - top
        var first = 0
        func used(_ range: Range<Int>) -> Int { range.reduce(0) { $0 + heights[$1] } }
        let focusIndex =
            isFocused
            ? state.selected
            : state.jobs.lastIndex { !$0.state.isFinished && $0.state != .queued }
                ?? state.jobs.count - 1
        while first < focusIndex, used(first..<focusIndex + 1) > room { first += 1 }
        while first > 0, used(first - 1..<state.jobs.count) <= room { first -= 1 }
        var y = top
        for index in first..<state.jobs.count where y < size.height {
            draw(
                state.jobs[index], index: index, y: y, into: &surface, context: context,
                isSelected: isFocused && index == state.selected)
            y += heights[index]
        }
    }

    private static func draw(
        _ job: Job, index: Int, y: Int, into surface: inout Surface, context: DrawContext,
        isSelected: Bool
    ) {
        let width = surface.bounds.width
        let (mark, style) = mark(job, context: context)
        let lineStyle = isSelected ? context.theme[.selection] : context.text
        if isSelected {
            surface.fill(Rect(x: 0, y: y, width: width, height: 1), style: lineStyle)
            context.cursor(x: 0, y: y, on: surface)
        }
        surface.put(mark, x: 0, y: y, style: isSelected ? lineStyle : context.theme[style])
        var note = note(job, context: context)
        if CharacterWidth.of(note) > width / 2 { note = "" }
        let room = width - 2 - (note.isEmpty ? 0 : CharacterWidth.of(note) + 1)
        // A title that is too long loses the word before its number, not its end.
        let title =
            CharacterWidth.of(job.title) <= room
            ? job.title : job.title.replacing(", seed ", with: " ")
        surface.put(
            CharacterWidth.truncate(title, to: max(0, room)), x: 2, y: y, style: lineStyle)
        surface.put(
            note, x: max(0, width - CharacterWidth.of(note)), y: y,
            style: isSelected ? lineStyle : context.dim)
        context.click(
            Rect(x: 0, y: y, width: width, height: 1), on: surface,
            [.focus(.jobs), .jobs(.select(index))])
        guard hasSecondLine(job) else { return }
        if case .failed(let reason) = job.state {
            surface.put(
                CharacterWidth.truncate(reason, to: max(0, width - 2)), x: 2, y: y + 1,
                style: context.errorStyle)
            return
        }
        let share = job.total > 0 ? Double(job.step) / Double(job.total) : 0
        let steps = job.total > 0 ? "\(job.step)/\(job.total) " : ""
        let phase = job.state == .cancelling ? "cancelling" : steps + job.phase
        // The words come first, as long as a bar of some cells remains.
        let spare = max(min(8, width / 2 - 2), width - 3 - CharacterWidth.of(phase))
        let barWidth = max(0, min(20, width / 2 - 2, spare))
        context.bar(share, x: 2, y: y + 1, width: barWidth, on: &surface)
        surface.put(
            CharacterWidth.truncate(phase, to: max(0, width - barWidth - 3)), x: barWidth + 3,
            y: y + 1, style: context.dim)
    }

    /// Progress of what is going on, the reason of what failed.
    private static func hasSecondLine(_ job: Job) -> Bool {
        switch job.state {
        case .running, .paused, .cancelling, .failed: true
        case .queued, .cancelled, .done: false
        }
    }

    static func mark(_ job: Job, context: DrawContext) -> (String, StyleName) {
        switch job.state {
        case .queued: (context.symbol("○", "."), .textDim)
        case .running: (context.symbol("▶", ">"), .jobRunning)
        case .paused: (context.symbol("‖", "="), .jobCancelled)
        case .cancelling: (context.symbol("■", "-"), .jobCancelled)
        case .cancelled: (context.symbol("■", "-"), .jobCancelled)
        case .done: (context.symbol("✓", "v"), .jobDone)
        case .failed: (context.symbol("✗", "x"), .jobFailed)
        }
    }

    private static func note(_ job: Job, context: DrawContext) -> String {
        switch job.state {
        case .queued: return "queued"
        case .running:
            guard let remaining = job.remaining, !context.state.options.isDeterministic else {
                return ""
            }
            return "about " + context.duration(remaining)
        case .paused: return "paused"
        case .cancelling: return ""
        case .cancelled: return "cancelled"
        case .failed: return "failed"
        case .done:
            guard let start = job.startedAt, let end = job.finishedAt,
                !context.state.options.isDeterministic
            else { return "" }
            return context.duration(end.timeIntervalSince(start))
        }
    }
}
