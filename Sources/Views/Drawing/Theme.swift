// How the screen looks: styles by dotted name, with fallback along the dots.
// SPDX-License-Identifier: Apache-2.0

/// A set of styles by name.
///
/// A part that a style leaves open (text colour, background) comes from the name without its last
/// part, and so on; in the end from `ui.text` and `ui.background`. Attributes come from the first
/// of these names that the theme sets.
nonisolated public struct Theme: Sendable, Equatable {
    /// A style whose colours may be left open.
    struct PartialStyle: Sendable, Equatable {
        var foreground: Color?
        var background: Color?
        var modifiers: Style.Modifiers = []
    }

    /// The name it was loaded by.
    public let name: String
    /// The files that it was read from, itself first; watch them for live reloading.
    public let sourceFiles: [String]
    /// What was wrong without being an error: unknown style names.
    public let warnings: [ThemeError]
    var styles: [StyleName: PartialStyle]
    /// Whether it keeps to the terminal's own 16 colours.
    let usesOnlyOwnColors: Bool

    init(
        name: String, styles: [StyleName: PartialStyle], sourceFiles: [String] = [],
        warnings: [ThemeError] = []
    ) {
        self.name = name
        self.styles = styles
        usesOnlyOwnColors = styles.values.allSatisfy { style in
            [style.foreground, style.background].allSatisfy { color in
                if case .rgb = color { return false }
                return true
            }
        }
        self.sourceFiles = sourceFiles
        self.warnings = warnings
    }

    /// The style of a name on the theme's background.
    public subscript(name: StyleName) -> Style { self[name, on: .background] }

    /// The style of a name; a background that it leaves open is taken from `surface`.
    public subscript(name: StyleName, on surface: StyleName) -> Style {
        var result = Style.plain
        var foreground: Color?
        var background: Color?
        var hasModifiers = false
        var next: StyleName? = name
        while let current = next {
            if let style = styles[current] {
                foreground = foreground ?? style.foreground
                background = background ?? style.background
                if !hasModifiers { result.modifiers = style.modifiers }
                hasModifiers = true
            }
            next = current.parent
        }
        result.foreground = foreground ?? styles[.text]?.foreground ?? .default
        result.background =
            background ?? styles[surface]?.background ?? styles[.background]?.background ?? .default
        return result
    }

    /// The same theme with attributes only, for `NO_COLOR` and terminals without colours.
    ///
    /// What a colour said alone is then said by bold, dim, underline or reverse.
    public func withoutColors() -> Theme {
        var plain = styles.mapValues { PartialStyle(modifiers: $0.modifiers) }
        for (name, modifiers) in Theme.monochromeModifiers {
            plain[name, default: PartialStyle()].modifiers.formUnion(modifiers)
        }
        return Theme(name: name, styles: plain, sourceFiles: sourceFiles, warnings: warnings)
    }

    /// The theme as a terminal of this many colours can show it.
    public func adapted(to depth: Capabilities.ColorDepth) -> Theme {
        depth == .none ? withoutColors() : self
    }

    private static let monochromeModifiers: [StyleName: Style.Modifiers] = [
        .textDim: .dim, .textFocus: .bold, .borderFocus: .bold, .title: .bold,
        .selection: .reversed, .cursor: .reversed, .menuSelected: .reversed,
        .statusLine: .reversed, .key: .bold, .jobRunning: .bold, .jobFailed: [.bold, .underlined],
        .jobCancelled: .dim, .jobBarTrack: .dim, .plotAxis: .dim, .plotBand: .dim,
        .plotMarker: .bold, .maskTint: .reversed, .maskEdge: .bold, .diffAdd: .bold,
        .diffRemove: .underlined, .logWarning: .bold, .logError: [.bold, .underlined],
        .hint: .dim, .border: .dim, .divider: .dim, .scrollbar: .dim,
    ]

    /// What is used when no theme file can be found: the terminal's own colours.
    public static let builtIn: Theme = {
        func style(
            _ foreground: Color?, _ background: Color? = nil, _ modifiers: Style.Modifiers = []
        ) -> PartialStyle {
            PartialStyle(foreground: foreground, background: background, modifiers: modifiers)
        }
        var styles: [StyleName: PartialStyle] = [
            .textDim: style(nil, nil, .dim), .textFocus: style(nil, nil, .bold),
            .border: style(.ansi(8)), .borderFocus: style(.ansi(6), nil, .bold),
            .title: style(nil, nil, .bold), .selection: style(nil, nil, .reversed),
            .cursor: style(nil, nil, .reversed), .menuSelected: style(nil, nil, .reversed),
            .key: style(.ansi(6), nil, .bold),
            .scrollbar: style(.ansi(8)), .divider: style(.ansi(8)), .jobRunning: style(.ansi(6)),
            .jobDone: style(.ansi(2)), .jobFailed: style(.ansi(1), nil, .bold),
            .jobCancelled: style(.ansi(3)), .jobBar: style(.ansi(6)),
            .jobBarTrack: style(.ansi(8)), .plotAxis: style(.ansi(8)), .plotBar: style(.ansi(6)),
            .plotBand: style(.ansi(8)), .plotMarker: style(.ansi(3), nil, .bold),
            .maskTint: style(.ansi(5)), .maskEdge: style(.ansi(13)), .diffAdd: style(.ansi(2)),
            .diffRemove: style(.ansi(1)), .logWarning: style(.ansi(3)),
            .logError: style(.ansi(1), nil, .bold), .hint: style(nil, nil, .dim),
        ]
        for (i, index) in [6, 3, 2, 5, 4, 1, 14, 7].enumerated() {
            styles[.plotLine(i)] = style(.ansi(UInt8(index)))
        }
        return Theme(name: "built-in", styles: styles)
    }()
}
