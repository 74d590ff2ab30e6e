// The questions to the terminal and what its answers mean.
// SPDX-License-Identifier: Apache-2.0

/// Asks everything at once and keeps what is known; answers may come late.
nonisolated package struct TerminalQueries: Sendable {
    /// Seconds after which a mute terminal is taken as it is.
    package static let patience = 0.15

    package private(set) var capabilities: Capabilities
    private let environment: TerminalEnvironment
    private var screen: ScreenSize
    /// What `CSI 16 t` said.
    private var reportedCell: PixelSize?
    /// What the graphics question said about the text area.
    private var reportedArea: PixelSize?
    /// What the configuration says, for terminals that say nothing.
    private let configuredCell: PixelSize?
    /// Answers to the size questions so far: the first is the text area, the second the maximum.
    private var sizeAnswers = 0
    private let allowsPictures: Bool
    /// Whether the last question was answered: what comes again, nobody asked for.
    private var hasAttributes = false

    package init(
        environment: TerminalEnvironment, screen: ScreenSize, allowsPictures: Bool = true,
        configuredCell: PixelSize? = nil
    ) {
        self.environment = environment
        self.screen = screen
        self.allowsPictures = allowsPictures
        self.configuredCell = configuredCell
        capabilities = Capabilities(terminfoName: environment.terminfoName)
        capabilities.isInsideTmux = environment.isInsideTmux
        if environment.forbidsColor { capabilities.colors = .none }
        updateCellSize()
    }

    /// All questions, device attributes last: once that is answered everything else was.
    package var questions: String {
        if environment.isBasic { return "\u{1B}[c" }
        var text = "\u{1B}[>q"
        text += "\u{1B}[?1;1;0S\u{1B}[?2;1;0S\u{1B}[?2;4;0S"
        text += "\u{1B}[16t"
        text += "\u{1B}[?1016$p\u{1B}[?2026$p\u{1B}[?80$p"
        // tmux would take this one for a title.
        if !environment.isInsideTmux {
            text += "\u{1B}_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\u{1B}\\"
        }
        text += "\u{1B}]11;?\u{1B}\\"
        return text + "\u{1B}[c"
    }

    /// Takes an answer; returns whether anything changed.
    package mutating func apply(_ reply: TerminalReply) -> Bool {
        let before = capabilities
        switch reply {
        case .deviceAttributes(let list):
            guard !hasAttributes else { return false }
            hasAttributes = true
            capabilities.hasSixel = allowsPictures && list.dropFirst().contains(4)
            capabilities.isSettled = true
        case .deviceControl(let text) where text.hasPrefix(">|"):
            capabilities.name = String(text.dropFirst(2).prefix(64))
            let names = ["iTerm2", "WezTerm"]
            capabilities.hasInlineImages =
                allowsPictures
                && names.contains { capabilities.name?.hasPrefix($0) == true }
            if environment.term == "xterm", capabilities.name?.hasPrefix("XTerm") == true {
                capabilities.terminfoName = "xterm-256color"
            }
        case .graphics(let values): applyGraphics(values)
        case .window(let values) where values.count == 3 && values[0] == 6:
            if (1...1000).contains(values[1]), (1...1000).contains(values[2]) {
                reportedCell = PixelSize(width: values[2], height: values[1])
            }
        case .mode(1016, let state): capabilities.hasPixelMouse = state == 1 || state == 2
        case .mode(2026, let state): capabilities.hasSynchronizedOutput = state == 1 || state == 2
        case .mode(80, let state): capabilities.hasSixelDisplayMode = state == 1
        case .application(let text) where text.hasPrefix("Gi=31;OK"):
            capabilities.hasKittyGraphics = allowsPictures
        case .operatingSystem(let text) where text.hasPrefix("11;"):
            if let color = Self.color(text.dropFirst(3)) { capabilities.background = color }
        default: break
        }
        updateCellSize()
        return capabilities != before
    }

    /// Stops waiting; what was not answered keeps its fallback until an answer comes after all.
    package mutating func giveUp() { capabilities.isSettled = true }

    /// The window has a new size.
    package mutating func resized(to screen: ScreenSize) {
        self.screen = screen
        // The area asked for at the start was another one.
        reportedArea = nil
        updateCellSize()
    }

    /// Curses knows how many colours the terminal has.
    package mutating func curses(colors count: Int) {
        if environment.forbidsColor {
            capabilities.colors = .none
        } else {
            let depths: [Capabilities.ColorDepth] = [.direct, .xterm256, .ansi16, .ansi8]
            capabilities.colors = depths.first { count >= $0.rawValue } ?? .none
        }
    }

    private mutating func applyGraphics(_ values: [Int]) {
        guard values.count >= 2 else { return }
        if values[0] == 2 { sizeAnswers += 1 }
        guard values[1] == 0 else { return }
        if values[0] == 1, values.count >= 3, values[2] >= 2 {
            capabilities.registers = values[2]
        } else if values[0] == 2, values.count >= 4, values[2] > 0, values[3] > 0 {
            let size = PixelSize(width: values[2], height: values[3])
            if sizeAnswers == 1 { reportedArea = size } else { capabilities.maximumPicture = size }
        }
    }

    /// The window's own pixel fields, then the reported cell, then the text area, then the
    /// configuration. Whole-number division: the window's pixels may include an inner border.
    private mutating func updateCellSize() {
        let fallback = configuredCell ?? PixelSize(width: 10, height: 20)
        capabilities.cellSize =
            Self.cell(of: screen.pixels, in: screen.cells) ?? reportedCell
            ?? reportedArea.flatMap { Self.cell(of: $0, in: screen.cells) } ?? fallback
    }

    private static func cell(of pixels: PixelSize, in cells: CellSize) -> PixelSize? {
        guard cells.columns > 0, cells.rows > 0 else { return nil }
        let size = PixelSize(
            width: pixels.width / cells.columns, height: pixels.height / cells.rows)
        return size.width > 1 && size.height > 1 ? size : nil
    }

    /// `rgb:RRRR/GGGG/BBBB` with one to four digits each.
    static func color(_ text: some StringProtocol) -> Color? {
        guard text.hasPrefix("rgb:") else { return nil }
        let parts = text.dropFirst(4).split(separator: "/")
        guard parts.count == 3 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            guard (1...4).contains(part.count), let value = Int(part, radix: 16), value >= 0 else {
                return nil
            }
            let most = (1 << (4 * part.count)) - 1
            bytes.append(UInt8((value * 255 + most / 2) / most))
        }
        return .rgb(bytes[0], bytes[1], bytes[2])
    }
}
