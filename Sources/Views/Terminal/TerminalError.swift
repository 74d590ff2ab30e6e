// Why the screen cannot be opened, and how to say it.
// SPDX-License-Identifier: Apache-2.0

/// What keeps the program from using a terminal; exit status 2.
nonisolated public enum TerminalError: Error, Sendable, Equatable {
    /// Standard input or output is no terminal.
    case notATerminal(String)
    /// TERM is empty.
    case noTerm
    /// terminfo has no such terminal.
    case unknownTerminal(String)
    /// It cannot place its cursor.
    case tooSimple(String)
    case system(String)
}

nonisolated extension TerminalError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notATerminal(let stream):
            "\(stream) is not a terminal, and the workbench needs one. Commands such as "
                + "`workbench sample` work without: see `workbench --help`."
        case .noTerm:
            "TERM is not set, so the terminal's abilities are unknown. "
                + "Try `TERM=xterm-256color workbench`."
        case .unknownTerminal(let name):
            "The terminal type \"\(name)\" is unknown here. Try `TERM=xterm-256color workbench`, "
                + "or install its description (Debian: ncurses-term)."
        case .tooSimple(let name):
            "The terminal type \"\(name)\" cannot place its cursor, which the workbench needs. "
                + "Use another terminal, or commands such as `workbench sample`."
        case .system(let reason): "The terminal could not be opened: \(reason)."
        }
    }
}
