// What the environment says about the terminal.
// SPDX-License-Identifier: Apache-2.0

/// The variables that the engine looks at.
nonisolated public struct TerminalEnvironment: Sendable, Hashable {
    public var term: String
    /// `COLORTERM` says `truecolor` or `24bit`.
    public var claimsDirectColor: Bool
    /// `NO_COLOR` is set and not empty.
    public var forbidsColor: Bool
    public var isInsideTmux: Bool
    /// `XTERM_VERSION` is set: a real xterm, whatever TERM says.
    public var isXterm: Bool
    /// `MLTERM` is set: mlterm, which takes no other font for what its own lacks.
    public var isMlterm: Bool

    public init(
        term: String = "xterm-256color", claimsDirectColor: Bool = false,
        forbidsColor: Bool = false, isInsideTmux: Bool = false, isXterm: Bool = false,
        isMlterm: Bool = false
    ) {
        self.term = term
        self.claimsDirectColor = claimsDirectColor
        self.forbidsColor = forbidsColor
        self.isInsideTmux = isInsideTmux
        self.isXterm = isXterm
        self.isMlterm = isMlterm
    }

    public init(variables: [String: String]) {
        let color = variables["COLORTERM"] ?? ""
        self.init(
            term: variables["TERM"] ?? "",
            claimsDirectColor: color == "truecolor" || color == "24bit",
            forbidsColor: !(variables["NO_COLOR"] ?? "").isEmpty,
            isInsideTmux: !(variables["TMUX"] ?? "").isEmpty,
            isXterm: variables["XTERM_VERSION"] != nil,
            isMlterm: variables["MLTERM"] != nil && (variables["TMUX"] ?? "").isEmpty)
    }

    /// The name that curses is started as: Debian's xterm calls itself `xterm`, for which
    /// terminfo knows 8 colours only.
    var terminfoName: String {
        term == "xterm" && (claimsDirectColor || isXterm) ? "xterm-256color" : term
    }

    /// Whether the terminal is one that prints what it does not understand.
    var isBasic: Bool {
        term == "linux" || term.hasPrefix("vt") || term == "ansi" || term == "cons25"
    }
}
