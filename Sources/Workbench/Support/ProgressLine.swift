// Progress on standard error. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation

/// When progress is shown.
enum ProgressMode: String, ExpressibleByArgument, CaseIterable {
    /// Only on a terminal.
    case auto
    case always
    case never
}

/// A line that is rewritten in place.
struct ProgressLine {
    private let isShown: Bool
    private var lastWidth = 0
    private var lastTime = 0.0

    init(_ mode: ProgressMode, quiet: Bool) {
        isShown = !quiet && (mode == .always || (mode == .auto && isatty(STDERR_FILENO) == 1))
    }

    /// Shows a text, at most twenty times a second; the last one always.
    mutating func show(_ text: String, isLast: Bool = false) {
        let now = ProcessInfo.processInfo.systemUptime
        guard isShown, isLast || now - lastTime >= 0.05 else { return }
        lastTime = now
        let padding = String(repeating: " ", count: max(0, lastWidth - text.count))
        Output.write("\r" + text + padding, to: STDERR_FILENO)
        lastWidth = text.count
    }

    /// Removes the line.
    mutating func clear() {
        guard isShown, lastWidth > 0 else { return }
        Output.write("\r" + String(repeating: " ", count: lastWidth) + "\r", to: STDERR_FILENO)
        lastWidth = 0
    }
}
