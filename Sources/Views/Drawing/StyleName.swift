// The names of the styles that a theme can set. SPDX-License-Identifier: Apache-2.0

/// The dotted name of a style, as theme files write it.
nonisolated public struct StyleName: Sendable, Hashable {
    /// The dotted name, e.g. `ui.text.dim`.
    public let rawValue: String

    public init(_ rawValue: String) { self.rawValue = rawValue }

    /// The name without its last part; nil for a name without dots.
    var parent: StyleName? {
        guard let dot = rawValue.lastIndex(of: ".") else { return nil }
        return StyleName(String(rawValue[..<dot]))
    }

    public static let background = StyleName("ui.background")
    public static let text = StyleName("ui.text")
    public static let textDim = StyleName("ui.text.dim")
    public static let textFocus = StyleName("ui.text.focus")
    public static let border = StyleName("ui.border")
    public static let borderFocus = StyleName("ui.border.focus")
    public static let title = StyleName("ui.title")
    public static let selection = StyleName("ui.selection")
    public static let cursor = StyleName("ui.cursor")
    public static let menu = StyleName("ui.menu")
    public static let menuSelected = StyleName("ui.menu.selected")
    public static let popup = StyleName("ui.popup")
    public static let statusLine = StyleName("ui.statusline")
    public static let key = StyleName("ui.key")
    public static let help = StyleName("ui.help")
    public static let scrollbar = StyleName("ui.scrollbar")
    public static let divider = StyleName("ui.divider")
    public static let jobRunning = StyleName("job.running")
    public static let jobDone = StyleName("job.done")
    public static let jobFailed = StyleName("job.failed")
    public static let jobCancelled = StyleName("job.cancelled")
    public static let jobBar = StyleName("job.bar")
    public static let jobBarTrack = StyleName("job.bar.track")
    public static let plotAxis = StyleName("plot.axis")
    public static let plotBar = StyleName("plot.bar")
    public static let plotBand = StyleName("plot.band")
    public static let plotMarker = StyleName("plot.marker")
    public static let maskTint = StyleName("mask.tint")
    public static let maskEdge = StyleName("mask.edge")
    public static let diffAdd = StyleName("diff.add")
    public static let diffRemove = StyleName("diff.remove")
    public static let logInfo = StyleName("log.info")
    public static let logWarning = StyleName("log.warn")
    public static let logError = StyleName("log.error")
    public static let hint = StyleName("hint")

    /// The style of the n-th line of a plot; the eight styles repeat.
    public static func plotLine(_ index: Int) -> StyleName {
        StyleName("plot.line.\(((index % 8) + 8) % 8 + 1)")
    }

    /// Every name that the program looks up, in the order of the documentation.
    public static let all: [StyleName] =
        [
            background, text, textDim, textFocus, border, borderFocus, title, selection, cursor,
            menu, menuSelected, popup, statusLine, key, help, scrollbar, divider, jobRunning,
            jobDone, jobFailed, jobCancelled, jobBar, jobBarTrack, plotAxis,
        ] + (0..<8).map(plotLine) + [
            plotBar, plotBand, plotMarker, maskTint, maskEdge, diffAdd, diffRemove, logInfo,
            logWarning, logError, hint,
        ]

    /// Names that carry no text of their own: their contrast is a matter of taste.
    static let decorative: Set<StyleName> = [
        border, divider, scrollbar, jobBarTrack, plotBand, plotAxis,
    ]
}
