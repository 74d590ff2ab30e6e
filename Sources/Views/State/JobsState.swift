// The job list and the log as panes see them.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated struct JobsState: Sendable, Equatable {
    var jobs: [Job] = []
    var isPaused = false
    var selected = 0

    var running: Job? {
        jobs.first { $0.state == .running || $0.state == .cancelling }
    }
    var selectedJob: Job? { jobs.indices.contains(selected) ? jobs[selected] : nil }
    var hasUnfinished: Bool { jobs.contains { !$0.state.isFinished } }
}

nonisolated struct LogState: Sendable, Equatable {
    struct Line: Sendable, Equatable {
        enum Level: Int, Sendable, Equatable, CaseIterable {
            case debug, info, warning, error
        }

        var time: String
        var level: Level
        var text: String
    }

    var lines: [Line] = []
    /// Lines scrolled up from the newest.
    var scroll = 0
    /// What was searched for last.
    var query = ""
    /// The least level shown.
    var level = Line.Level.info

    static let kept = 1000

    var shown: [Line] { lines.filter { $0.level.rawValue >= level.rawValue } }
}
